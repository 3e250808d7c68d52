// A server that stops listening before it closes: who is on the way in still gets in, and nobody waits for ever.

import http from 'node:http'
import tls from 'node:tls'
import { UsageError, WebSocketServer } from '@ws/server'
import { makeCertificates } from '@ws/testkit'
import { describe, expect, test } from 'vitest'
import { RawClient, SWITCHING, textFrame, upgradeRequest } from './support/raw-client.ts'
import { closing, deferred, open, portOf, serve } from './support/servers.ts'

const UPGRADE = upgradeRequest()

/** A server, and a client of bytes that it has accepted. */
async function arrived(options: Parameters<typeof serve>[0] = {}) {
  const server = await serve(options, { message: (socket, data) => void socket.send(data) })
  const port = portOf(server)
  const { client: inside } = await open(server)
  const client = await RawClient.connect(port)
  client.write(UPGRADE.slice(0, 20))
  // A later client is in: so the earlier one was accepted.
  const { client: behind } = await open(server)
  return { server, port, client, inside, behind }
}

/** Whether a promise is settled, by flag. */
function watch(promise: Promise<unknown>): { settled: boolean } {
  const state = { settled: false }
  void promise.then(() => {
    state.settled = true
  })
  return state
}

describe('stopListening', () => {
  test('who has connected is let in; the next is refused by the system', async () => {
    const { server, port, client } = await arrived()
    const stopped = server.stopListening()
    const state = watch(stopped)
    await expect(RawClient.connect(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    expect([state.settled, server.address()]).toEqual([false, null])

    client.write(UPGRADE.slice(20), textFrame('still here'))
    expect(await client.head()).toEqual(SWITCHING)
    expect(await client.text()).toBe('still here')
    await stopped
    expect(server.stats()).toMatchObject({ connections: 3, refusals: {} })
  })

  test('then close() ends everybody with its code, and the server is closed', async () => {
    const { server, client, inside, behind } = await arrived()
    const stopped = server.stopListening()
    client.write(UPGRADE.slice(20))
    await client.head()
    await stopped
    const closed = server.close({ code: 1012, timeout: 0 })
    expect(await Promise.all([client, inside, behind].map((one) => one.closeCode()))).toEqual([1012, 1012, 1012])
    expect(await closed).toEqual({ closed: 0, terminated: 3 })
    await server.stopListening()
  })

  test('with nobody on the way in it is done at once, and the second call gets the same', async () => {
    const server = await serve()
    const stopped = server.stopListening()
    expect(server.stopListening()).toBe(stopped)
    await stopped
    expect(await server.close()).toEqual({ closed: 0, terminated: 0 })
  })

  test('who waits for authenticate is on the way in', async () => {
    const [decision, decide] = deferred<boolean>()
    const [asked, ask] = deferred()
    const server = await serve({
      authenticate: () => {
        ask()
        return decision
      },
    })
    const client = await RawClient.connect(portOf(server))
    client.write(UPGRADE)
    await asked
    const stopped = server.stopListening()
    const state = watch(stopped)
    await new Promise((resolve) => setImmediate(resolve))
    expect(state.settled).toBe(false)
    decide(true)
    expect(await client.head()).toEqual(SWITCHING)
    await stopped
  })

  test.each(['leaves', 'is refused'])('who %s is no longer on the way in', async (how) => {
    const { server, client } = await arrived({ origins: ['https://app.example'] })
    const stopped = server.stopListening()
    if (how === 'leaves') client.reset()
    else client.write(`${UPGRADE.slice(20, -2)}Origin: https://elsewhere.example\r\n\r\n`)
    await stopped
    expect(server.stats()).toMatchObject({ connections: 2 })
  })

  test('who never asks is waited for until handshakeTimeout, and cut off by close()', async () => {
    const { server, client } = await arrived({ handshakeTimeout: 100 })
    await server.stopListening()
    expect(client.socket.closed).toBe(false)
    const closed = server.close({ timeout: 0 })
    await client.closed()
    expect(await closed).toEqual({ closed: 0, terminated: 2 })
  })

  test('an HTTP connection that is kept alive may still be upgraded', async () => {
    const { server, client } = await arrived()
    const idle = await RawClient.connect(portOf(server))
    idle.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await idle.head()
    await idle.read(44)
    const stopped = server.stopListening()
    idle.write(UPGRADE)
    expect(await idle.head()).toEqual(SWITCHING)
    client.reset()
    await stopped
    expect(server.stats().connections).toBe(3)
  })

  test('TLS: a handshake that has begun goes on', async () => {
    const { server: key, ca } = await makeCertificates()
    const server = await serve({ tls: key })
    const tcp = await RawClient.connect({ port: portOf(server), host: '127.0.0.1' })
    const behind = await RawClient.connectTls({ port: portOf(server), ca })
    await behind.upgrade()
    const stopped = server.stopListening()
    const state = watch(stopped)
    await new Promise((resolve) => setImmediate(resolve))
    expect(state.settled).toBe(false)
    tcp.socket.removeAllListeners('data')
    const secured = tls.connect({ socket: tcp.socket, servername: 'localhost', ca })
    secured.on('error', () => {}) // it is terminated in the end
    secured.write(UPGRADE)
    await new Promise((resolve) => secured.once('data', resolve))
    await stopped
    expect(server.stats().connections).toBe(2)
  })

  test('is for a port of its own', () => {
    const message = 'stopListening() is for a server with a port of its own: stop your HTTP server yourself'
    const shared = closing(new WebSocketServer({ server: http.createServer() }) as WebSocketServer<never>)
    expect(() => shared.stopListening()).toThrow(new UsageError(message))
    const none = new WebSocketServer({ noServer: true })
    expect(() => none.stopListening()).toThrow(new UsageError(message))
  })
})
