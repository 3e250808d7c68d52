// What every load is: connections to a server, and a count. Each kind of work has its own file.

import type { RoundTrips } from '../job.ts'

/** A load that runs. */
export interface Load {
  /** Messages, or connections, since the beginning. */
  count(): number
  /** The round trips since the last call; undefined if this load takes none. */
  roundTrips?(): RoundTrips
  /** Opens so many connections and holds them. */
  hold?(connections: number): Promise<void>
  /** Whether every connection has done something. @throws Error that says what is missing */
  check?(): void
  /** Destroys its connections. */
  end(): void
}

/** Something that has got replies. */
export interface Answered {
  readonly replies: { readonly whole: number }
}

/** @throws Error if some connection got no whole reply */
export function checkAnswered(peers: readonly Answered[]): void {
  const silent = peers.filter(({ replies }) => replies.whole === 0).length
  if (silent > 0) throw new Error(`${silent} of ${peers.length} connections got no whole message`)
}
