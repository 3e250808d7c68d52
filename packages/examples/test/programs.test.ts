import { expect, test } from 'vitest'
import { startExample } from './support/program.ts'

test('the client gets its message back from the echo server', async () => {
  const server = startExample('echo-server', '0')
  const [url] = await server.printed(/ws:\S+/)
  const client = startExample('client', url)
  expect(await client.exit).toEqual({ code: 0, signal: null })
  expect(client.lines).toEqual(['received: hello', 'closed with 1000 (clean)'])
  server.interrupt()
  expect(await server.exit).toEqual({ code: 0, signal: null })
  expect([client.errors, server.errors]).toEqual(['', ''])
})
