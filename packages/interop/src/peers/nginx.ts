// nginx as reverse proxy, configured as its documentation says for WebSocket; TLS ends there. Rules: one process, everything
// it writes lies in its folder; it cannot take port 0, so a port that was free a moment ago is tried, and another if it is gone.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import type { PemFiles } from '../temp.ts'

export const NGINX = '/usr/sbin/nginx'
const TRIES = 5
const TEMP_PATHS = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']

/** A port of the proxy and the one behind it. */
interface Route {
  readonly secure: boolean
  readonly port: number
  readonly upstream: number
}

export interface ReverseProxy {
  readonly routes: readonly Route[]
  dispose(): Promise<void>
}

/** What nginx is to set besides what an upgrade needs; without it `Host` becomes the address of the upstream. */
const HEADERS = ['Host $http_host']

/**
 * Starts it, with a ws and a wss port in front of each upstream port.
 * @param headers of the requests that it passes on, as for `proxy_set_header`
 * @param scheme of the upstreams; TLS to them is without ALPN, so it is HTTP/1.1
 */
export async function startNginx(
  folder: string,
  pem: PemFiles,
  upstreams: readonly number[],
  headers: readonly string[] = HEADERS,
  scheme: 'http' | 'https' = 'http',
): Promise<ReverseProxy> {
  for (let tries = 1; ; tries++) {
    const routes = await routesTo(upstreams)
    const file = join(folder, 'nginx.conf')
    await writeFile(file, configuration(folder, pem, routes, headers, scheme))
    const child = spawn(NGINX, ['-p', folder, '-c', file, '-e', 'stderr'], { stdio: ['ignore', 'ignore', 'pipe'] })
    const complaint = await started(child)
    if (complaint === undefined) return { routes, dispose: () => kill(child) }
    if (tries === TRIES || !complaint.includes('Address already in use')) throw new Error(`nginx: ${complaint}`)
  }
}

/** Resolves once it listens, which it does before it looks for events; with what it wrote if it ended instead. */
function started(child: ChildProcess): Promise<string | undefined> {
  let output = ''
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('close', () => resolve(output))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      output += text
      if (/using the ".+" event method/.test(output)) resolve(undefined)
    })
  })
}

async function kill(child: ChildProcess): Promise<void> {
  const closed = once(child, 'close')
  child.kill('SIGKILL')
  await closed
}

async function routesTo(upstreams: readonly number[]): Promise<Route[]> {
  const wanted = upstreams.flatMap((upstream) => [false, true].map((secure) => ({ secure, upstream })))
  const ports = await freePorts(wanted.length)
  return wanted.map((route, index) => ({ ...route, port: ports[index] ?? 0 }))
}

/** Different ports that were free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  for (const server of servers) server.close()
  await Promise.all(servers.map((server) => once(server, 'close')))
  return ports
}

function configuration(
  folder: string,
  pem: PemFiles,
  routes: readonly Route[],
  headers: readonly string[],
  scheme: string,
): string {
  return `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log stderr notice;
events { worker_connections 1024; }
http {
  access_log off;
  ${TEMP_PATHS.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  ssl_certificate ${pem.cert};
  ssl_certificate_key ${pem.key};
  proxy_http_version 1.1;
  proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Connection "upgrade";
  ${headers.map((header) => `proxy_set_header ${header};`).join('\n  ')}
  ${routes.map((route) => serverBlock(route, scheme)).join('\n  ')}
}
`
}

function serverBlock({ secure, port, upstream }: Route, scheme: string): string {
  return `server { listen 127.0.0.1:${port}${secure ? ' ssl' : ''}; location / { proxy_pass ${scheme}://127.0.0.1:${upstream}; } }`
}
