// Beside the HTTP frameworks: their pages, our connections, and an end that finishes both.

import { connect, type HandshakeError } from '@ws/client'
import { expect, test } from 'vitest'
import { startExample } from './support/program.ts'

test.each([
  ['express', 'a page of Express'],
  ['fastify', 'a page of Fastify'],
  ['hono', 'a page of Hono'],
])('%s', async (name, page) => {
  const program = startExample(name, '0')
  const [url] = await program.printed(/http:\S+/)
  expect(await (await fetch(url)).text()).toBe(page)
  expect((await fetch(`${url}/rooms/a`)).status).toBe(404)

  const place = url.replace('http', 'ws')
  const [one, two, other] = [
    await connect(`${place}/rooms/a`),
    await connect(`${place}/rooms/a?x=1`),
    await connect(`${place}/rooms/b`),
  ]
  one.send('hello')
  other.send('hello too')
  for (const [socket, text] of [
    [one, 'hello'],
    [two, 'hello'],
    [other, 'hello too'],
  ] as const) {
    for await (const message of socket) {
      expect(message).toBe(text)
      break
    }
  }
  const elsewhere = await connect(`${place}/elsewhere`).catch((error: HandshakeError) => error)
  expect(elsewhere).toMatchObject({ code: 'HANDSHAKE_STATUS', status: 404 })

  program.terminate()
  for (const socket of [one, two, other]) expect(await socket.closed).toMatchObject({ code: 1001, wasClean: true })
  expect(await program.exit).toEqual({ code: 0, signal: null })
  expect(program.errors).toBe('')
})
