// Certificates as files: programs get paths on their command line.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeCertificates } from '@ws/testkit'
import type { TlsFiles } from './job.ts'

/** Writes a server's certificate and its authority into a folder. */
export async function writeCertificates(folder: string): Promise<TlsFiles> {
  const { ca, server } = await makeCertificates()
  const files = { ca: join(folder, 'ca.pem'), key: join(folder, 'key.pem'), cert: join(folder, 'cert.pem') }
  await Promise.all([
    writeFile(files.ca, ca),
    writeFile(files.key, server.key, { mode: 0o600 }),
    writeFile(files.cert, server.cert),
  ])
  return files
}
