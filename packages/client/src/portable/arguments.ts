// Web IDL: arguments as the WHATWG interface takes them, with the conversions and the checks of the standard, each an
// exception that is thrown before anything has happened.

/** The longest reason of a Close frame, in UTF-8 bytes (RFC 6455 §5.5.1). */
const MAX_REASON = 123

/** The standard's own code and the applications' range (WHATWG `close()`). */
const NORMAL = 1000
const FIRST_OWN_CODE = 3000
const LAST_OWN_CODE = 4999

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
  const length = utf8Length(text)
  if (length > MAX_REASON) {
    throw new DOMException(`close reason must have at most 123 bytes of UTF-8; got ${length}`, 'SyntaxError')
  }
  return { code: number ?? (text === '' ? undefined : NORMAL), reason: text } // a reason needs a code on the wire (§5.5.1)
}

/** `DOMString`: everything has one but a symbol, which throws. */
export function toText(value: unknown): string {
  return `${value as string}`
}

/** The second argument of the constructor: a subprotocol, several, or (not in the standard) options. */
export function toProtocols(value: unknown): string[] | undefined {
  if (typeof value !== 'object' || value === null) return [toText(value)]
  const { [Symbol.iterator]: iterator } = value as Partial<Iterable<unknown>>
  if (iterator === undefined || iterator === null) return undefined
  return Array.from(value as Iterable<unknown>, toText)
}

/** How many bytes a text has in UTF-8. */
export function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length
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
