// A folder of its own for what peers read from files.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Certificates } from '@ws/testkit'

/** Paths of PEM files. */
export interface PemFiles {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

export interface TempFolder {
  readonly path: string
  readonly pem: PemFiles
  dispose(): Promise<void>
}

/** Makes the folder, with the server's certificate and the authority in it. */
export async function makeTempFolder({ ca, server }: Certificates): Promise<TempFolder> {
  const path = await mkdtemp(join(tmpdir(), 'interop-'))
  const pem = { ca: join(path, 'ca.pem'), cert: join(path, 'cert.pem'), key: join(path, 'key.pem') }
  await Promise.all([writeFile(pem.ca, ca), writeFile(pem.cert, server.cert), writeFile(pem.key, server.key)])
  await mkdir(join(path, 'nginx'))
  return { path, pem, dispose: () => rm(path, { recursive: true }) }
}
