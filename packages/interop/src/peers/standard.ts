// The WebSocket classes of `undici` and of Node itself, each in a process of its own: they leave their inflaters to the garbage
// collector, and Node's class can be given an authority only when the process starts.

import { fileURLToPath } from 'node:url'
import type { ClientPeer } from '../plan.ts'
import { Child } from './child.ts'

const PROGRAM = fileURLToPath(new URL('./standard-program.ts', import.meta.url))

/** @param caFile the path of a certificate in PEM */
export function standardPeer(name: 'undici' | 'built-in', caFile: string): ClientPeer {
  const flags = ['--conditions=@ws/source', '--import', 'tsx']
  const child = new Child(process.execPath, [...flags, PROGRAM, name], {
    NODE_EXTRA_CA_CERTS: caFile,
    NODE_OPTIONS: '',
  })
  return { can: [], run: (plan) => child.request({ do: 'run', plan }), dispose: () => child.dispose() }
}
