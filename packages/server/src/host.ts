// By which names a server may be asked for. DNS rebinding: a page of `evil.example` has that name resolve to this machine, and
// connects; `Origin` and `Host` agree then, both are the attacker's. Only who knows the server's own names can tell. Pure.

import { usage } from '@ws/protocol/node'
import { HOST_PATTERN } from './origin.ts'

/** Decides on a `Host` header. */
export type HostRule = (host: string | undefined) => boolean

/** @returns undefined if every name will do @throws UsageError unless `option` is a list of hosts or undefined */
export function hostRule(option: readonly string[] | undefined): HostRule | undefined {
  if (option === undefined) return undefined
  if (!Array.isArray(option) || option.length === 0) throw usage('option hosts', 'a list of hosts', option)
  const allowed = new Set(option.map(listed))
  return (host = '') => {
    const [, name] = HOST_PATTERN.exec(host) ?? []
    return name !== undefined && (allowed.has(name.toLowerCase()) || allowed.has(host.toLowerCase()))
  }
}

function listed(entry: unknown): string {
  if (typeof entry === 'string' && HOST_PATTERN.test(entry)) return entry.toLowerCase()
  throw usage('option hosts', "a list of hosts such as 'example.com', 'localhost:8080' or '[::1]'", entry)
}
