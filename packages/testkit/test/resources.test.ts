// The leak check itself: each kind of leak that a test file could leave is made on purpose, seen, and released.

import { once } from 'node:events'
import net from 'node:net'
import zlib from 'node:zlib'
import { expect, test } from 'vitest'
import { activeResources, leakedSince } from '../src/resources.ts'
import { tcpPair } from '../src/socket-pairs.ts'

/** Long enough for what is released to be gone, short enough to wait for what is not. */
const SOON = 200

// Before the first test, so that no reporting timer of the runner is in it.
const baseline = activeResources()

test('nothing is reported when nothing was left', async () => {
  expect(await leakedSince(baseline, SOON)).toEqual([])
})

test('a leaked timer is reported until it is cleared', async () => {
  const timer = setInterval(() => {}, 60_000)
  expect(await leakedSince(baseline, SOON)).toEqual(['1 Timeout'])
  clearInterval(timer)
  expect(await leakedSince(baseline)).toEqual([])
})

test('leaked sockets are reported until they are destroyed', async () => {
  const pair = await tcpPair()
  expect(await leakedSince(baseline, SOON)).toEqual(['2 TCPSocketWrap'])
  await pair.dispose()
  expect(await leakedSince(baseline)).toEqual([])
})

test('a leaked server is reported until it is closed', async () => {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  expect(await leakedSince(baseline, SOON)).toEqual(['1 TCPServerWrap'])
  server.close()
  expect(await leakedSince(baseline)).toEqual([])
})

test('a leaked zlib stream is reported until it is closed', async () => {
  const stream = zlib.createInflateRaw()
  expect(await leakedSince(baseline, SOON)).toEqual(['1 Zlib'])
  stream.close()
  stream.close()
  expect(await leakedSince(baseline)).toEqual([])
})

test('zlib calls that close by themselves are no leak', async () => {
  expect(zlib.inflateRawSync(zlib.deflateRawSync('hello')).toString()).toBe('hello')
  expect(await leakedSince(baseline)).toEqual([])
})
