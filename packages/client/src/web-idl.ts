// Web IDL on Node: what `send()` takes, with the conversions and the checks of the standard, each an exception that is thrown
// before anything has happened; and interfaces as scripts find them. The other arguments: portable/arguments.ts.

import { Buffer } from 'node:buffer'
import { types } from 'node:util'
import { UsageError } from '@ws/protocol'
import { toText } from './portable/arguments.ts'

/** Makes the prototype of a class that of an interface: its members are enumerable, and it has a name. */
export function defineInterface(prototype: object, name: string, members: readonly string[]): void {
  for (const member of members) Object.defineProperty(prototype, member, { enumerable: true })
  Object.defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true })
}

/** Runs a check of our own; what it finds wrong is the standard's SyntaxError. */
export function orSyntaxError<Result>(check: () => Result): Result {
  try {
    return check()
  } catch (error) {
    if (error instanceof UsageError) throw new DOMException(error.message, 'SyntaxError')
    throw error
  }
}

/** `unsigned short` as it is by default: an integer modulo 2^16. */
export function toUnsignedShort(value: unknown): number {
  return Uint16Array.of(value as number)[0] as number
}

/** What `send()` sends, and how many bytes that is. */
export interface Payload {
  readonly data: string | Uint8Array | Blob
  readonly size: number
}

/** The argument of `send()`: bytes and Blobs are binary, everything else is text. @throws TypeError */
export function toPayload(value: unknown): Payload {
  if (types.isArrayBuffer(value)) return bytesOf(value, 0, value.byteLength)
  if (ArrayBuffer.isView(value)) return bytesOf(value.buffer, value.byteOffset, value.byteLength)
  if (value instanceof Blob) return { data: value, size: value.size }
  const data = toText(value)
  return { data, size: Buffer.byteLength(data) }
}

/** Exactly what a view shows; memory that others may change or resize meanwhile is refused, as Web IDL says. */
function bytesOf(buffer: ArrayBufferLike, offset: number, length: number): Payload {
  if (types.isSharedArrayBuffer(buffer)) throw new TypeError('cannot send a view of a SharedArrayBuffer')
  if ((buffer as { resizable?: boolean }).resizable === true) throw new TypeError('cannot send a resizable ArrayBuffer')
  if (length === 0) return { data: new Uint8Array(0), size: 0 } // a detached buffer, which no view can be made of, is one
  return { data: new Uint8Array(buffer, offset, length), size: length }
}
