// Who is compared: one program for each, by the part that it plays.

/** The part in which a program is measured. */
export type Side = 'server' | 'client' | 'codec' | 'channels'

export interface Contestant {
  readonly id: string
  /** The name in tables. */
  readonly title: string
  /** The programs, by side, as named in stage.ts; a contestant without one does not take part there. */
  readonly programs: Readonly<Partial<Record<Side, string>>>
  /** The colour of its bars. */
  readonly color: string
  /** Only measured if `--only` names it. */
  readonly ifNamed?: boolean
}

export const OURS: Contestant = {
  id: 'ours',
  title: 'ours',
  programs: { server: 'servers/ours', client: 'clients/ours', codec: 'codec/main', channels: 'channels/main' },
  color: '#2563eb',
}

/** Ours of another revision, for `--compare`. */
export const BASE: Contestant = { ...OURS, id: 'base', title: 'base', color: '#94a3b8' }

export const CONTESTANTS: readonly Contestant[] = [
  OURS,
  { id: 'ws', title: 'ws', programs: { server: 'servers/ws', client: 'clients/ws' }, color: '#94a3b8' },
  { id: 'uws', title: 'uWebSockets.js', programs: { server: 'servers/uws' }, color: '#f59e0b' },
  { id: 'undici', title: 'undici', programs: { client: 'clients/undici' }, color: '#10b981' },
  { id: 'net', title: 'node:net', programs: { server: 'servers/net', client: 'load/main' }, color: '#475569' },
  {
    id: 'window',
    title: 'our transport',
    programs: { server: 'servers/window' },
    color: '#93c5fd',
    ifNamed: true,
  },
]
