// What a stream deserves by the reference decoder, and what the parser and Protocol make of it: both in one form, to compare.

import type { ProtocolError } from '../../src/errors.ts'
import { toHex } from './bytes.ts'
import { type Call, type Endpoint, type Entry, summary } from './record.ts'
import { decodeFrames, decodeStream, type Rules } from './reference.ts'

/** What an end tells its owner, the frames it puts out, and its close info without the cause's words. */
export interface Verdict {
  readonly log: Entry[]
  readonly sent: string[]
  readonly info: object
}

/** The close codes of the rules that a stream can break (§7.4.1). */
const CLOSE_CODE: Record<string, number> = {
  INVALID_UTF8: 1007,
  INVALID_DEFLATE: 1007,
  MESSAGE_TOO_BIG: 1009,
  TOO_MANY_FRAGMENTS: 1008,
}

function hexCode(code: number): string {
  return code.toString(16).padStart(4, '0')
}

/** What an end that began open must say, put out and report after these bytes, if then its transport is lost. */
export function deserved(stream: Uint8Array, rules: Rules): Verdict {
  const { events, fault } = decodeStream(stream, rules)
  const log: Entry[] = []
  const sent: string[] = []
  for (const event of events) {
    if (event[0] === 'close') {
      const [, code, reason] = event
      log.push(['closing'], ...(rules.role === 'server' ? [['end'] as const] : []))
      sent.push(code === 1005 ? '88' : `88 ${hexCode(code)}`)
      return { log, sent, info: { code, reason, wasClean: true, initiator: 'remote' } }
    }
    log.push(event)
    if (event[0] === 'ping') sent.push(`8a ${event[1]}`.trimEnd())
  }
  if (fault === undefined) {
    const info = { code: 1006, wasClean: false, initiator: 'transport', cause: 'CONNECTION_LOST' }
    return { log, sent, info }
  }
  const code = CLOSE_CODE[fault.code] ?? 1002
  const info = { code, wasClean: false, initiator: 'local', cause: fault.code, offset: fault.offset }
  return { log: [...log, ['closing'], ['end']], sent: [...sent, `88 ${hexCode(code)}`], info }
}

/** What an end did say, put out and report. The words of a failure are cut off: only the code is the reference's matter. */
export function observed(end: Endpoint): Verdict & { words: string } {
  const sent = end.sent()
  const { cause, ...rest } = end.protocol.transportClosed()
  const info = summary(cause === undefined ? rest : { ...rest, cause })
  if (rest.wasClean) return { log: end.log, sent, info, words: '' }
  const { reason, ...wordless } = info
  const offset = (cause as ProtocolError).offset
  const failed = offset === undefined ? {} : { offset }
  const last = sent.at(-1) ?? ''
  const shortened = offset === undefined ? sent : [...sent.slice(0, -1), last.slice(0, '88 03ea'.length)]
  return { log: end.log, sent: shortened, info: { ...wordless, ...failed }, words: `${reason} ${last}` }
}

/** The sink calls that a stream deserves, by the reference decoder; a violation without its words. */
export function deservedCalls(stream: Uint8Array, rules: Rules): unknown[] {
  const { frames, fault } = decodeFrames(stream, rules)
  const calls = frames.flatMap(({ first, length, payload, end }) => [
    ['header', first.toString(16).padStart(2, '0'), length],
    ...(payload.length === 0 ? [] : [['payload', toHex(payload)]]),
    ...(end === undefined ? [] : [['end', end]]),
  ])
  return fault === undefined ? calls : [...calls, ['violation', fault.code, fault.offset]]
}

export function wordless(calls: readonly Call[]): unknown[] {
  return calls.map((call) => call.slice(0, 3))
}
