// What an application may send, as bytes or text.

import { Buffer } from 'node:buffer'
import type { BlobLike, MessageData } from '../connection.ts'
import { UsageError, usage } from '../errors.ts'
import { asBuffer, nodePlatform } from './platform.ts'

/** What is said of bytes that are no text. */
export const NOT_UTF8 = 'data sent with { binary: false } must be valid UTF-8'

/** Text that is given as bytes is sent as it is, so it must be text (RFC 6455 §5.6). */
export function checkText(bytes: Uint8Array): void {
  if (nodePlatform.isUtf8(bytes, 0, bytes.length)) return
  throw new UsageError(NOT_UTF8)
}

/** The bytes that a view shows, exactly; nothing of the memory around it (STANDARDS L22, R10). */
export function asPayload(data: MessageData): string | Uint8Array | BlobLike {
  if (typeof data === 'string' || Buffer.isBuffer(data)) return data
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  if (data instanceof ArrayBuffer || (data as unknown) instanceof SharedArrayBuffer)
    return asBuffer(new Uint8Array(data as ArrayBuffer))
  if (isBlob(data)) return data
  throw usage('data to send', 'a string, an ArrayBuffer, a typed array, a DataView or a Blob', data)
}

export function isBlob(data: unknown): data is BlobLike {
  return typeof Blob !== 'undefined' && data instanceof Blob
}
