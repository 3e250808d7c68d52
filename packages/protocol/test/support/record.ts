// What the parser and Protocol say, written down in the order in which they say it.

import {
  BufferedOutput,
  type CloseInfo,
  FrameParser,
  type FrameParserOptions,
  type FrameSink,
  type Platform,
  Protocol,
  type ProtocolHandler,
  type ProtocolOptions,
  portablePlatform,
  type Role,
} from '../../src/index.ts'
import { toHex } from './bytes.ts'
import { DEFAULT_RULES, decodeFrames } from './reference.ts'

/** A sink call; adjacent payload calls are joined. A violation has its code and its offset. */
export type Call =
  | readonly ['header', first: string, length: number]
  | readonly ['payload', bytes: string]
  | readonly ['end', consumed: number]
  | readonly ['violation', code: string, offset: number, message: string]

export interface RecordedParser {
  readonly parser: FrameParser
  readonly calls: Call[]
  /** Pushes a copy of the bytes, so that unmasking leaves the caller's alone. */
  push(bytes: Uint8Array): number
}

/** @param steps whether messages of one frame may come in one call, which is written down as the three that it stands for */
export function recordParser(options: Partial<FrameParserOptions> & { role: Role }, steps = true): RecordedParser {
  const calls: Call[] = []
  const sink: FrameSink = {
    onHeader: (first, length) => void calls.push(['header', first.toString(16).padStart(2, '0'), length]),
    onPayload: (buffer, start, end) => {
      const bytes = toHex(buffer.subarray(start, end))
      const last = calls.at(-1)
      if (last?.[0] === 'payload') calls.splice(-1, 1, ['payload', last[1] + bytes])
      else calls.push(['payload', bytes])
    },
    onFrameEnd: () => void calls.push(['end', parser.consumed]),
    onViolation: (error) => void calls.push(['violation', error.code, error.offset, error.message]),
  }
  const onMessageFrame: FrameSink['onMessageFrame'] = (first, buffer, start, end) => {
    sink.onHeader(first, end - start)
    if (start < end) sink.onPayload(buffer, start, end)
    sink.onFrameEnd()
  }
  const rules = { ...DEFAULT_RULES, allowRsv1: false, ...options }
  const parser = new FrameParser(rules, steps ? { ...sink, onMessageFrame } : sink)
  return { parser, calls, push: (bytes) => parser.push(Uint8Array.from(bytes), 0, bytes.length) }
}

/** What a Protocol tells its handler. */
export type Entry =
  | readonly ['text', string]
  | readonly ['binary' | 'ping' | 'pong', bytes: string]
  | readonly ['closing']
  | readonly ['end']
  | readonly ['receivable']

/** The key of every frame of a client under test; that keys are random is proved elsewhere. */
export const FIXED_KEY = 0x5a0f_c381
const fixedPlatform: Platform = { ...portablePlatform, maskingKey: () => FIXED_KEY }

/** One end of a connection, with a record of all that it says. */
export class Endpoint {
  readonly protocol: Protocol
  readonly output: BufferedOutput = new BufferedOutput()
  readonly log: Entry[] = []
  readonly #role: Role

  /** `react` runs after an entry is written down, for what a handler does in response. */
  constructor(
    role: Role,
    options: Partial<ProtocolOptions> = {},
    react: (entry: Entry, endpoint: Endpoint, given?: string | Uint8Array) => void = () => {},
  ) {
    const note = (entry: Entry, given?: string | Uint8Array): void => {
      this.log.push(entry)
      react(entry, this, given)
    }
    const handler: ProtocolHandler = {
      onMessage: (data) => note(typeof data === 'string' ? ['text', data] : ['binary', toHex(data)], data),
      onPing: (payload) => note(['ping', toHex(payload)], payload),
      onPong: (payload) => note(['pong', toHex(payload)], payload),
      onClosing: () => note(['closing']),
      onEnd: () => note(['end']),
      onReceivable: () => note(['receivable']),
    }
    this.#role = role
    this.protocol = new Protocol({ role, output: this.output, handler, platform: fixedPlatform, ...options })
  }

  /** Gives copies of the chunks, one call each; chunks are expected to be consumed whole. */
  receive(...chunks: readonly Uint8Array[]): this {
    for (const chunk of chunks) {
      const consumed = this.protocol.receive(Uint8Array.from(chunk))
      if (consumed !== chunk.length) throw new Error(`consumed ${consumed} of ${chunk.length} bytes`)
    }
    return this
  }

  /**
   * The frames put out since the last call, each as `88 03e8`: first byte and payload. Read by the reference decoder in
   * the peer's role, so a wrong mask or length form shows as an error.
   */
  sent(): string[] {
    return framesOf(this.output.take(), this.#role)
  }

  /** Ends the transport and gives the close info in a form to compare: the cause by its code. */
  lose(error?: unknown): Summary {
    return summary(this.protocol.transportClosed(error))
  }
}

/** The close info with the cause's code in place of the cause. */
export type Summary = Omit<CloseInfo, 'cause'> & { readonly cause?: string }

export function summary({ cause, ...info }: CloseInfo): Summary {
  return cause === undefined ? info : { ...info, cause: cause.code }
}

/** The frames that an end of this role has written, each as its first byte and its payload in hex. */
function framesOf(bytes: Uint8Array, role: Role): string[] {
  const peer: Role = role === 'server' ? 'client' : 'server'
  const { frames, fault } = decodeFrames(bytes, { ...DEFAULT_RULES, role: peer })
  if (fault !== undefined || frames.some((frame) => frame.end === undefined)) {
    throw new Error(`no valid frames: ${toHex(bytes)} (${JSON.stringify(fault)})`)
  }
  return frames.map(({ first, payload }) => `${first.toString(16).padStart(2, '0')} ${toHex(payload)}`.trimEnd())
}

export const ROLES: readonly Role[] = ['server', 'client']
