// The parts of a message that is sent as they come: how they are taken from a source, whatever that is, and made bytes.

import { Buffer } from 'node:buffer'
import type { MessageData, MessageParts } from '../connection.ts'
import { UsageError, usage } from '../errors.ts'
import { Utf8Validator } from '../message/utf8.ts'
import { asPayload, isBlob, NOT_UTF8 } from './payload.ts'

/** Reads a source. */
export interface PartReader {
  /** Takes the next part; `done` at the end. Rejects if the source fails. */
  next(): Promise<{ readonly done?: boolean | undefined; readonly value?: unknown }>
  /** Lets the source go before its end; what that leads to is nobody's concern any more. */
  stop(reason: unknown): void
}

/** What a Readable of Node has besides its iterator. */
interface NodeStream {
  destroy?: (() => unknown) | undefined
  on?: ((name: 'error', listener: () => void) => unknown) | undefined
}

type WebStream = Extract<MessageParts, { getReader: unknown }>

/** @throws UsageError if `source` cannot be read asynchronously, or by somebody else only */
export function readerOf(source: MessageParts): PartReader {
  if (typeof source === 'object' && source !== null) {
    if ('getReader' in source && typeof source.getReader === 'function') return webReader(source)
    if (Symbol.asyncIterator in source) return iteratorReader(source)
  }
  throw usage('source of a message', 'an async iterable, a Readable or a ReadableStream', source)
}

function webReader(source: WebStream): PartReader {
  const reader = lock(source)
  return {
    next: () => reader.read(),
    stop: (reason) => void reader.cancel(reason).catch(() => {}),
  }
}

function lock(source: WebStream): ReturnType<WebStream['getReader']> {
  try {
    return source.getReader()
  } catch {
    throw new UsageError('source of a message must be a stream that nobody else reads; got a locked one')
  }
}

function iteratorReader(source: AsyncIterable<unknown> & NodeStream): PartReader {
  // A stream may fail while it waits for its turn: that is found out when it is read, and no uncaught exception before.
  if (typeof source.on === 'function') source.on('error', () => {})
  const iterator = source[Symbol.asyncIterator]()
  return {
    next: async () => iterator.next(),
    stop: () => {
      // A stream ends at once by this; `return` alone would wait for its next chunk.
      if (typeof source.destroy === 'function') source.destroy()
      const end = async () => iterator.return?.()
      end().catch(() => {})
    },
  }
}

/** Turns parts into bytes. A character may be cut by their borders, in a string as in bytes. */
export class PartEncoder {
  #text: boolean | undefined
  #validator: Utf8Validator | undefined
  /** The first half of a surrogate pair, as long as the second has not come. */
  #half = ''

  /** @param binary whether the message is binary; `undefined` lets the first part say */
  constructor(binary: boolean | undefined) {
    this.#text = binary === undefined ? undefined : !binary
  }

  /** Whether the message is text, as far as is known. */
  get text(): boolean {
    return this.#text === true
  }

  /** @throws UsageError if the part is neither text nor bytes, or no UTF-8 in a text message */
  encode(part: unknown): Uint8Array {
    const payload = asPayload(part as MessageData)
    if (isBlob(payload)) throw usage('part of a message', 'a string, an ArrayBuffer, a typed array or a DataView', part)
    this.#text ??= typeof payload === 'string'
    if (typeof payload === 'string') {
      if (payload.length > 0) this.#check(this.#validator?.complete !== false)
      return this.#encodeText(payload)
    }
    const bytes = this.#half === '' ? payload : Buffer.concat([this.end(), payload])
    if (this.#text) this.#validate(bytes)
    return bytes
  }

  /** What is left at the end of the message. @throws UsageError if its text ends inside a character */
  end(): Uint8Array {
    this.#check(this.#validator?.complete !== false)
    const rest = Buffer.from(this.#half)
    this.#half = ''
    return rest
  }

  #encodeText(part: string): Uint8Array {
    const text = this.#half + part
    const last = text.charCodeAt(text.length - 1)
    const cut = last >= 0xd800 && last <= 0xdbff
    this.#half = cut ? text.slice(-1) : ''
    return Buffer.from(cut ? text.slice(0, -1) : text)
  }

  #validate(bytes: Uint8Array): void {
    this.#validator ??= new Utf8Validator()
    this.#check(this.#validator.push(bytes, 0, bytes.length) < 0)
  }

  #check(valid: boolean): void {
    if (!valid) throw new UsageError(NOT_UTF8)
  }
}
