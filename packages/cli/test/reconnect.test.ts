// `connect --reconnect`: over the loss of a connection, and of a server.

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { WebSocketServer } from '@ws/server'
import { expect, onTestFinished, test } from 'vitest'
import { serve, serveEcho } from './support/peers.ts'
import { run, start } from './support/program.ts'

test('lines that are typed meanwhile wait; the order stays, and the status says what happens', async () => {
  const { url, server } = await serve({ message: (socket, data) => void socket.send(`echo ${data}`) })
  const first = once(server, 'connection')
  const program = start(['connect', url, '--reconnect', '--wait', 'forever'])
  const [socket] = await first
  program.process.stdin.write('one\n')
  await program.printed(/echo one\n/)
  const second = once(server, 'connection')
  socket.terminate()
  await program.printed(/; attempt 1 in \d\.\d s\n/)
  program.process.stdin.write('two\nthree\n')
  await second
  await program.printed(/echo two\necho three\n/)
  expect(program.stdout).toBe('echo one\necho two\necho three\n')
  program.process.kill('SIGINT')
  const { code, stderr } = await program.ended
  expect(code).toBe(130)
  expect(stderr.match(/^connected to/gm)).toHaveLength(2)
})

test('a server that is not there yet: nothing of the input is lost', async () => {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))

  const program = start(['connect', `ws://127.0.0.1:${port}`, '--reconnect'], { input: 'one\ntwo\n' })
  await program.printed(/ECONNREFUSED.*attempt 1 in/)
  const echo = await WebSocketServer.listen(
    { port, host: '127.0.0.1' },
    { message: (socket, data) => void socket.send(data) },
  )
  onTestFinished(async () => {
    await echo.close({ timeout: 0 })
  })
  expect(await program.ended).toMatchObject({ code: 0, stdout: 'one\ntwo\n' })
})

test('--json: it says each of them; bytes come as bytes', async () => {
  const { url, server } = await serve()
  let count = 0
  server.on('connection', (socket) => {
    if (count++ === 0) return void socket.close(1012, 'restart')
    socket.send(Buffer.of(1))
    void socket.close(1000)
  })
  const { code, stdout } = await run(['connect', url, '--reconnect', '--json', '--wait', 'forever'])
  const events = stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
  expect(events).toEqual([
    { event: 'open', url: `${url}/`, protocol: '', extensions: '' },
    { event: 'reconnecting', attempt: 1, delay: expect.any(Number), reason: 'closed with 1012 (restart)' },
    { event: 'open', url: `${url}/`, protocol: '', extensions: '' },
    { event: 'message', type: 'binary', data: 'AQ==' },
    { event: 'close', code: 1000, reason: '', wasClean: true },
  ])
  expect(code).toBe(0)
})

test('what is final ends it: a refusal, and the wish to end', async () => {
  const { url } = await serve(undefined, { authenticate: () => false })
  const refused = await run(['connect', url, '--reconnect'])
  expect(refused.code).toBe(4)
  expect(refused.stderr).toMatch(/^error: HANDSHAKE_STATUS: /)

  const echo = await serveEcho()
  expect(await run(['connect', echo.url, '--reconnect', '-q'], { input: 'a' })).toEqual({
    code: 0,
    stdout: 'a\n',
    stderr: '',
  })
})
