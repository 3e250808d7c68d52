// Who may share a session: those who would reach the same server by the same way, be the same to it, and trust it for the same
// reasons. Rules: every option of the way counts, as it was given: data by its content, functions and other objects by
// themselves; two that differ never look alike; no key or password is kept for it, a digest is.

import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { type DialOptions, givenDialOptions } from '../dial-options.ts'
import type { ProxyOptions, ProxyServer } from '../proxy.ts'
import type { Target } from '../url.ts'

/** Says in a few characters which connections could share one session. */
export function identityOf(
  { secure, host, port }: Target,
  options: DialOptions & ProxyOptions,
  proxy: ProxyServer | undefined,
): string {
  // TLS with the proxy as it was given, too: what was made of that is another object each time.
  const tls = proxy && givenDialOptions(options.proxyTls ?? {})
  const all = tagged([secure, host, port, givenDialOptions(options), { ...proxy, tls }])
  return createHash('sha256').update(JSON.stringify(all)).digest('base64')
}

/** Each value with its kind, so that no data can be taken for another. */
function tagged(value: unknown): unknown {
  if (Array.isArray(value)) return ['list', value.map(tagged)]
  if (ArrayBuffer.isView(value)) {
    return ['bytes', Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')]
  }
  if (typeof value === 'function' || (typeof value === 'object' && value !== null)) {
    return isPlain(value) ? ['record', entriesOf(value)] : ['object', numberOf(value)]
  }
  return [typeof value, String(value)]
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function entriesOf(value: object): unknown[] {
  const entries = Object.entries(value).map(([name, member]) => [name, tagged(member)] as const)
  return entries.sort(([one], [other]) => (one < other ? -1 : 1))
}

const numbers = new WeakMap<object, number>()
let last = 0

function numberOf(value: object): number {
  let number = numbers.get(value)
  if (number === undefined) {
    number = ++last
    numbers.set(value, number)
  }
  return number
}
