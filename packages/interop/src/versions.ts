// Which peers took part: the one thing in docs/interop.md that differs by machine.

import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { NGINX } from './peers/nginx.ts'
import { PYTHON } from './peers/python.ts'

const require = createRequire(import.meta.url)
const CHROMIUM = '/usr/bin/chromium'

/** The peers with their versions, in one line. */
export function peerVersions(): string {
  return [
    `Node ${process.versions.node}`,
    `ws ${versionOf('ws')}`,
    `undici ${versionOf('undici')}`,
    `Python websockets ${printed(PYTHON, '-c', 'import websockets; print(websockets.__version__)')}`,
    `Chromium ${printed(CHROMIUM, '--version')}`,
    `nginx ${printed(NGINX, '-v')}`,
  ].join(', ')
}

function versionOf(name: string): string {
  return (require(`${name}/package.json`) as { version: string }).version
}

/** The first version in what a program prints. */
function printed(command: string, ...parameters: string[]): string {
  const { stdout, stderr } = spawnSync(command, parameters, { encoding: 'utf8' })
  return `${stdout}${stderr}`.match(/\d+(\.\d+)+/)?.[0] ?? 'unknown'
}
