// What NO_PROXY means, pure. There is no standard, and programs differ; these are the rules here:
// - Entries are separated by commas or white space, and ignore case. An entry that cannot be read matches nothing.
// - `*` matches everything.
// - `example.com` matches that host and all below it; `.example.com` and `*.example.com` only those below it.
// - An address (`10.0.0.1`, `::1`, `[::1]`) or a network (`10.0.0.0/8`, `fd00::/8`) matches a URL that has such an address: names are
//   not looked up for it.
// - `:port` behind a name or an address (`[::1]:8080`) matches that port only.

import { BlockList, isIP } from 'node:net'

/** What is compared: `host` as the URL standard writes it, an IPv6 address without brackets. */
export interface HostAndPort {
  readonly host: string
  readonly port: number
}

/** Whether the list says that there is no proxy for this host and port. */
export function bypasses(list: string, target: HostAndPort): boolean {
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => entry !== '' && matches(entry, target))
}

function matches(entry: string, target: HostAndPort): boolean {
  if (entry === '*') return true
  if (entry.includes('/')) return isWithin(entry, target.host)
  const { host, port } = splitPort(entry)
  if (port !== undefined && port !== String(target.port)) return false
  if (isIP(host) !== 0) return isWithin(`${host}/${isIP(host) === 6 ? 128 : 32}`, target.host)
  if (isIP(target.host) !== 0) return false
  const name = target.host.replace(/\.$/, '')
  const wanted = host.replace(/\.$/, '')
  const below = wanted.replace(/^\*?\./, '')
  if (below === '') return false
  return name.endsWith(`.${below}`) || name === wanted
}

/** An IPv6 address has a port only behind brackets. */
function splitPort(entry: string): { host: string; port: string | undefined } {
  if (isIP(entry) === 6) return { host: entry, port: undefined }
  const [, host = entry, port] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? []
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port }
}

function isWithin(network: string, host: string): boolean {
  const [address = '', prefix = ''] = network.split('/')
  const family = isIP(address)
  if (family === 0 || isIP(host) !== family || !/^\d+$/.test(prefix)) return false
  if (Number(prefix) > (family === 6 ? 128 : 32)) return false
  const type = family === 6 ? 'ipv6' : 'ipv4'
  const list = new BlockList()
  list.addSubnet(address, Number(prefix), type)
  return list.check(host, type)
}
