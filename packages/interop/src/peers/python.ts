// Python's `websockets`, both ends, in one process.

import { join } from 'node:path'
import {
  type Ability,
  type ClientPeer,
  LIMIT,
  type Listener,
  type ListenOptions,
  PROTOCOLS,
  type ServerPeer,
} from '../plan.ts'
import { Reports } from '../reports.ts'
import type { PemFiles } from '../temp.ts'
import { Child } from './child.ts'

/** Debian's own, for which the package python3-websockets is. */
export const PYTHON = '/usr/bin/python3'
const PROGRAM = join(import.meta.dirname, 'peer.py')
const CAN: readonly Ability[] = ['abort', 'compress', 'fragment', 'keepMark', 'limit', 'ping']

/** Starts the process; either end's `dispose` ends it. */
export function pythonPeer({ ca, cert, key }: PemFiles): { client: ClientPeer; server: ServerPeer } {
  const reports = new Reports()
  const child = new Child(PYTHON, [PROGRAM, ca, cert, key], {}, (id, report) => reports.add(id, report))
  const dispose = () => child.dispose()
  return {
    client: { can: CAN, run: (plan) => child.request({ do: 'run', plan, limit: LIMIT }), dispose },
    server: { can: CAN, listen: (options) => listen(child, reports, options), dispose },
  }
}

async function listen(child: Child, reports: Reports, options: ListenOptions): Promise<Listener> {
  const port = await child.request<number>({ do: 'listen', ...options, limit: LIMIT, protocols: PROTOCOLS })
  return { port, ended: (id) => reports.ended(id), close: () => child.request({ do: 'stop', port }) }
}
