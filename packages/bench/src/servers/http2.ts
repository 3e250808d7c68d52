// The HTTP/2 server of a job, over TLS or in cleartext.

import { readFileSync } from 'node:fs'
import { createSecureServer, createServer, type Http2Server } from 'node:http2'
import type { Assignment } from '../job.ts'

export function http2ServerOf({ job, tls }: Assignment): Http2Server {
  const settings = { enableConnectProtocol: true }
  if (!job.secure) return createServer({ settings })
  return createSecureServer({ settings, key: readFileSync(tls.key), cert: readFileSync(tls.cert) })
}
