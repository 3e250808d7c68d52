// wss: TLS first, verified, with an error that says what to do (STANDARDS A7).

import net from 'node:net'
import tls, { type TLSSocket } from 'node:tls'
import { type Certificates, makeCertificates } from '@ws/testkit'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { connect, type HandshakeError } from '../src/index.ts'
import { pass, stopClock } from './support/clock.ts'
import { handshakeFailure } from './support/failure.ts'
import { peer } from './support/peer.ts'
import { close, listen, rawServer, switching } from './support/raw-server.ts'

let certificates: Certificates
beforeAll(async () => {
  certificates = await makeCertificates()
})

/** The failure of a connection to a TLS server with this certificate; that server must not have seen a request. */
async function refusal(
  server: { key: string; cert: string },
  options = {},
): Promise<HandshakeError & { port: number }> {
  const { url, requests, port } = await rawServer(() => {}, server)
  const failure = await handshakeFailure(connect(url, options))
  expect(requests).toEqual([])
  return Object.assign(failure, { port })
}

describe('[A7] a server that cannot be trusted is refused before a byte of the request', () => {
  test('self-signed', async () => {
    const failure = await refusal(certificates.selfSigned)
    expect(failure).toMatchObject({
      code: 'TLS_FAILED',
      message: `TLS with localhost:${failure.port} failed: the server's certificate is self-signed; if you trust it, pass that certificate (PEM) as option ca (DEPTH_ZERO_SELF_SIGNED_CERT)`,
      cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    })
  })

  test('an unknown issuer', async () => {
    for (const options of [{}, { ca: certificates.otherCa }]) {
      const failure = await refusal(certificates.server, options)
      expect(failure.code).toBe('TLS_FAILED')
      expect(failure.message).toContain(
        "the issuer of the server's certificate is not known here; if you trust it, pass",
      )
      expect(failure.message).toContain('option ca')
    }
  })

  test('another name', async () => {
    const failure = await refusal(certificates.wrongName, { ca: certificates.ca })
    expect(failure).toMatchObject({
      code: 'TLS_FAILED',
      message: `TLS with localhost:${failure.port} failed: the server's certificate is for other names; connect by one of those, or pass it as option servername (ERR_TLS_CERT_ALTNAME_INVALID)`,
    })
  })

  test('one that checkServerIdentity refuses', async () => {
    const cause = new Error('not the pinned one')
    const failure = await refusal(certificates.server, { ca: certificates.ca, checkServerIdentity: () => cause })
    expect(failure).toMatchObject({ code: 'TLS_FAILED', cause })
    expect(failure.message).toBe(`TLS with localhost:${failure.port} failed: not the pinned one`)
  })

  test('no message advises to stop verifying', async () => {
    for (const server of [certificates.selfSigned, certificates.server, certificates.wrongName]) {
      expect((await refusal(server)).message).not.toContain('rejectUnauthorized')
    }
  })
})

describe('[M5] a server that is trusted', () => {
  test('with its authority as ca, by name and by address', async () => {
    const server = await peer({ tls: certificates.server })
    for (const host of ['localhost', '127.0.0.1']) {
      for (const scheme of ['wss', 'https']) {
        const connection = await connect(`${scheme}://${host}:${server.port}/`, { ca: certificates.ca })
        expect(connection.readyState).toBe(1)
        expect((await connection.close(1000)).wasClean).toBe(true)
      }
    }
  })

  test('a self-signed certificate as ca', async () => {
    const { url } = await peer({ tls: certificates.selfSigned })
    const connection = await connect(url, { ca: Buffer.from(certificates.selfSigned.cert) })
    await connection.close(1000)
  })

  test('a ready secureContext', async () => {
    const { url } = await peer({ tls: certificates.server })
    const secureContext = tls.createSecureContext({ ca: certificates.ca })
    const connection = await connect(url, { secureContext })
    await connection.close(1000)
  })

  test('another name by servername', async () => {
    const { url } = await peer({ tls: certificates.wrongName })
    const connection = await connect(url, { ca: certificates.ca, servername: 'elsewhere.example' })
    await connection.close(1000)
  })

  test('rejectUnauthorized: false is passed on', async () => {
    const { url } = await peer({ tls: certificates.selfSigned })
    const connection = await connect(url, { rejectUnauthorized: false })
    await connection.close(1000)
  })
})

describe('mutual TLS', () => {
  const mutual = () => ({ ...certificates.server, ca: certificates.ca, requestCert: true, rejectUnauthorized: true })

  test('with cert and key', async () => {
    const names: unknown[] = []
    const server = await peer({
      tls: mutual(),
      opened: (_, request) => names.push((request.socket as TLSSocket).getPeerCertificate().subject.CN),
    })
    const connection = await connect(server.url, { ca: certificates.ca, ...certificates.client })
    await connection.close(1000)
    expect(names).toEqual(['test client'])
  })

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('without them, %s', async (maxVersion) => {
    const { url } = await peer({ tls: mutual() })
    const failure = await handshakeFailure(connect(url, { ca: certificates.ca, maxVersion }))
    expect(failure.code).toBe('TLS_FAILED')
    expect(failure.message).toContain(
      'failed: the server refused us; it may want a client certificate: options cert and key (',
    )
  })
})

/** What a client says in its ClientHello. */
async function hello(host: string, options = {}): Promise<{ servername: unknown; alpn: unknown }> {
  const said = { servername: undefined as unknown, alpn: [] as string[] }
  const tlsOptions = {
    ...certificates.server,
    ALPNCallback: ({ protocols }: { protocols: string[] }) => {
      said.alpn = protocols
      return 'http/1.1'
    },
  }
  const { port } = await rawServer(({ socket, accept }) => {
    said.servername = (socket as TLSSocket & { servername: string | false }).servername
    socket.write(switching(accept))
  }, tlsOptions)
  const connection = await connect(`wss://${host}:${port}`, { ca: certificates.ca, ...options })
  connection.terminate()
  await connection.closed
  return said
}

test('[A7] SNI and ALPN', async () => {
  expect(await hello('localhost')).toEqual({ servername: 'localhost', alpn: ['http/1.1'] })
  expect(await hello('127.0.0.1')).toEqual({ servername: false, alpn: ['http/1.1'] })
  expect(await hello('localhost', { servername: 'LOCALHOST', ALPNProtocols: ['x', 'http/1.1'] })).toEqual({
    servername: 'LOCALHOST',
    alpn: ['x', 'http/1.1'],
  })
})

describe('the TLS handshake goes wrong', () => {
  async function plainServer(answer: (socket: net.Socket) => void): Promise<number> {
    const sockets: net.Socket[] = []
    const server = net.createServer((socket) => {
      sockets.push(socket)
      socket.on('error', () => {})
      socket.once('data', () => answer(socket))
    })
    const port = await listen(server)
    onTestFinished(() => close(server, sockets))
    return port
  }

  test('the server speaks plain HTTP', async () => {
    const port = await plainServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    const failure = await handshakeFailure(connect(`wss://127.0.0.1:${port}`))
    expect(failure.code).toBe('TLS_FAILED')
    expect(failure.message).toContain(
      `TLS with 127.0.0.1:${port} failed: the server does not speak TLS on this port; is it a ws: URL?`,
    )
  })

  test('the server leaves', async () => {
    const port = await plainServer((socket) => socket.end())
    const failure = await handshakeFailure(connect(`wss://127.0.0.1:${port}`))
    expect(failure).toMatchObject({
      code: 'TLS_FAILED',
      message: `TLS with 127.0.0.1:${port} failed: the server closed the connection during the TLS handshake (ECONNRESET)`,
    })
  })

  test('[C16] the server is silent', async () => {
    stopClock()
    const port = await plainServer(() => pass(10_000))
    const failure = await handshakeFailure(connect(`wss://127.0.0.1:${port}`))
    expect(failure).toMatchObject({
      code: 'HANDSHAKE_TIMEOUT',
      message: `no connection to 127.0.0.1:${port} within 10000 ms: the TLS handshake is not complete`,
    })
  })

  test('no common protocol version', async () => {
    const { url } = await peer({ tls: { ...certificates.server, minVersion: 'TLSv1.3' } })
    const failure = await handshakeFailure(connect(url, { ca: certificates.ca, maxVersion: 'TLSv1.2' }))
    expect(failure.code).toBe('TLS_FAILED')
    expect(failure.message).toContain('failed: no TLS version in common; see options minVersion and maxVersion (')
  })
})
