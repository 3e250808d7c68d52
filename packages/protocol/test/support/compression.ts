// Compression at once, without a connection around it: what Protocol is given where tests feed it from memory, and the engines
// that the slow inflater judges. Whatever a message inflates to, within the limit, it is not inflated apart. And the codec of a
// connection, at once or in the thread pool, in one form.

import type { Role } from '../../src/constants.ts'
import type { DeflateFault, MessageCompression } from '../../src/deflate/compression.ts'
import type { DeflateParameters } from '../../src/deflate/parameters.ts'
import { Window } from '../../src/deflate/window.ts'
import { ConnectionCodec } from '../../src/node/deflate/codec.ts'
import { Deflater } from '../../src/node/deflate/deflater.ts'
import { Inflater } from '../../src/node/deflate/inflater.ts'
import { deflateSettings } from '../../src/node/deflate/settings.ts'

/** What was agreed for both ways, and how to compress. */
export interface DirectOptions {
  readonly bits?: number
  readonly takeover?: boolean
  readonly level?: number
  readonly memLevel?: number
  readonly threshold?: number | undefined
}

export class DirectCompression implements MessageCompression {
  readonly threshold: number
  readonly #deflater: Deflater
  readonly #inflater: Inflater
  readonly #window: Window

  constructor({ bits = 15, takeover = false, level = -1, memLevel = 8, threshold = 1024 }: DirectOptions = {}) {
    this.threshold = threshold
    this.#deflater = new Deflater({ bits, takeover, level, memLevel })
    this.#inflater = new Inflater(bits)
    this.#window = new Window(bits, takeover)
  }

  deflate(message: Uint8Array): Uint8Array | undefined {
    return this.#deflater.deflate(message)
  }

  inflate(payload: Uint8Array, limit: number): Uint8Array | DeflateFault {
    if (payload.length === 0) return new Uint8Array(0)
    const bound = limit + 64 * 1024 + 1
    const inflated = this.#inflater.inflate(payload, this.#window, limit, bound)
    if (inflated === undefined) throw new Error(`not inflated within ${bound} bytes`)
    return inflated
  }

  close(): void {
    this.#deflater.close()
    this.#inflater.close()
  }
}

/** Both engines: as much as possible within the turn, or everything in the thread pool. */
export const ENGINES = ['at once', 'apart'] as const
export type Engine = (typeof ENGINES)[number]

/** The codec of a connection. Whoever makes one closes it. */
export class WaitingCodec {
  readonly #codec: ConnectionCodec
  readonly #limit: number

  constructor(engine: Engine, role: Role, agreed: DeflateParameters, limit: number, options: object = {}) {
    const syncLimit = engine === 'apart' ? 0 : 1024 * 1024
    const settings = deflateSettings({ syncLimit, ...options })
    if (settings === undefined) throw new Error('no settings')
    this.#codec = new ConnectionCodec(role, agreed, settings)
    this.#limit = limit
  }

  async inflate(payload: Uint8Array): Promise<Uint8Array | DeflateFault> {
    return await new Promise((resolve) => {
      const inflated = this.#codec.inflate(payload, this.#limit, { onInflated: resolve })
      if (inflated !== undefined) resolve(typeof inflated === 'string' ? inflated : Uint8Array.from(inflated))
    })
  }

  async deflate(message: Uint8Array): Promise<Uint8Array | undefined> {
    if (!this.#codec.takesLonger(message.length)) return this.#codec.deflate(message)
    return await new Promise((resolve) => this.#codec.deflateApart(message, resolve))
  }

  close(): void {
    this.#codec.close()
  }
}
