// The certificates do what their names say, judged by Node's own TLS: who is trusted, who is refused and why.

import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import tls from 'node:tls'
import { beforeAll, expect, test } from 'vitest'
import { type Certificates, makeCertificates } from '../src/index.ts'

let certificates: Certificates

beforeAll(async () => {
  certificates = await makeCertificates()
})

/** Connects once; yields `'trusted'`, or the code of the client's error. */
async function verdict(server: tls.TlsOptions, client: tls.ConnectionOptions): Promise<string> {
  const listener = tls.createServer(server).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo
  const socket = tls.connect({ port, host: '127.0.0.1', ...client })
  const outcome = await new Promise<string>((resolve) => {
    // With TLS 1.3 the server judges the client's certificate after the client's handshake is done.
    listener.on('secureConnection', (accepted) => accepted.end('ok'))
    listener.on('tlsClientError', () => {})
    socket.on('data', () => resolve('trusted'))
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
  })
  socket.destroy()
  listener.close()
  await once(listener, 'close')
  return outcome
}

test('are made once per process', async () => {
  expect(await makeCertificates()).toBe(certificates)
})

test.each([{ servername: 'localhost' }, { host: '127.0.0.1' }])('server is trusted by its CA: %o', async (names) => {
  const { server, ca } = certificates
  expect(await verdict(server, { ca, ...names })).toBe('trusted')
})

test('server is also for ::1', () => {
  // Not by a connection: some releases of Node 22 take no IPv6 literal for a name of any certificate.
  expect(new X509Certificate(certificates.server.cert).checkIP('::1')).toBe('::1')
})

test('server is refused without its CA, or with another one', async () => {
  const { server, otherCa } = certificates
  expect(await verdict(server, {})).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE')
  expect(await verdict(server, { ca: otherCa })).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE')
})

test('a self-signed certificate is refused', async () => {
  const { selfSigned, ca } = certificates
  expect(await verdict(selfSigned, { ca })).toBe('DEPTH_ZERO_SELF_SIGNED_CERT')
})

test('a certificate for another host is refused', async () => {
  const { wrongName, ca } = certificates
  expect(await verdict(wrongName, { ca, servername: 'localhost' })).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
})

test('mutual TLS: the client’s certificate is asked for, and a missing one refused', async () => {
  const { server, client, ca } = certificates
  const mutual = { ...server, ca, requestCert: true, rejectUnauthorized: true }
  expect(await verdict(mutual, { ca, ...client })).toBe('trusted')
  expect(await verdict(mutual, { ca })).toBe('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED')
})
