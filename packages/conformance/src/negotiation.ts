// permessage-deflate as the raw peers negotiate it (RFC 7692 §7.1): by hand, as text.

import type { Compression, Direction, End } from './case.ts'

const NAME = 'permessage-deflate'
const LARGEST = 15

/** What the raw client offers, so that the server agrees to exactly this. */
export function offerFor({ target, peer }: Compression): string {
  const parameters = parametersOf(target, peer)
  const named = peer.bits < LARGEST ? [] : ['client_max_window_bits']
  return [NAME, ...parameters, ...named].join('; ')
}

/** What was agreed, as a header: what the server must answer, and what the raw server answers. */
export function agreedOf({ target, peer }: Compression, end: End): string {
  const parameters = end === 'server' ? parametersOf(target, peer) : parametersOf(peer, target)
  return [NAME, ...parameters].join('; ')
}

/** @throws Error if the server's answer is another one than the raw client asked for */
export function checkAgreement(compression: Compression | undefined, lines: readonly string[]): void {
  const got = lines.map(normalized).join()
  const expected = compression === undefined ? '' : normalized(agreedOf(compression, 'server'))
  if (got !== expected) throw new Error(`expected that the server agrees to '${expected}', got '${got}'`)
}

/** @throws Error if the client offers something else than it has to */
export function checkOffer(compression: Compression | undefined, lines: readonly string[]): void {
  const got = lines.map(normalized).join()
  const expected = compression === undefined ? '' : normalized(`${NAME}; client_max_window_bits`)
  if (got !== expected) throw new Error(`expected that the client offers '${expected}', got '${got}'`)
}

/** The same header for any order of parameters and any space around separators: neither matters (§7.1). */
export function normalized(header: string): string {
  const [name = '', ...parameters] = header.split(';').map((part) => part.replaceAll(/\s*(=?)\s*/g, '$1'))
  return [name, ...parameters.sort()].join('; ')
}

function parametersOf(server: Direction, client: Direction): string[] {
  return [
    ...(server.takeover ? [] : ['server_no_context_takeover']),
    ...(client.takeover ? [] : ['client_no_context_takeover']),
    ...(server.bits < LARGEST ? [`server_max_window_bits=${server.bits}`] : []),
    ...(client.bits < LARGEST ? [`client_max_window_bits=${client.bits}`] : []),
  ]
}
