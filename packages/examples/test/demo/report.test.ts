import { describe, expect, test } from 'vitest'
import type { Counts } from '../../src/demo/messages.ts'
import { countTable, endingLine, faultsOf, handshakeLines, type Link, sampleLine } from '../../src/demo/report.ts'
import { Sampler } from '../../src/demo/sample.ts'

const NORMAL = { code: 1000, reason: '', wasClean: true }
const HANDSHAKE = {
  requestLine: 'GET /updates HTTP/1.1',
  key: 'dGhlIHNhbXBsZSBub25jZQ==',
  expectedAccept: 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
  statusLine: 'HTTP/1.1 101 Switching Protocols',
  accept: 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
}

const counts = (messagesIn: number, messagesOut: number): Counts => ({
  messagesIn,
  messagesOut,
  framesIn: messagesIn + 1,
  framesOut: messagesOut + 1,
  bytesIn: messagesIn * 300 + 4,
  bytesOut: messagesOut * 300 + 8,
})

function reversed({ messagesIn, messagesOut, framesIn, framesOut, bytesIn, bytesOut }: Counts): Counts {
  return {
    messagesIn: messagesOut,
    messagesOut: messagesIn,
    framesIn: framesOut,
    framesOut: framesIn,
    bytesIn: bytesOut,
    bytesOut: bytesIn,
  }
}

function link(name: string, own: Counts, change: { client?: object; server?: object; handshake?: object } = {}): Link {
  return {
    name,
    handshake: { ...HANDSHAKE, ...change.handshake },
    client: { kind: 'ended', counts: own, ending: NORMAL, faults: [], remarks: [], ...change.client },
    server: { counts: reversed(own), ending: NORMAL, ...change.server },
  }
}

const publisher = link('publisher', counts(0, 100))
const subscriber = link('subscriber', counts(100, 0))

test('the table shows both counts of each direction', () => {
  expect(countTable({ publisher, subscriber })).toEqual([
    'sent = received         messages      frames             bytes',
    'publisher to server    100 = 100   101 = 101   30,008 = 30,008',
    'server to publisher        0 = 0       1 = 1             4 = 4',
    'subscriber to server       0 = 0       1 = 1             8 = 8',
    'server to subscriber   100 = 100   101 = 101   30,004 = 30,004',
  ])
})

describe('the verdict', () => {
  test('nothing is wrong', () => {
    expect(faultsOf({ publisher, subscriber })).toEqual([])
  })

  test('a count differs', () => {
    const server = { counts: { ...reversed(counts(0, 100)), messagesIn: 99, bytesIn: 29_708 } }
    const links = { publisher: link('publisher', counts(0, 100), { server }), subscriber }
    expect(faultsOf(links)).toEqual([
      'publisher to server: 100 messages sent, 99 received',
      'publisher to server: 30008 bytes sent, 29708 received',
    ])
    expect(countTable(links)[1]).toBe('publisher to server     100 ≠ 99   101 = 101   30,008 ≠ 29,708')
  })

  test('a sample did not arrive', () => {
    expect(faultsOf({ publisher, subscriber: link('subscriber', counts(99, 0)) })).toEqual([
      'expected 100 samples at the subscriber; got 99',
    ])
  })

  test('nothing was sent', () => {
    const links = { publisher: link('publisher', counts(0, 0)), subscriber: link('subscriber', counts(0, 0)) }
    expect(faultsOf(links)).toEqual(['no sample was sent'])
  })

  test.each([
    ['client', { ending: { ...NORMAL, code: 1001 } }, 'publisher saw 1001 (clean), server saw 1000 (clean)'],
    ['server', { ending: { ...NORMAL, wasClean: false } }, 'publisher saw 1000 (clean), server saw 1000 (not clean)'],
  ])('the close is not the right one, says the %s', (side, change, line) => {
    const links = {
      publisher: link('publisher', counts(0, 100), { [side]: { ...publisher[side as 'server'], ...change } }),
      subscriber,
    }
    expect(endingLine(links.publisher)).toBe(line)
    expect(faultsOf(links)).toEqual([`expected a clean close with 1000; ${line}`])
  })

  test('the accept value is wrong', () => {
    const handshake = { accept: 's3pPLMBiTxaQ9kYGzzhZRbK+xOo' }
    const links = { publisher, subscriber: link('subscriber', counts(100, 0), { handshake }) }
    expect(faultsOf(links)).toEqual(['subscriber: the accept value is not the expected one'])
    expect(handshakeLines(links.subscriber.handshake).join()).toContain('(NOT as expected)')
  })

  test('a client found something wrong itself', () => {
    const client = { faults: ['expected sample 7; got 8'] }
    const links = { publisher, subscriber: link('subscriber', counts(100, 0), { client }) }
    expect(faultsOf(links)).toEqual(['subscriber: expected sample 7; got 8'])
  })
})

test('the handshake is shown as it was', () => {
  expect(handshakeLines(HANDSHAKE)).toEqual([
    '> GET /updates HTTP/1.1',
    '> Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    '  expected accept:      s3pPLMBiTxaQ9kYGzzhZRbK+xOo= = base64(SHA-1(key + GUID))',
    '< HTTP/1.1 101 Switching Protocols',
    '< Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo= (as expected)',
  ])
})

test('a sample is one line', () => {
  const sample = {
    ...new Sampler().next(),
    sequence: 7,
    time: new Date(2024, 0, 2, 3, 4, 5, 6).getTime(),
    load: [1, 0.5, 0.25],
    memory: { free: 2 ** 30, total: 4 * 2 ** 30 },
    usage: { total: 12.5, cores: [25, 0] },
    rss: 50 * 2 ** 20,
  }
  expect(sampleLine({ kind: 'arrived', sample, delay: 1 })).toBe(
    '#7     03:04:05.006  load 1.00 0.50 0.25  CPU  12.5 %  memory 3.00 of 4.00 GiB  publisher 50 MiB  1 ms on the way',
  )
})
