// `'auto'`: HTTP/2 where the server offers it, and HTTP/1.1 where it does not; and what `true` says there.

import { once } from 'node:events'
import net from 'node:net'
import { type Certificates, makeCertificates } from '@ws/testkit'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { connect, WebSocket, type WebSocketConnection } from '../../src/index.ts'
import { handshakeFailure } from '../support/failure.ts'
import { codes, FRAME, http2Frame, http2Peer, rawHttp2Peer, settingsFrame } from '../support/http2-peer.ts'
import { echoPeer, peer } from '../support/peer.ts'
import { tunnellingProxy } from '../support/proxy.ts'
import { close, type Exchange, listen, rawServer, switching } from '../support/raw-server.ts'

let certificates: Certificates
beforeAll(async () => {
  certificates = await makeCertificates()
})

const AUTO = { http2: 'auto' } as const
const HTTP2 = { http2: true } as const
const trusting = (options = {}) => ({ ca: certificates.ca, ...AUTO, ...options })

async function echoes(socket: WebSocketConnection): Promise<void> {
  socket.send('hello')
  for await (const message of socket) {
    expect(message).toBe('hello')
    break
  }
  expect((await socket.close(1000)).wasClean).toBe(true)
}

/** The ALPN names that a server is asked for; it answers nothing. */
async function asked(options: object): Promise<{ protocols: string[][]; code: string }> {
  const protocols: string[][] = []
  const ALPNCallback = (hello: { protocols: string[] }): undefined => void protocols.push(hello.protocols)
  const { url } = await rawServer(() => {}, { ...certificates.server, ALPNCallback })
  const { code } = await handshakeFailure(connect(url, trusting(options)))
  return { protocols, code }
}

describe("'auto'", () => {
  test('asks for both by ALPN, true for HTTP/2 alone', async () => {
    expect(await asked(AUTO)).toEqual({ protocols: [['h2', 'http/1.1']], code: 'TLS_FAILED' })
    expect(await asked(HTTP2)).toEqual({ protocols: [['h2']], code: 'HANDSHAKE_HTTP2' })
  })

  test('HTTP/2 where the server chooses it', async () => {
    const { url, sessions } = await http2Peer({ tls: { ...certificates.server, allowHTTP1: true } })
    await echoes(await connect(url, trusting()))
    await echoes(await connect(url, trusting()))
    expect(sessions).toHaveLength(1)
  })

  test.each([{ ALPNProtocols: ['http/1.1'] }, { ALPNProtocols: [] }])(
    'HTTP/1.1 on that very socket where the server chooses it, or nothing (%j)',
    async (alpn) => {
      const open = ({ socket, accept }: Exchange): void => void socket.write(switching(accept))
      const { url, sockets, requests } = await rawServer(open, { ...certificates.server, ...alpn })
      const socket = await connect(url, trusting())
      expect([sockets.length, requests.length]).toEqual([1, 1])
      socket.terminate()
      await socket.closed
    },
  )

  test('a socket that has ended as it is handed to HTTP/1.1 is one failure of one attempt', async () => {
    const { port } = await echoPeer({ tls: certificates.server })
    const sockets: net.Socket[] = []
    const relay = net.createServer((socket) => {
      const upstream = net.connect(port, '127.0.0.1')
      sockets.push(socket, upstream)
      for (const one of [socket, upstream]) one.on('error', () => {})
      socket.pipe(upstream)
      upstream.once('data', (flight) => socket.end(flight)) // all that the server has to say for TLS 1.3 to be set up
    })
    const url = `wss://localhost:${await listen(relay)}`
    onTestFinished(() => close(relay, sockets))
    const attempts = [1, 2, 3].map(() => handshakeFailure(connect(url, trusting({ serialize: false }))))
    const failures = await Promise.all(attempts)
    expect(new Set(failures).size).toBe(3)
    for (const { code, message } of failures) {
      expect([code, message.includes('closed the connection before it answered')]).toEqual(['CONNECT_FAILED', true])
    }
  })

  test.each([true, false])('many at once, with serialize %j: each its own', async (serialize) => {
    const { url, connections } = await echoPeer({ tls: certificates.server })
    const opened = await Promise.all(Array.from({ length: 5 }, () => connect(url, trusting({ serialize }))))
    await Promise.all(opened.map(echoes))
    expect(connections).toHaveLength(5)
  })

  test('HTTP/1.1 where HTTP/2 comes without extended CONNECT, on a connection of its own', async () => {
    const { url, sessions, requests, sockets } = await http2Peer({
      tls: { ...certificates.server, allowHTTP1: true },
      settings: { enableConnectProtocol: false },
    })
    await echoes(await connect(url, trusting()))
    await echoes(await connect(url, trusting()))
    expect([sessions.length, sockets.length]).toEqual([1, 3]) // what it does not offer is known as long as the session is
    expect(requests.map((headers) => [headers.upgrade, headers[':method']])).toEqual([
      ['websocket', undefined],
      ['websocket', undefined],
    ])
  })

  test('HTTP/1.1 where a stream is refused with HTTP_1_1_REQUIRED', async () => {
    const { url, requests } = await http2Peer({
      tls: { ...certificates.server, allowHTTP1: true },
      answer: (stream) => stream.close(13),
    })
    await echoes(await connect(url, trusting()))
    expect(requests.map((headers) => headers[':method'] ?? headers.upgrade)).toEqual(['CONNECT', 'websocket'])
  })

  test('through a proxy, both ways', async () => {
    const proxy = await tunnellingProxy(certificates.server)
    const way = { proxy: `https://localhost:${proxy.port}`, proxyTls: { ca: certificates.ca } }
    const both = await http2Peer({ tls: { ...certificates.server, allowHTTP1: true } })
    await echoes(await connect(both.url, trusting(way)))
    const http1 = await echoPeer({ tls: certificates.server })
    await echoes(await connect(http1.url, trusting(way)))
    expect([both.sessions.length, http1.connections.length, proxy.asked.length]).toEqual([1, 1, 2])
  })

  test('without TLS it means HTTP/1.1', async () => {
    const { url, connections } = await echoPeer()
    await echoes(await connect(url, AUTO))
    expect(connections).toHaveLength(1)
  })

  test('a redirect to TLS may lead to HTTP/2', async () => {
    const { url, sessions } = await http2Peer({ tls: certificates.server })
    const first = await rawServer(({ socket }) => {
      socket.end(`HTTP/1.1 307 X\r\nLocation: ${url}/\r\nContent-Length: 0\r\n\r\n`)
    })
    await echoes(await connect(first.url, trusting({ followRedirects: true })))
    expect(sessions).toHaveLength(1)
  })

  test('the class; a refusal of HTTP/1.1 is told as ever', async () => {
    const { url } = await echoPeer({ tls: certificates.server })
    const socket = new WebSocket(url, trusting())
    await once(socket, 'open')
    const closed = once(socket, 'close')
    socket.close()
    await closed
    const refusing = await rawServer(
      ({ socket: raw }) => void raw.end('HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n'),
      certificates.server,
    )
    expect((await handshakeFailure(connect(refusing.url, trusting()))).status).toBe(403)
  })

  test('what fails for other reasons is no reason for HTTP/1.1', async () => {
    const { url, requests } = await http2Peer({ tls: certificates.server })
    const failure = await handshakeFailure(connect(url, AUTO))
    expect(failure).toMatchObject({ code: 'TLS_FAILED', cause: { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' } })
    expect(requests).toEqual([])
  })
})

describe('true, where the server has none', () => {
  const refusal = async (url: string, options = {}) => {
    const failure = await handshakeFailure(connect(url, trusting({ ...HTTP2, ...options })))
    return [failure.code, failure.message.replace(/\S+:\d+/, 'host')]
  }

  test('[P3] SETTINGS without SETTINGS_ENABLE_CONNECT_PROTOCOL: nothing is asked', async () => {
    const { url, requests } = await http2Peer({
      tls: certificates.server,
      settings: { enableConnectProtocol: false },
    })
    expect(await refusal(url)).toEqual([
      'HANDSHAKE_HTTP2',
      'host offers no WebSocket over HTTP/2: its SETTINGS have no SETTINGS_ENABLE_CONNECT_PROTOCOL',
    ])
    expect(requests).toEqual([])
  })

  test('another protocol by ALPN, or no ALPN', async () => {
    const http1 = await peer({ tls: { ...certificates.server, ALPNProtocols: ['http/1.1'] } })
    expect((await refusal(http1.url))[0]).toBe('HANDSHAKE_HTTP2')
    const none = await rawServer(() => {}, certificates.server)
    expect(await refusal(none.url)).toEqual(['HANDSHAKE_HTTP2', 'host does not speak HTTP/2: it chose nothing by ALPN'])
  })

  test('a server of HTTP/1.1 in cleartext, and one of something else', async () => {
    const http1 = await peer()
    const other = await rawHttp2Peer((socket) => void socket.write('220 mail.example ESMTP\r\n'))
    for (const { url } of [http1, other]) {
      expect(await refusal(url)).toEqual([
        'HANDSHAKE_HTTP2',
        'host does not speak HTTP/2: what it sent is something else',
      ])
    }
  })

  test('one that hangs up, and one that goes away at once', async () => {
    const silent = await rawHttp2Peer((socket) => void socket.end())
    const closed = 'no answer from host: the server closed the connection before it answered the handshake'
    expect(await refusal(silent.url)).toEqual(['CONNECT_FAILED', closed])
    const busy = await rawHttp2Peer(
      (socket) => void socket.write(Buffer.concat([settingsFrame(), http2Frame(FRAME.goaway, 0, 0, codes(0, 11))])),
    )
    expect((await refusal(busy.url))[0]).toBe('CONNECT_FAILED')
  })
})
