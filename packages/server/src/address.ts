// Whose connection it is, for limits by address. Rules:
// - Behind proxies (option `trustProxy`) each of them has added to `X-Forwarded-For` whom it saw. The client's address is what
//   the outermost of ours added, counted from the right: what stands left of it is the client's own word.
// - What is no IP address there is not believed: the connection is then that of the proxy itself.
// - An IPv6 address counts by its first 64 bits, since whoever has one has all that begin so. One that stands for an IPv4
//   address is that address. Connections without any, as on a Unix socket, count as one.

import { isIP } from 'node:net'
import type { UpgradeRequest } from '@ws/protocol/node'

const GROUPS = 8
const NETWORK_GROUPS = 4
const MAPPED = '0:0:0:0:0:ffff'
/** An address with a port behind it, as some proxies write it. */
const WITH_PORT = /^(?:\[([^\]]+)\](?::\d+)?|([\d.]+):\d+)$/

/**
 * What a client counts as: an IPv4 address, or an IPv6 network.
 * @param proxies how many proxies of ours stand in front
 */
export function networkOf({ headers, remoteAddress = '' }: UpgradeRequest, proxies: number): string {
  const forwarded = proxies === 0 ? undefined : forwardedFor(String(headers['x-forwarded-for'] ?? ''), proxies)
  const address = (forwarded ?? remoteAddress).replace(/%.*$/, '') // the zone of a link-local address
  return isIP(address) === 6 ? networkOfIpv6(address) : address
}

function forwardedFor(header: string, proxies: number): string | undefined {
  const entries = header.split(',')
  const entry = (entries.at(-proxies) ?? (entries[0] as string)).trim()
  const [, ipv6, ipv4] = WITH_PORT.exec(entry) ?? []
  const address = ipv6 ?? ipv4 ?? entry
  return isIP(address) === 0 ? undefined : address
}

function networkOfIpv6(address: string): string {
  const [head = '', tail = ''] = address.split('::')
  const [left, right] = [groupsOf(head), groupsOf(tail)]
  const zeros = Array<number>(GROUPS - left.length - right.length).fill(0)
  const groups = [...left, ...zeros, ...right]
  const text = (from: number, to: number) =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':')
  if (text(0, 6) === MAPPED)
    return groups
      .slice(6)
      .flatMap((group) => [group >> 8, group & 0xff])
      .join('.')
  return `${text(0, NETWORK_GROUPS)}::/64`
}

function groupsOf(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return Number.parseInt(group, 16)
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
    return [(a << 8) | b, (c << 8) | d]
  })
}
