// Heads of requests and answers: right ones, and what is changed in them.

import type { RequestCase, ResponseCase } from '../../case.ts'

/** The key of RFC 6455 §1.3. */
export const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
/** An open connection without subprotocol and extension. */
export const PLAIN = { protocol: '', extensions: '' }

export interface Change {
  readonly start?: string
  /** Names of headers that are left out. */
  readonly omit?: readonly string[]
  /** Lines in place of those of the same names. */
  readonly replace?: readonly string[]
  /** Lines at the end. */
  readonly add?: readonly string[]
}

const REQUEST = [
  'Host: {host}',
  'Upgrade: websocket',
  'Connection: Upgrade',
  `Sec-WebSocket-Key: ${KEY}`,
  'Sec-WebSocket-Version: 13',
]
const RESPONSE = ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Accept: {accept}']

export function request(change: Change = {}): string {
  return head('GET / HTTP/1.1', REQUEST, change)
}

export function response(change: Change = {}): string {
  return head('HTTP/1.1 101 Switching Protocols', RESPONSE, change)
}

function head(
  first: string,
  lines: readonly string[],
  { start = first, omit = [], replace = [], add = [] }: Change,
): string {
  const gone = new Set([...omit, ...replace].map(nameOf))
  return [start, ...lines.filter((line) => !gone.has(nameOf(line))), ...replace, ...add, '', ''].join('\r\n')
}

function nameOf(line: string): string {
  return (line.split(':')[0] ?? '').trim().toLowerCase()
}

/** What the cases of one section share. */
export interface Defaults {
  readonly section: string
  readonly rfc: string
}

export function asked({ section, rfc }: Defaults) {
  return (
    id: string,
    rows: readonly string[],
    title: string,
    change: Change,
    answer: RequestCase['answer'],
    more: Partial<RequestCase> = {},
  ): RequestCase => ({ id: `${section}/${id}`, rfc, rows, title, request: request(change), answer, ...more })
}

export function answered({ section, rfc }: Defaults) {
  return (
    id: string,
    rows: readonly string[],
    title: string,
    change: Change,
    verdict: ResponseCase['verdict'],
    more: Partial<ResponseCase> = {},
  ): ResponseCase => ({ id: `${section}/${id}`, rfc, rows, title, response: response(change), verdict, ...more })
}
