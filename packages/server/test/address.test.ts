// What a client counts as.

import type { UpgradeRequest } from '@ws/server'
import { describe, expect, test } from 'vitest'
import { networkOf } from '../src/address.ts'

const request = (remoteAddress: string | undefined, forwarded?: string) =>
  ({ remoteAddress, headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded } }) as UpgradeRequest

describe('networkOf', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::ffff:c000:207', '192.0.2.7'],
    ['0:0:0:0:0:ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:1:2:3:4:5::', '2001:db8:1:2::/64'],
    ['64:ff9b::192.0.2.7', '64:ff9b:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    [undefined, ''],
  ])('%s is %s', (address, network) => {
    expect(networkOf(request(address), 0)).toBe(network)
  })

  test.each<[string, number, string | undefined, string]>([
    ['no proxy: the header is the client’s word', 0, '198.51.100.1', '127.0.0.1'],
    ['no header', 1, undefined, '127.0.0.1'],
    ['one proxy', 1, '198.51.100.1', '198.51.100.1'],
    ['one proxy, behind what the client has put there', 1, '10.0.0.1, 198.51.100.1', '198.51.100.1'],
    ['two proxies', 2, '10.0.0.1, 198.51.100.1,192.0.2.2', '198.51.100.1'],
    ['two proxies, one of which was left out', 2, '198.51.100.1', '198.51.100.1'],
    ['with a port', 1, '198.51.100.1:4711', '198.51.100.1'],
    ['IPv6', 1, '2001:db8::1', '2001:db8:0:0::/64'],
    ['IPv6 in brackets, with a port', 1, '[2001:db8::1]:4711', '2001:db8:0:0::/64'],
    ['IPv6 in brackets', 1, '[2001:db8::1]', '2001:db8:0:0::/64'],
    ['no address', 1, 'unknown', '127.0.0.1'],
    ['nothing', 1, '', '127.0.0.1'],
    ['nothing behind a comma', 1, '198.51.100.1,', '127.0.0.1'],
  ])('%s', (_, proxies, forwarded, network) => {
    expect(networkOf(request('127.0.0.1', forwarded), proxies)).toBe(network)
  })
})
