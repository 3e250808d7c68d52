// As much of HTTP/1.1 as the raw peers need: reading a head and what follows it, and its lines.

import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'

const ACCEPT_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11' // RFC 6455 §1.3
/** The header that names extensions, as heads have it here. */
export const EXTENSIONS = 'sec-websocket-extensions'
const HEAD_END = '\r\n\r\n'

/** A head: its first line, and its headers with names in lower case. */
export interface Head {
  readonly first: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** What came behind it. */
  readonly rest: Buffer
}

/** Reads up to the empty line that ends a head; the socket is left paused. Rejects if TCP ends before. */
export async function readHead(socket: Socket): Promise<Head> {
  let bytes = Buffer.alloc(0)
  await read(socket, (chunk) => {
    bytes = Buffer.concat([bytes, chunk])
    return bytes.includes(HEAD_END)
  })
  const end = bytes.indexOf(HEAD_END)
  if (end < 0) throw new Error(`TCP ended before a whole head came: ${JSON.stringify(bytes.toString('latin1'))}`)
  const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n')
  return { first, headers: lines.map(headerOf), rest: bytes.subarray(end + HEAD_END.length) }
}

/** Reads to the end of TCP, a reset being one too. */
export async function readRest(socket: Socket, first: Buffer): Promise<Buffer> {
  const chunks = [first]
  await read(socket, (chunk) => {
    chunks.push(chunk)
    return false
  })
  return Buffer.concat(chunks)
}

/** All values of one header, in order. */
export function valuesOf({ headers }: Head, wanted: string): string[] {
  return headers.flatMap(([name, value]) => (name === wanted ? [value] : []))
}

/** The accept value for a key, with the GUID of RFC 6455 §1.3 or another. */
export function acceptOf(key: string, guid: string = ACCEPT_GUID): string {
  return createHash('sha1')
    .update(key + guid, 'latin1')
    .digest('base64')
}

function headerOf(line: string): readonly [string, string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
}

/** Gives chunks to `enough` until it says so, or TCP ends. */
function read(socket: Socket, enough: (chunk: Buffer) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('data', take).off('end', done).off('close', done)
      socket.pause()
      resolve()
    }
    function take(chunk: Buffer): void {
      if (enough(chunk)) done()
    }
    socket.on('data', take).on('end', done).on('close', done)
    if (socket.readableEnded || socket.destroyed) done()
    else socket.resume()
  })
}
