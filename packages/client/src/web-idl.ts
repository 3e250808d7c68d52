// Web IDL: arguments as the WHATWG interface takes them, with the conversions and the checks of the standard, each an
// exception that is thrown before anything has happened; and interfaces as scripts find them.

import { Buffer } from 'node:buffer'
import { types } from 'node:util'
import { UsageError } from '@ws/protocol'

/** The longest reason of a Close frame, in UTF-8 bytes (RFC 6455 §5.5.1). */
const MAX_REASON = 123

/** The standard's own code and the applications' range (WHATWG `close()`). */
const NORMAL = 1000
const FIRST_OWN_CODE = 3000
const LAST_OWN_CODE = 4999

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

/** The second argument of the constructor: a subprotocol, several, or (not in the standard) options. */
export function toProtocols(value: unknown): string[] | undefined {
  if (typeof value !== 'object' || value === null) return [toText(value)]
  const { [Symbol.iterator]: iterator } = value as Partial<Iterable<unknown>>
  if (iterator === undefined || iterator === null) return undefined
  return Array.from(value as Iterable<unknown>, toText)
}

/** `DOMString`: everything has one but a symbol, which throws. */
export function toText(value: unknown): string {
  return `${value as string}`
}

export interface CloseArguments {
  readonly code: number | undefined
  readonly reason: string
}

/** The arguments of `close()`. @throws InvalidAccessError, SyntaxError */
export function toCloseArguments(code: unknown, reason: unknown): CloseArguments {
  const number = code === undefined ? undefined : clampToUnsignedShort(code)
  const text = reason === undefined ? '' : toText(reason)
  if (number !== undefined && !isOwnCode(number)) {
    throw new DOMException(`close code must be 1000 or from 3000 to 4999; got ${number}`, 'InvalidAccessError')
  }
  const length = Buffer.byteLength(text)
  if (length > MAX_REASON) {
    throw new DOMException(`close reason must have at most 123 bytes of UTF-8; got ${length}`, 'SyntaxError')
  }
  return { code: number ?? (text === '' ? undefined : NORMAL), reason: text } // a reason needs a code on the wire (§5.5.1)
}

function isOwnCode(code: number): boolean {
  return code === NORMAL || (code >= FIRST_OWN_CODE && code <= LAST_OWN_CODE)
}

/** `[Clamp] unsigned short`: to the nearest integer, a half to the even one. */
function clampToUnsignedShort(value: unknown): number {
  const number = Math.min(Math.max(+(value as number) || 0, 0), 0xffff) // `Number()` would take a BigInt
  const floor = Math.floor(number)
  const half = number - floor === 0.5
  return half ? floor + (floor % 2) : Math.round(number)
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
