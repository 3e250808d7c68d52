// What was agreed on, as a connection's codec needs it. Few are different, so those who agreed on the same share one of
// these: kept by each connection, it would be the largest part of what compression costs while nothing is sent.

import type { Role } from '../../constants.ts'
import type { DeflateParameters } from '../../deflate/parameters.ts'
import { Window } from '../../deflate/window.ts'
import type { DeflaterOptions } from './deflater.ts'
import type { DeflateSettings } from './settings.ts'

export interface Terms {
  /** How messages are compressed. */
  readonly out: DeflaterOptions
  /** A number for it: the same where the same bytes come out. */
  readonly parameters: number
  /** The window of a connection. Where it keeps nothing, without context takeover, it is the same for all. */
  window(): Window
}

const known: Map<number, Terms> = new Map()

/** A peer chooses among 256 at most for the same settings. */
export function termsOf(role: Role, agreed: DeflateParameters, settings: DeflateSettings): Terms {
  const server = { bits: agreed.serverMaxWindowBits, takeover: !agreed.serverNoContextTakeover }
  const client = { bits: agreed.clientMaxWindowBits, takeover: !agreed.clientNoContextTakeover }
  const [out, into] = role === 'server' ? [server, client] : [client, server]
  const { level, memLevel } = settings
  const parameters = (out.bits << 8) | (memLevel << 4) | (level + 1)
  const key = (parameters << 6) | (Number(out.takeover) << 5) | (Number(into.takeover) << 4) | into.bits
  let terms = known.get(key)
  if (terms === undefined) {
    const { bits, takeover } = into
    const none = new Window(bits, false)
    const window = (): Window => (takeover ? new Window(bits, true) : none)
    terms = { out: { ...out, level, memLevel }, parameters, window }
    known.set(key, terms)
  }
  return terms
}
