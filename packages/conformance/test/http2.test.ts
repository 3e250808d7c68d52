// The catalogue over HTTP/2, at both ends; a file of its own, so that it runs beside the catalogue over TCP. And its raw peers: what
// they must notice.

import http2, { type ClientHttp2Stream, type ServerHttp2Stream } from 'node:http2'
import { http2Pair } from '@ws/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { CATALOGUE } from '../src/catalogue.ts'
import { Peer } from '../src/peer.ts'
import { failuresOf } from '../src/report.ts'
import { runCatalogue } from '../src/run.ts'

test('[P10, P11] the catalogue passes at the server and at the client, over HTTP/2', async () => {
  const verdicts = await runCatalogue(CATALOGUE, { transports: ['http2'] })
  expect(failuresOf(verdicts)).toEqual([])
  expect(new Set(verdicts.map(({ test }) => test)).size).toBe(CATALOGUE.filter((test) => 'steps' in test).length)
}, 240_000)

/** A peer of a server, and the server's stream. */
async function peerOn(): Promise<{ peer: Peer; target: ServerHttp2Stream }> {
  const { client, server, dispose } = await http2Pair()
  onTestFinished(dispose)
  server.on('error', () => {})
  return {
    peer: new Peer(client as ClientHttp2Stream, 'server', Buffer.alloc(0), undefined),
    target: server as ServerHttp2Stream,
  }
}

test.each([
  ['without an error', undefined, 'the stream was reset with code 0'],
  ['with one', new Error('it fails'), 'NGHTTP2_INTERNAL_ERROR'],
] as const)('a reset %s is no end', async (_, error, message) => {
  const { peer, target } = await peerOn()
  target.destroy(error)
  await expect(peer.next()).rejects.toThrow(message)
})

test('END_STREAM is the end', async () => {
  const { peer, target } = await peerOn()
  target.resume().end()
  expect(await peer.next()).toBe('end')
  peer.end()
  await peer.closed()
})

test('a reset behind END_STREAM is noticed', async () => {
  const { peer, target } = await peerOn()
  target.close(http2.constants.NGHTTP2_CANCEL)
  expect(await peer.next()).toBe('end')
  await expect(peer.closed()).rejects.toThrow('the stream was reset with code 8')
})

test('what the peer resets, it resets with CANCEL', async () => {
  const { peer, target } = await peerOn()
  const closed = new Promise((resolve) => target.on('close', resolve))
  target.resume()
  peer.reset()
  await closed
  expect(target.rstCode).toBe(http2.constants.NGHTTP2_CANCEL)
})
