// A well-behaved client that shares no code with ours: frames by hand, messages in fragments, bytes in odd chunks, pings between
// them, compressed by zlib with the agreed windows. It stalls by not reading TCP.

import { Buffer } from 'node:buffer'
import { type Compression, encode, MessageDeflater, Peer, type ReceivedMessage, type SentFrame } from '@ws/conformance'
import { pick, type Random } from '@ws/testkit'
import { Ledger } from '../ledger.ts'
import { GUEST_PATH } from '../server/application.ts'
import { converse, type Line } from './conversation.ts'
import { drop, type Opened, open } from './dial.ts'
import type { Visitor } from './visitor.ts'

const TEXT = 1
const BINARY = 2
const CLOSE = 8
const PING = 9
const PONG = 10
const NORMAL = Uint8Array.of(0x03, 0xe8)
/** What may be agreed on. */
const AGREEMENTS: readonly (Compression | undefined)[] = [
  undefined,
  undefined,
  { target: { bits: 15, takeover: true }, peer: { bits: 15, takeover: true } },
  { target: { bits: 15, takeover: false }, peer: { bits: 15, takeover: false } },
  { target: { bits: 10, takeover: true }, peer: { bits: 12, takeover: false } },
]

export const rawGuest: Visitor = async ({ port, random, leave }) => {
  const ledger = new Ledger()
  const compression = pick(random, AGREEMENTS)
  const early = random(4) === 0 ? encode(frameOf(ledger.ask('early')), 'server') : undefined
  const opened = await open(port, { path: GUEST_PATH, compression }, early)
  const line = new RawLine(opened, compression, ledger, random)
  await converse(line, ledger, random, leave)
  await drop(opened.socket)
  return ledger
}

class RawLine implements Line {
  readonly #opened: Opened
  readonly #peer: Peer
  readonly #deflater: MessageDeflater | undefined
  readonly #ledger: Ledger
  readonly #random: Random
  /** Resolves with the Close that the server sent, or with its end. */
  readonly #ended: Promise<string>
  #pings = 0
  #pong = ''

  constructor(opened: Opened, compression: Compression | undefined, ledger: Ledger, random: Random) {
    this.#opened = opened
    this.#peer = new Peer(opened.socket, 'server', opened.head, compression)
    this.#deflater = compression && new MessageDeflater(compression.peer)
    this.#ledger = ledger
    this.#random = random
    this.#ended = this.#read()
  }

  send(message: string | Buffer): void {
    const frames = this.#random(2) === 0 ? this.#whole(message) : this.#fragments(message)
    const bytes = Buffer.concat(frames.map((frame) => encode(frame, 'server')))
    this.#write(bytes)
  }

  pause(): void {
    this.#opened.socket.pause()
  }

  resume(): void {
    this.#opened.socket.resume()
  }

  async close(): Promise<string | undefined> {
    this.#write(encode({ opcode: CLOSE, payload: NORMAL }, 'server'))
    const end = await this.#ended
    if (end !== 'Close 1000') return `expected Close 1000 and the end of TCP, got ${end}`
    return this.#pings > 0 && this.#pong !== `ping ${this.#pings}` ? 'its last ping was not answered' : undefined
  }

  destroy(): void {
    this.#opened.socket.destroy()
  }

  #whole(message: string | Buffer): SentFrame[] {
    if (this.#deflater === undefined || this.#random(3) === 0) return [frameOf(message)]
    const content = Buffer.from(message as string)
    return this.#deflater.frames({
      opcode: opcodeOf(message),
      content,
      ...(this.#random(3) === 0 && { fragment: 700 }),
    })
  }

  /** Parts of any size, empty ones too, with pings between. */
  #fragments(message: string | Buffer): SentFrame[] {
    const bytes = Buffer.from(message as string)
    const cuts = Array.from({ length: this.#random(4) }, () => this.#random(bytes.length + 1)).sort((a, b) => a - b)
    return [...cuts, bytes.length].flatMap((end, index) => {
      const payload = bytes.subarray(index === 0 ? 0 : cuts[index - 1], end)
      const fragment = { opcode: index === 0 ? opcodeOf(message) : 0, payload, fin: index === cuts.length }
      return this.#random(4) === 0 ? [this.#ping(), fragment] : [fragment]
    })
  }

  #ping(): SentFrame {
    this.#pings++
    return { opcode: PING, payload: Buffer.from(`ping ${this.#pings}`) }
  }

  /** Sometimes in two writes, so that TCP cuts where no frame ends. */
  #write(bytes: Uint8Array): void {
    const cut = this.#random(3) === 0 ? this.#random(bytes.length) : 0
    if (cut > 0) this.#opened.socket.write(bytes.subarray(0, cut))
    this.#opened.socket.write(bytes.subarray(cut))
  }

  async #read(): Promise<string> {
    let end = 'the end of TCP'
    try {
      for (let frame = await this.#peer.next(); frame !== 'end'; frame = await this.#peer.next()) {
        if (frame.opcode === CLOSE) end = `Close ${frame.content.length < 2 ? '' : frame.content.readUInt16BE()}`
        else this.#take(frame)
      }
    } catch (error) {
      end = (error as Error).message
    }
    this.#ledger.end(end)
    return end
  }

  #take({ opcode, content }: ReceivedMessage): void {
    if (opcode === PING) this.#write(encode({ opcode: PONG, payload: content }, 'server'))
    else if (opcode === PONG) this.#pong = String(content)
    else this.#ledger.take(opcode === TEXT ? String(content) : content)
  }
}

function opcodeOf(message: string | Buffer): typeof TEXT | typeof BINARY {
  return typeof message === 'string' ? TEXT : BINARY
}

function frameOf(message: string | Buffer): SentFrame {
  return { opcode: opcodeOf(message), payload: Buffer.from(message as string) }
}
