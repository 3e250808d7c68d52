// How the test certificates are made and signed. Rules: elliptic-curve keys (a set takes milliseconds); the certificate
// authority signs only what a test should trust.

import 'reflect-metadata'
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'
import type { Certificates } from './certificates.ts'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const HOUR = 3_600_000
const LOOPBACK: Names = [
  { type: 'dns', value: 'localhost' },
  { type: 'ip', value: '127.0.0.1' },
  { type: 'ip', value: '::1' },
]

type Names = { type: 'dns' | 'ip'; value: string }[]
type KeyPair = Awaited<ReturnType<typeof makeKeys>>
type Authority = { name: string; keys: KeyPair; certificate: X509Certificate }

/** Makes the whole set. */
export async function signCertificates(): Promise<Certificates> {
  const [authority, other] = await Promise.all([makeAuthority('Test CA'), makeAuthority('Other CA')])
  const [server, client, selfSigned, wrongName] = await Promise.all([
    makeLeaf('localhost', authority, serverExtensions(LOOPBACK)),
    makeLeaf('test client', authority, [new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth])]),
    makeLeaf('localhost', undefined, serverExtensions(LOOPBACK)),
    makeLeaf('elsewhere.example', authority, serverExtensions([{ type: 'dns', value: 'elsewhere.example' }])),
  ])
  const ca = authority.certificate.toString('pem')
  return { ca, otherCa: other.certificate.toString('pem'), server, client, selfSigned, wrongName }
}

function makeKeys() {
  return crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
}

async function makeAuthority(commonName: string): Promise<Authority> {
  const keys = await makeKeys()
  const name = `CN=${commonName}`
  const certificate = await sign(name, keys, { name, keys }, [
    new BasicConstraintsExtension(true, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
  ])
  return { name, keys, certificate }
}

async function makeLeaf(commonName: string, authority: Authority | undefined, extensions: Extension[]) {
  const keys = await makeKeys()
  const name = `CN=${commonName}`
  const certificate = await sign(name, keys, authority ?? { name, keys }, extensions)
  const key = PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')
  return { key, cert: certificate.toString('pem') }
}

function serverExtensions(names: Names): Extension[] {
  return [new SubjectAlternativeNameExtension(names), new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth])]
}

function sign(
  subject: string,
  keys: KeyPair,
  issuer: { name: string; keys: KeyPair },
  extensions: Extension[],
): Promise<X509Certificate> {
  return X509CertificateGenerator.create({
    subject,
    issuer: issuer.name,
    publicKey: keys.publicKey,
    signingKey: issuer.keys.privateKey,
    signingAlgorithm: ALGORITHM,
    // An hour on both sides is room for a clock that is set while the tests run.
    notBefore: new Date(Date.now() - HOUR),
    notAfter: new Date(Date.now() + 24 * HOUR),
    extensions,
  })
}
