// Refusals as bytes on the wire, and the end of the connection behind them.

import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { duplexPair, type SocketPair, tcpPair, tlsPair } from '@ws/testkit'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { answerHead, type Refusal, refuse } from '../src/refuse.ts'

async function pairOf<T extends Duplex>(made: SocketPair<T> | Promise<SocketPair<T>>) {
  const pair = await made
  onTestFinished(() => pair.dispose())
  pair.server.on('error', () => {})
  pair.client.on('error', () => {})
  return pair
}

async function textOf(stream: Duplex): Promise<string> {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(stream, 'end')
  return Buffer.concat(chunks).toString()
}

const TEAPOT: Refusal = { status: 418, headers: [['X-A', 'é']], body: 'no ☕\n' }

test('[D13] an answer head', () => {
  expect(answerHead(204, [['A', 'b']])).toBe('HTTP/1.1 204 No Content\r\nA: b\r\n\r\n')
  expect(answerHead(599, [])).toBe('HTTP/1.1 599 Refused\r\n\r\n')
})

describe.each<[string, () => SocketPair<Duplex> | Promise<SocketPair<Duplex>>]>([
  ['TCP', tcpPair],
  ['TLS', tlsPair],
  ['a plain Duplex', duplexPair],
])('over %s', (_, make) => {
  test('[D13] the answer, its length in bytes, and the end', async () => {
    const { client, server } = await pairOf(make())
    const lingering = new Set<Duplex>()
    refuse(server, TEAPOT, false, lingering)
    expect([...lingering]).toEqual([server])
    const [head, body] = (await textOf(client)).split('\r\n\r\n')
    expect(body).toBe('no ☕\n')
    expect(head?.split('\r\n').slice(0, 4)).toEqual([
      "HTTP/1.1 418 I'm a Teapot",
      'Connection: close',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Length: 7',
    ])
    client.end()
    if (!server.closed) await once(server, 'close')
    expect(lingering.size).toBe(0)
  })

  test('a client that does not leave is made to, after 2 s', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const { server } = await pairOf(make())
    const lingering = new Set<Duplex>()
    refuse(server, TEAPOT, false, lingering)
    vi.advanceTimersByTime(1_999)
    expect(server.destroyed).toBe(false)
    vi.advanceTimersByTime(1)
    expect(server.destroyed).toBe(true)
    await once(server, 'close')
    expect(lingering.size).toBe(0)
  })
})

test('what the client still sends is dropped, not answered by a reset', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }) // the bound on its leaving never comes
  onTestFinished(() => void vi.useRealTimers())
  const { client, server } = await pairOf(tcpPair())
  refuse(server, TEAPOT, false, new Set())
  client.write(Buffer.alloc(1_000_000))
  expect(await textOf(client)).toContain('no ☕')
  client.end()
  if (!server.closed) await once(server, 'close')
})

test('headers of the caller take the place of ours', async () => {
  const { client, server } = await pairOf(duplexPair())
  refuse(
    server,
    { status: 401, headers: [['CONTENT-TYPE', 'application/json']], body: Buffer.from('{}') },
    false,
    new Set(),
  )
  expect(await textOf(client)).toBe(
    'HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 2\r\nCONTENT-TYPE: application/json\r\n\r\n{}',
  )
  client.end()
})
