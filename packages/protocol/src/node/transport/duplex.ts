// A transport over any Duplex: a tunnel through a proxy, a test's pair, something that a user made. Nothing is known of
// where its chunks come from, so they are copied before they are unmasked in place.

import { Buffer } from 'node:buffer'
import { StreamTransport } from './stream.ts'

export class DuplexTransport extends StreamTransport {
  readonly canReuse = false

  protected own(chunk: Uint8Array): Uint8Array {
    return Buffer.from(chunk)
  }
}
