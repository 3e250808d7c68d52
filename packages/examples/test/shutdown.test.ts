// SIGTERM to a server with clients of both kinds: who answers leaves well, who does not is cut off, and nobody new comes in.

import { once } from 'node:events'
import http from 'node:http'
import type { Duplex } from 'node:stream'
import { connect, type HandshakeError } from '@ws/client'
import { expect, onTestFinished, test } from 'vitest'
import { startExample } from './support/program.ts'

/** A client that upgrades and is silent from then on. */
async function silent(url: string): Promise<Duplex> {
  const headers = {
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  }
  const [, socket] = await once(http.get(url.replace('ws', 'http'), { headers, agent: false }), 'upgrade')
  socket.on('error', () => {}) // it is reset in the end
  onTestFinished(() => socket.destroy())
  return socket
}

test('what was sent arrives, 1012, 503 for new ones, the deadline, the counts, the exit', async () => {
  const program = startExample('shutdown', '0', '1000')
  const [url] = await program.printed(/ws:\S+/)
  const good = await connect(url)
  const bad = await silent(url)
  good.send('hello')
  const messages: unknown[] = []
  for await (const message of good) {
    messages.push(message)
    if (messages.length === 1) program.terminate()
  }
  expect(messages).toEqual(['hello', 'the last words'])
  expect(await good.closed).toMatchObject({ code: 1012, reason: 'a new version', wasClean: true })

  const late = await connect(url).catch((error: HandshakeError) => error)
  expect(late).toMatchObject({ code: 'HANDSHAKE_STATUS', status: 503 })

  const ended = once(bad, 'close')
  bad.resume()
  await ended
  expect(await program.exit).toEqual({ code: 0, signal: null })
  expect(program.lines.slice(1)).toEqual(['1 closed, 1 terminated'])
  await expect(connect(url)).rejects.toMatchObject({ code: 'CONNECT_FAILED' })
})

test('nobody there: it ends at once', async () => {
  const program = startExample('shutdown', '0')
  await program.printed(/ws:\S+/)
  program.terminate()
  expect(await program.exit).toEqual({ code: 0, signal: null })
  expect([program.lines.slice(1), program.errors]).toEqual([['0 closed, 0 terminated'], ''])
})
