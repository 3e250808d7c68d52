// The header grammar of the opening handshake (RFC 6455 §4.3 and §9.1, RFC 9110 §5.6). Rules: linear time, whatever comes
// (STANDARDS F8); malformed input is a value, `undefined`, never thrown; names go into lists and Maps, never into objects.

import { UsageError, usage } from '../errors.ts'

/** A header as it goes on the wire: name and value. */
export type Header = readonly [name: string, value: string]

/** One parameter of an extension; without `=` it has no value. A quoted value is given unescaped. */
export interface ExtensionParameter {
  readonly name: string
  readonly value: string | undefined
}

/** One element of `Sec-WebSocket-Extensions` (RFC 6455 §9.1). Parameters keep their order, and duplicates stay. */
export interface Extension {
  readonly name: string
  readonly parameters: readonly ExtensionParameter[]
}

const SEPARATORS = '()<>@,;:\\"/[]?={} \t'
/** By code of a character: 1 where it may stand in a token, which is visible ASCII. */
const TOKEN_CHARACTERS: Uint8Array = Uint8Array.from({ length: 0x80 }, (_, code) =>
  code > 0x20 && code < 0x7f && !SEPARATORS.includes(String.fromCharCode(code)) ? 1 : 0,
)

/** Whether text is a token: visible ASCII without separators, not empty (RFC 9110 §5.6.2). */
export function isToken(text: string): boolean {
  return text !== '' && tokenEnd(text, 0) === text.length
}

/** Whether text may be a header's value: no control character but the tab, nothing past U+00FF (RFC 9110 §5.5). */
export function isHeaderValue(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if ((unit < 0x20 && unit !== 0x09) || unit === 0x7f || unit > 0xff) return false
  }
  return true
}

/**
 * Headers that no caller may give, in lower case; an entry that ends in `-` is a prefix. The handshake writes them itself,
 * or they have no place in it (RFC 9110 §7.8). `Host` is not among them: to give one replaces that of the URL.
 */
export const HANDSHAKE_HEADERS: readonly string[] = [
  'upgrade',
  'connection',
  'content-length',
  'transfer-encoding',
  'sec-websocket-',
]

/**
 * Checks headers that a caller wants to add.
 * @param reserved lower-case names, or prefixes that end in `-`, that the handshake writes itself
 * @throws UsageError on a name that is no token or is reserved, and on a value with CR, LF, NUL or other controls
 */
export function checkHeaders(headers: readonly Header[], reserved: readonly string[]): void {
  for (const [name, value] of headers) {
    if (typeof name !== 'string' || !isToken(name)) throw usage('header name', 'a token (RFC 9110 §5.6.2)', name)
    const lower = name.toLowerCase()
    if (reserved.some((entry) => (entry.endsWith('-') ? lower.startsWith(entry) : lower === entry))) {
      throw new UsageError(`header ${name} is written by the handshake itself and cannot be given`)
    }
    if (typeof value !== 'string' || !isHeaderValue(value)) {
      throw usage(`value of header ${name}`, 'a string without control characters or characters past U+00FF', value)
    }
  }
}

/** The values of each header by lower-case name, in order, one a line. */
export type HeaderFields = ReadonlyMap<string, readonly string[]>

/** Groups a flat list of raw headers (`[name, value, name, value, …]`) by name, so that one that came twice is seen. */
export function groupHeaders(rawHeaders: readonly string[]): HeaderFields {
  const fields = new Map<string, string[]>()
  for (let at = 1; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at - 1] as string).toLowerCase()
    const line = trimWhitespace(rawHeaders[at] as string)
    const lines = fields.get(name)
    if (lines === undefined) fields.set(name, [line])
    else lines.push(line)
  }
  return fields
}

const NO_LINES: readonly string[] = []

/** All values of one header, in order. */
export function headerLines(fields: HeaderFields, name: string): readonly string[] {
  return fields.get(name) ?? NO_LINES
}

/**
 * Parses `1#token`: the value of `Connection` or of `Sec-WebSocket-Protocol` in a request. Several lines count as one,
 * joined by commas. Empty elements are skipped, a list of nothing else is malformed (RFC 9110 §5.6.1.2).
 * @returns the tokens in order, or `undefined` if malformed
 */
export function parseTokenList(lines: readonly string[]): string[] | undefined {
  const tokens: string[] = []
  for (const element of lines.join(',').split(',')) {
    const token = trimWhitespace(element)
    if (token === '') continue
    if (!isToken(token)) return undefined
    tokens.push(token)
  }
  return tokens.length === 0 ? undefined : tokens
}

/**
 * Parses `Sec-WebSocket-Extensions` (RFC 6455 §9.1); several lines count as one, joined by commas.
 * @returns the extensions in order, or `undefined` if malformed
 */
export function parseExtensions(lines: readonly string[]): Extension[] | undefined {
  const cursor = new Cursor(lines.join(','))
  const extensions: Extension[] = []
  do {
    cursor.skipWhitespace()
    if (cursor.atEnd || cursor.peek(',')) continue
    const extension = parseExtension(cursor)
    if (extension === undefined) return undefined
    extensions.push(extension)
  } while (cursor.take(','))
  return cursor.atEnd && extensions.length > 0 ? extensions : undefined
}

/** Writes extensions as the value of a header; values that are tokens need no quotes, and all valid ones are tokens. */
export function formatExtensions(extensions: readonly Extension[]): string {
  return extensions
    .map(({ name, parameters }) =>
      [
        name,
        ...parameters.map((given) => (given.value === undefined ? given.name : `${given.name}=${given.value}`)),
      ].join('; '),
    )
    .join(', ')
}

function parseExtension(cursor: Cursor): Extension | undefined {
  const name = cursor.token()
  if (name === undefined) return undefined
  const parameters: ExtensionParameter[] = []
  cursor.skipWhitespace()
  while (cursor.take(';')) {
    cursor.skipWhitespace()
    const parameter = parseParameter(cursor)
    if (parameter === undefined) return undefined
    parameters.push(parameter)
    cursor.skipWhitespace()
  }
  return { name, parameters }
}

function parseParameter(cursor: Cursor): ExtensionParameter | undefined {
  const name = cursor.token()
  if (name === undefined) return undefined
  cursor.skipWhitespace()
  if (!cursor.take('=')) return { name, value: undefined }
  cursor.skipWhitespace()
  const value = cursor.peek('"') ? cursor.quoted() : cursor.token()
  return value === undefined ? undefined : { name, value }
}

/** Reads a header value from left to right; each method consumes what it returns. */
class Cursor {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  get atEnd(): boolean {
    return this.#at >= this.#text.length
  }

  peek(character: string): boolean {
    return this.#text.charAt(this.#at) === character
  }

  take(character: string): boolean {
    if (!this.peek(character)) return false
    this.#at++
    return true
  }

  skipWhitespace(): void {
    while (this.peek(' ') || this.peek('\t')) this.#at++
  }

  token(): string | undefined {
    const end = tokenEnd(this.#text, this.#at)
    const token = this.#text.slice(this.#at, end)
    this.#at = end
    return token === '' ? undefined : token
  }

  /** A quoted string whose content, once unescaped, must be a token (§9.1). */
  quoted(): string | undefined {
    let value = ''
    this.take('"')
    while (!this.atEnd) {
      if (this.take('"')) return isToken(value) ? value : undefined
      this.take('\\')
      value += this.#text.charAt(this.#at++) // nothing if the text ends with the backslash
    }
    return undefined
  }
}

function tokenEnd(text: string, start: number): number {
  let at = start
  while (at < text.length && TOKEN_CHARACTERS[text.charCodeAt(at)] === 1) at++
  return at
}

/** Without space and tab at both ends; `trim` would also take characters that no header may hold. */
export function trimWhitespace(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isWhitespace(text.charCodeAt(start))) start++
  while (end > start && isWhitespace(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

function isWhitespace(code: number): boolean {
  return code === 0x20 || code === 0x09
}
