// TLS certificates for tests, made on the spot: nothing is stored, so nothing expires and no key is ever committed. One set
// per process.

/** A private key (PKCS #8) and its certificate, both PEM. */
export interface KeyAndCertificate {
  key: string
  cert: string
}

/** What the tests of TLS need, all PEM. */
export interface Certificates {
  /** The authority that signed `server`, `client` and `wrongName`. */
  ca: string
  /** An authority that signed none of them. */
  otherCa: string
  /** For `localhost`, `127.0.0.1` and `::1`. */
  server: KeyAndCertificate
  /** For the client's side of mutual TLS. */
  client: KeyAndCertificate
  /** The same names as `server`, but signed by itself. */
  selfSigned: KeyAndCertificate
  /** Signed by `ca`, for a host that no test serves. */
  wrongName: KeyAndCertificate
}

let made: Promise<Certificates> | undefined

/** Makes the certificates, once per process. */
export function makeCertificates(): Promise<Certificates> {
  // Loaded on demand: most tests want a socket pair and no certificate.
  made ??= import('./sign-certificates.ts').then(({ signCertificates }) => signCertificates())
  return made
}
