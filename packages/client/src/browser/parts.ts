// A message in parts, put together: a socket of the standard sends whole messages only.

import { type MessageParts, type ReadableStreamLike, type SendStreamOptions, usage, WebSocketError } from '@ws/protocol'
import type { Payload } from './payload.ts'
import { toPayload } from './payload.ts'

/** A source that has been checked. */
export interface Collected {
  /** Reads it to its end. Rejects with `SOURCE_FAILED`, or with the reason of the signal. */
  whole(): Promise<Payload>
  /** Lets the source go. */
  cancel(): void
}

/** @param most how many bytes a message may have @throws UsageError if `source` is none */
export function collect(source: MessageParts, { binary, signal }: SendStreamOptions, most: number): Collected {
  const { next, cancel } = reader(source)
  const parts: (string | Uint8Array<ArrayBuffer>)[] = []
  const gather = async (): Promise<Payload> => {
    let size = 0
    for (;;) {
      const { done, value } = await next()
      if (done === true) break
      if (typeof value !== 'string' && !(value instanceof Uint8Array))
        throw usage('a part', 'a string or a Uint8Array', value)
      const part = toPayload(value, true)
      size += part.size
      if (size > most) throw new WebSocketError('SOURCE_FAILED', `a page cannot send more than ${most} bytes in parts`)
      parts.push(typeof value === 'string' ? value : new Uint8Array(value))
    }
    const asText = binary === undefined ? typeof parts[0] === 'string' : !binary
    const bytes = await new Blob(parts).arrayBuffer()
    return toPayload(bytes, !asText)
  }
  const whole = async (): Promise<Payload> => {
    let abort = (): void => {}
    const aborted = new Promise<never>((_, reject) => {
      abort = () => reject(signal?.reason)
    })
    aborted.catch(() => {})
    if (signal?.aborted === true) abort()
    signal?.addEventListener('abort', abort)
    const failed = (cause: unknown): never => {
      throw new WebSocketError('SOURCE_FAILED', 'the source of a message failed', { cause })
    }
    try {
      return await Promise.race([gather().catch(failed), aborted])
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }
  return { whole, cancel }
}

interface Reader {
  next(): Promise<{ readonly done?: boolean | undefined; readonly value?: unknown }>
  cancel(): void
}

/** A stream is read as one: its reader can be cancelled while a part is awaited. */
function reader(source: MessageParts): Reader {
  const { getReader } = (source ?? {}) as Partial<ReadableStreamLike>
  if (typeof getReader === 'function') {
    const from = getReader.call(source)
    return { next: () => from.read(), cancel: () => void from.cancel().catch(() => {}) }
  }
  const { [Symbol.asyncIterator]: iterate } = (source ?? {}) as Partial<AsyncIterable<unknown>>
  if (typeof iterate !== 'function') throw usage('source', 'an async iterable or a ReadableStream', source)
  const iterator = iterate.call(source)
  return { next: () => iterator.next(), cancel: () => void iterator.return?.().catch(() => {}) }
}
