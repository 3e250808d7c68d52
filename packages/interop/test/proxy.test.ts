// Admission through nginx: as it is by default, where `Host` becomes the address of the upstream, and as it can be told.

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createSecureServer, type ServerHttp2Session } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { connect, type HandshakeError } from '@ws/client'
import { type RefusedUpgrade, type ServerOptions, WebSocketServer } from '@ws/server'
import { type Certificates, makeCertificates } from '@ws/testkit'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { startNginx } from '../src/peers/nginx.ts'
import { makeTempFolder } from '../src/temp.ts'
import { missingReason } from '../src/world.ts'

/** What docs/server.md has nginx say of the client. */
const PAGE = readFileSync(join(import.meta.dirname, '../../../docs/server.md'), 'utf8')
const FORWARDED = [...PAGE.matchAll(/^ +proxy_set_header (X-Forwarded-.+);$/gm)].map(([, header]) => header as string)

let certificates: Certificates

beforeAll(async () => {
  certificates = await makeCertificates()
})

/** A server, and nginx in front of it, which sets these headers. */
async function behindNginx(headers: readonly string[], options: ServerOptions = {}) {
  const server = await WebSocketServer.listen({ port: 0, host: '127.0.0.1', ...options })
  const folder = await makeTempFolder(certificates)
  const upstream = (server.address() as AddressInfo).port
  const nginx = await startNginx(join(folder.path, 'nginx'), folder.pem, [upstream], headers)
  onTestFinished(async () => {
    await server.close({ timeout: 0 })
    await nginx.dispose()
    await folder.dispose()
  })
  const port = nginx.routes.find(({ secure }) => !secure)?.port
  return { server, upstream, url: `ws://127.0.0.1:${port}`, origin: `http://127.0.0.1:${port}` }
}

/** A server that takes HTTP/2 and HTTP/1.1 on one port, over TLS, and nginx in front of it. */
async function http2BehindNginx() {
  const http = createSecureServer({ ...certificates.server, allowHTTP1: true })
  const sessions: ServerHttp2Session[] = []
  http.on('session', (session) => sessions.push(session))
  const versions: string[] = []
  const server = new WebSocketServer({ server: http }, { message: (socket, data) => void socket.send(data) })
  server.on('connection', (_, { httpVersion }) => versions.push(httpVersion))
  await once(http.listen(0, '127.0.0.1'), 'listening')
  const upstream = (http.address() as AddressInfo).port
  const folder = await makeTempFolder(certificates)
  const nginx = await startNginx(join(folder.path, 'nginx'), folder.pem, [upstream], undefined, 'https')
  onTestFinished(async () => {
    await server.close({ timeout: 0 })
    for (const session of sessions) session.destroy()
    http.close()
    await nginx.dispose()
    await folder.dispose()
  })
  const urls = nginx.routes.map(({ secure, port }) => (secure ? `wss://localhost:${port}` : `ws://127.0.0.1:${port}`))
  return { urls, versions, direct: `wss://localhost:${upstream}` }
}

async function isOpened(url: string, options: object): Promise<boolean> {
  const socket = await connect(url, options)
  return (await socket.close(1000)).wasClean
}

const refusalOf = (url: string, options: object): Promise<HandshakeError> =>
  connect(url, options).then(
    () => expect.unreachable('it was accepted'),
    (error: HandshakeError) => error,
  )

describe.skipIf(missingReason('ours behind nginx') !== undefined)('nginx', () => {
  test('[D9] by default it rewrites Host: a page of its own is refused, by a message that says what to set', async () => {
    const { server, upstream, url, origin } = await behindNginx([])
    const refused = once(server, 'refused') as Promise<[RefusedUpgrade]>
    const error = await refusalOf(url, { origin })
    const message =
      `origin "${origin}" is not allowed for host "127.0.0.1:${upstream}": ` +
      "see the server's option origins, and trustProxy if a proxy in front changes Host"
    expect([error.code, error.status, String(error.body)]).toEqual(['HANDSHAKE_STATUS', 403, `${message}\n`])
    expect((await refused)[0]).toMatchObject({ status: 403, code: 'REFUSED_ORIGIN', message })
    expect(await isOpened(url, {})).toBe(true) // no page
  })

  test('then a list of origins opens it to its page', async () => {
    const origins: string[] = []
    const { url, origin } = await behindNginx([], { origins: (asked) => origins.includes(asked) })
    origins.push(origin)
    expect(await isOpened(url, { origin })).toBe(true)
    expect((await refusalOf(url, { origin: 'http://elsewhere.example' })).status).toBe(403)
  })

  test('or trustProxy, with the Host that it was asked for in X-Forwarded-Host', async () => {
    const { url, origin } = await behindNginx(FORWARDED, { trustProxy: true })
    expect(await isOpened(url, { origin })).toBe(true)
    expect((await refusalOf(url, { origin: 'http://elsewhere.example' })).status).toBe(403)
    const forged = { origin: 'http://elsewhere.example', headers: { 'X-Forwarded-Host': 'elsewhere.example' } }
    expect((await refusalOf(url, forged)).status).toBe(403)
  })

  test('or nginx passes Host on', async () => {
    const { url, origin } = await behindNginx(['Host $http_host'], { hosts: ['127.0.0.1'] })
    expect(await isOpened(url, { origin })).toBe(true)
    expect((await refusalOf(url, { headers: { Host: 'elsewhere.example' } })).status).toBe(403)
  })

  test('what docs/server.md has it say', () => {
    expect(FORWARDED).toEqual(['X-Forwarded-Host $http_host', 'X-Forwarded-For $proxy_add_x_forwarded_for'])
  })

  test('in front of an HTTP/2 server it speaks HTTP/1.1, and who comes by HTTP/2 does so besides', async () => {
    const { urls, versions, direct } = await http2BehindNginx()
    for (const url of [...urls, direct]) {
      const socket = await connect(url, { ca: certificates.ca, family: 4, http2: url === direct })
      socket.send('Hello')
      expect(await once(socket, 'message')).toEqual(['Hello'])
      expect((await socket.close(1000)).wasClean).toBe(true)
    }
    expect(versions).toEqual(['1.1', '1.1', '2.0'])
  })

  test('clients count by their addresses, whatever they say of themselves', async () => {
    const { url } = await behindNginx(FORWARDED, { trustProxy: true, maxConnectionsPerAddress: 1 })
    const first = await connect(url)
    const error = await refusalOf(url, { headers: { 'X-Forwarded-For': '192.0.2.1' } })
    expect([error.status, error.headers?.['retry-after']]).toEqual([429, '5'])
    expect(String(error.body)).toContain('too many connections from 127.0.0.1 ')
    await first.close(1000)
  })
})
