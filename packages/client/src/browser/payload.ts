// What an application may send, as a socket of the standard takes it: `binary` says whether as text or as bytes.

import { type MessageData, UsageError, usage } from '@ws/protocol'
import { utf8Length } from '../portable/arguments.ts'

/** What is given to the socket, and about how many bytes that is. */
export interface Payload {
  readonly data: string | ArrayBuffer | ArrayBufferView<ArrayBuffer> | Blob
  readonly size: number
}

/** @throws UsageError if it cannot be sent, or not as text */
export function toPayload(data: MessageData, binary: boolean | undefined): Payload {
  if (typeof data === 'string') {
    if (binary !== true) return { data, size: utf8Length(data) }
    const bytes = new TextEncoder().encode(data)
    return { data: bytes, size: bytes.length }
  }
  if (data instanceof Blob) {
    if (binary === false) throw usage('a Blob', 'sent as binary by a page', { binary })
    return { data, size: data.size }
  }
  const bytes = bytesOf(data)
  return { data: binary === false ? text(bytes) : bytes, size: bytes.byteLength }
}

function bytesOf(data: unknown): Uint8Array<ArrayBuffer> {
  if (data instanceof ArrayBuffer) return new Uint8Array(data)
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength)
  throw usage('data to send', 'a string, an ArrayBuffer, a typed array, a DataView or a Blob', data)
}

/** Text that is given as bytes must be text (RFC 6455 §5.6). */
function text(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new UsageError('data sent with { binary: false } must be valid UTF-8')
  }
}
