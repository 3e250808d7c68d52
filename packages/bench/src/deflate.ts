// permessage-deflate (RFC 7692) as a job has it: what is offered, with which options a server takes it, and messages compressed
// and inflated by zlib's public calls. Written apart from the library, like wire.ts.

import { constants, deflateRawSync, inflateRawSync } from 'node:zlib'
import type { Job } from './job.ts'

/** What a sync flush ends with, and what is left out on the wire (§7.2.1). */
const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff])
const UP_TO_FLUSH = { finishFlush: constants.Z_SYNC_FLUSH }

/** The extension that a job's client offers, and that a server must answer with the same parameters; undefined for none. */
export function extensionOf({ deflate }: Job): string | undefined {
  if (deflate === 'none') return undefined
  const parameters = deflate === 'takeover' ? [] : ['client_no_context_takeover', 'server_no_context_takeover']
  return ['permessage-deflate', ...parameters].join('; ')
}

/** The option `perMessageDeflate` of ours and of ws, which is the same: short messages are compressed as well. */
export function deflateOptionsOf({ deflate }: Job): object | false {
  if (deflate === 'none') return false
  const without = deflate === 'noTakeover'
  return { threshold: 0, serverNoContextTakeover: without, clientNoContextTakeover: without }
}

/** A message in blocks that refer to none before it, so they stand anywhere in a stream, with and without context takeover. */
export function deflated(message: Buffer): Buffer {
  return deflateRawSync(message, UP_TO_FLUSH).subarray(0, -TAIL.length)
}

/** What the payloads of one context inflate to, one after the other. @throws Error if they are corrupt or give more than `most` bytes */
export function inflated(payloads: readonly Buffer[], most: number): Buffer {
  const stream = Buffer.concat(payloads.flatMap((payload) => [payload, TAIL]))
  return inflateRawSync(stream, { ...UP_TO_FLUSH, maxOutputLength: most })
}
