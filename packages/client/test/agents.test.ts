// Agents that callers bring: the two that people use for proxies, over real proxies.

import net, { type Socket } from 'node:net'
import { type Certificates, makeCertificates } from '@ws/testkit'
import { HttpsProxyAgent } from 'https-proxy-agent'
import { SocksProxyAgent } from 'socks-proxy-agent'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type ConnectOptions, connect, WebSocket } from '../src/index.ts'
import { handshakeFailure } from './support/failure.ts'
import { echoPeer } from './support/peer.ts'
import { tunnellingProxy } from './support/proxy.ts'
import { close, listen, rawServer } from './support/raw-server.ts'
import { event } from './support/script.ts'

let certificates: Certificates
beforeAll(async () => {
  certificates = await makeCertificates()
})

/** A SOCKS5 server without authentication that takes host names (RFC 1928), to ports of loopback. */
async function socksProxy() {
  const asked: string[] = []
  const sockets: Socket[] = []
  const server = net.createServer((client) => {
    sockets.push(client)
    client.on('error', () => {})
    client.once('data', () => {
      client.write(Buffer.of(5, 0))
      client.once('data', (request: Buffer) => {
        const end = 5 + request.readUInt8(4)
        const port = request.readUInt16BE(end)
        asked.push(`${request.toString('latin1', 5, end)}:${port}`)
        const upstream = net.connect(port, '127.0.0.1', () => {
          client.write(Buffer.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0))
          client.pipe(upstream).pipe(client)
        })
        upstream.on('error', () => client.destroy())
        sockets.push(upstream)
      })
    })
  })
  const port = await listen(server)
  onTestFinished(() => close(server, sockets))
  return { port, asked }
}

async function proxies() {
  const http = await tunnellingProxy()
  const socks = await socksProxy()
  return {
    'https-proxy-agent': {
      agent: new HttpsProxyAgent(`http://${http.address}`),
      asked: () => http.asked.map(({ target }) => target),
    },
    'socks-proxy-agent': { agent: new SocksProxyAgent(`socks5h://127.0.0.1:${socks.port}`), asked: () => socks.asked },
  }
}

describe.each(['https-proxy-agent', 'socks-proxy-agent'] as const)('%s', (name) => {
  test.each(['ws', 'wss'])('%s: messages there and back, by connect() and by the class', async (scheme) => {
    const peer = await echoPeer(scheme === 'wss' ? { tls: certificates.server } : {})
    const { agent, asked } = (await proxies())[name]
    const options: ConnectOptions = { agent, ca: certificates.ca }
    const url = `${scheme}://localhost:${peer.port}`
    const text = 'x'.repeat(100_000)

    const socket = await connect(url, options)
    socket.send(text)
    for await (const message of socket) {
      expect(message).toBe(text)
      break
    }
    expect(await socket.close(1000)).toMatchObject({ wasClean: true })

    const script = new WebSocket(url, { agent, ca: certificates.ca })
    await event(script, 'open')
    script.send(text)
    expect(((await event(script, 'message')) as MessageEvent).data).toBe(text)
    script.close()
    await event(script, 'close')
    expect(asked()).toEqual(Array(2).fill(`localhost:${peer.port}`))
  })

  test('[A7] the certificate is verified', async () => {
    const peer = await echoPeer({ tls: certificates.selfSigned })
    const { agent } = (await proxies())[name]
    expect((await handshakeFailure(connect(peer.url, { agent }))).code).toBe('TLS_FAILED')
  })
})

test('https-proxy-agent: a proxy that refuses is an answer like any other', async () => {
  const proxy = await rawServer(({ socket }) => {
    socket.end('HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\nContent-Length: 3\r\n\r\nwho')
  })
  const agent = new HttpsProxyAgent(`http://127.0.0.1:${proxy.port}`)
  const failure = await handshakeFailure(connect('ws://server.test', { agent }))
  expect(failure).toMatchObject({ code: 'HANDSHAKE_STATUS', status: 407, headers: { 'proxy-authenticate': 'Basic' } })
})
