// One connection after the opening handshake, without I/O: bytes in; messages, output frames and duties out. Rules:
// - Reading never writes to a transport: a pong, a Close, a violation become frames in the output, and the handler is told
//   what is to be done with transport and timers.
// - What the peer does wrong is answered and remembered, never thrown. What the caller does wrong throws before anything happens.
// - The core owns no timer and no socket; once it has left 'open' the state table alone says what may still happen.

import { type CloseInfo, LostInfo } from './close-info.ts'
import {
  CloseCode,
  DEFAULT_MAX_FRAGMENTS,
  DEFAULT_MAX_PAYLOAD,
  FIN,
  MAX_CLOSE_REASON,
  MAX_CONTROL_PAYLOAD,
  Opcode,
  type Role,
  RSV1,
} from './constants.ts'
import {
  type DeflateFault,
  type InflateSink,
  largestCompressed,
  type MessageCompression,
} from './deflate/compression.ts'
import { type ProtocolError, UsageError, usage, type WebSocketError } from './errors.ts'
import { isControl } from './frame/check.ts'
import {
  type ClosePayload,
  firstCloseFault,
  makeClosePayload,
  parseClosePayload,
  truncateUtf8,
} from './frame/close-payload.ts'
import { FrameParser, type FrameSink, opcodeOf } from './frame/parser.ts'
import { violation } from './frame/violation.ts'
import { integerOption, LARGEST_MAX_PAYLOAD } from './limits.ts'
import { MessageAssembler } from './message/assembler.ts'
import type { FrameOutput, KeySource } from './output.ts'
import { type Platform, portablePlatform } from './platform.ts'
import { readyStateOf, type State, transition } from './state.ts'

/** What the protocol tells its owner, synchronously from within a call of its methods. */
export interface ProtocolHandler {
  /** A whole message: text as a string, binary as bytes that are the receiver's to keep. */
  onMessage(data: string | Uint8Array): void
  /** A ping came. Its pong has been seen to. */
  onPing(payload: Uint8Array): void
  /** A pong came, asked for or not. */
  onPong(payload: Uint8Array): void
  /** The connection began to close: start a timer, and destroy the transport when it runs out. Called once. */
  onClosing(): void
  /** We are the one to end TCP: flush the output, then end our side (§7.1.1). Called at most once. */
  onEnd(): void
  /**
   * {@link Protocol.receive} takes bytes again: a message that took longer to inflate has been dealt with. Comes only with a
   * decompressor that makes its caller wait.
   */
  onReceivable?(): void
}

export interface ProtocolOptions {
  /** Which end this is. */
  readonly role: Role
  /** Where frames go. */
  readonly output: FrameOutput
  readonly handler: ProtocolHandler
  /** The largest message, in bytes; 16 MiB by default. */
  readonly maxPayload?: number | undefined
  /** permessage-deflate as negotiated; without it a frame with RSV1 fails the connection. */
  readonly compression?: MessageCompression | undefined
  /** The largest number of frames of a message; 131,072 by default. */
  readonly maxFragments?: number | undefined
  readonly platform?: Platform | undefined
}

const NO_BYTES: Uint8Array = new Uint8Array(0)
/** The end of a connection to which no Close has come (§7.1.5). */
const NO_CLOSE: ClosePayload = { code: CloseCode.Abnormal, reason: '' }

/** The protocol of RFC 6455 from the first frame to the last, for either role. */
export class Protocol implements FrameSink, InflateSink {
  readonly role: Role
  readonly #output: FrameOutput
  readonly #handler: ProtocolHandler
  readonly #platform: Platform
  readonly #nextKey: KeySource
  readonly #parser: FrameParser
  readonly #assembler: MessageAssembler
  readonly #compression: MessageCompression | undefined
  readonly #maxPayload: number

  #state: State = 'open'
  #opcode: Opcode = Opcode.Continuation
  /** Of the message that comes in: whether it is text, whether it is compressed. */
  #text = false
  #compressed = false
  /** Whether messages that come are delivered. */
  #wanted = true
  /** Whether it is being inflated: what follows it has to wait. */
  #inflating = false
  #first = 0
  #control = NO_BYTES
  #controlLength = 0
  #pendingPong: Uint8Array | undefined
  #sendingOpcode: Opcode = Opcode.Continuation
  /** What the close info will say. */
  #ending: ClosePayload = NO_CLOSE
  #initiator: CloseInfo['initiator'] = 'transport'
  #cause: WebSocketError | undefined
  #framesIn = 0
  #framesOut = 0

  /** @throws UsageError on a limit that makes no sense */
  constructor(options: ProtocolOptions) {
    const platform = options.platform ?? portablePlatform
    this.role = options.role
    this.#output = options.output
    this.#handler = options.handler
    this.#platform = platform
    this.#nextKey = options.role === 'client' ? platform.maskingKey : undefined
    const { compression } = options
    const maxPayload = integerOption('maxPayload', options.maxPayload, DEFAULT_MAX_PAYLOAD, 0, LARGEST_MAX_PAYLOAD)
    this.#compression = compression
    this.#maxPayload = maxPayload
    this.#assembler = new MessageAssembler(platform)
    this.#parser = new FrameParser(
      {
        role: options.role,
        maxPayload,
        maxCompressed: largestCompressed(maxPayload),
        maxFragments: integerOption('maxFragments', options.maxFragments, DEFAULT_MAX_FRAGMENTS, 1),
        allowRsv1: compression !== undefined,
        applyMask: platform.applyMask,
      },
      this,
    )
  }

  get state(): State {
    return this.#state
  }

  /** 1 OPEN, 2 CLOSING, 3 CLOSED: the opening handshake lies before. */
  get readyState(): 1 | 2 | 3 {
    return readyStateOf(this.#state)
  }

  /** Whether we failed the connection though the peer kept to the protocol: it may be in the middle of a message. */
  get refused(): boolean {
    const { code } = this.#ending
    return this.#state === 'failed' && code !== CloseCode.ProtocolError && code !== CloseCode.InvalidPayload
  }

  /** How many bytes of the peer's stream have been consumed. */
  get bytesIn(): number {
    return this.#parser.consumed
  }

  /** How many frames came whole, of any kind. */
  get framesIn(): number {
    return this.#framesIn
  }

  /** How many frames were put into the output, of any kind. */
  get framesOut(): number {
    return this.#framesOut
  }

  /** Whether messages may go out compressed. */
  get compresses(): boolean {
    return this.#compression !== undefined
  }

  /** Whether the peer owes us the rest of a message or of a frame. */
  get midMessage(): boolean {
    return this.#parser.midMessage
  }

  /** Whether a message is being inflated: {@link receive} takes nothing until `onReceivable` comes. */
  get inflating(): boolean {
    return this.#inflating
  }

  /**
   * Takes bytes from the peer; they are given over, payload is unmasked in place.
   * @returns the index after the last byte consumed: `end`, unless {@link stop} was called from a handler, or a message takes
   * longer to inflate
   */
  receive(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
    if (this.#inflating) return start
    return this.#parser.push(bytes, start, end)
  }

  /** Makes the running {@link receive} return after the frame in hand: pass the remainder again when there is room. */
  stop(): void {
    this.#parser.stop()
  }

  /** Sends a text message, compressed if that was negotiated and is worth it. @returns false outside 'open': nothing was sent */
  sendText(text: string, compress = true): boolean {
    if (!this.#maySendMessage()) return false
    if (compress && this.#compression !== undefined && text.length >= this.#compression.threshold) {
      return this.sendBinary(this.#platform.encodeUtf8(text), Opcode.Text)
    }
    this.#framesOut++
    this.#output.writeText(FIN | Opcode.Text, text, this.#nextKey)
    return true
  }

  /** Sends a message of bytes: binary, or text that is UTF-8 already. @returns false outside 'open' */
  sendBinary(
    payload: Uint8Array,
    opcode: typeof Opcode.Text | typeof Opcode.Binary = Opcode.Binary,
    compress = true,
  ): boolean {
    if (!this.#maySendMessage()) return false
    return this.#sendWhole(opcode, payload, this.#deflate(payload, compress))
  }

  /**
   * Sends a message that the owner has had compressed, in the order in which {@link MessageCompression} did.
   * @param deflated what it gave: `undefined` if the message is to go out as it is
   * @returns false outside 'open'
   */
  sendDeflated(
    payload: Uint8Array,
    opcode: typeof Opcode.Text | typeof Opcode.Binary,
    deflated: Uint8Array | undefined,
  ): boolean {
    return this.#maySendMessage() && this.#sendWhole(opcode, payload, deflated)
  }

  /**
   * Counts a message of `length` bytes as sent whose frame, unmasked and as it is, the owner puts into the output itself.
   * @returns false if this connection needs a frame of its own, masked or compressed: nothing was counted
   */
  sendElsewhere(length: number, compress = true): boolean {
    const compressed = compress && this.#compression !== undefined && length >= this.#compression.threshold
    if (this.role === 'client' || compressed || !this.#maySendMessage()) return false
    this.#framesOut++
    return true
  }

  /**
   * Sends a piece of a message (§5.4): the first piece says the kind, `last` ends it. Control frames may come between.
   * @returns false outside 'open': the remaining pieces are not to be sent
   * @throws UsageError if the kind changes in the middle of a message
   */
  sendFragment(opcode: typeof Opcode.Text | typeof Opcode.Binary, payload: Uint8Array, last: boolean): boolean {
    if (this.#state !== 'open') return false
    const begun = this.#sendingOpcode !== Opcode.Continuation
    if (begun && this.#sendingOpcode !== opcode) throw new UsageError('all fragments of a message must have its opcode')
    this.#sendingOpcode = last ? Opcode.Continuation : opcode
    this.#write((last ? FIN : 0) | (begun ? Opcode.Continuation : opcode), payload)
    return true
  }

  /** Sends a ping. @returns false unless open. @throws UsageError if the payload has over 125 bytes (§5.5) */
  ping(payload: Uint8Array): boolean {
    return this.#sendControl(Opcode.Ping, payload)
  }

  /** Sends an unsolicited pong (§5.5.3). @returns false unless open. @throws UsageError as {@link ping} */
  pong(payload: Uint8Array): boolean {
    return this.#sendControl(Opcode.Pong, payload)
  }

  /**
   * Begins the closing handshake (§7.1.2); without a code the Close frame is empty.
   * @param discard whether the messages that still come are read and forgotten; false delivers those up to the peer's Close
   * @returns false if the connection was closing or closed already
   * @throws UsageError on a code that may not be sent, on a reason of over 123 bytes or without a code
   */
  close(code?: number, reason?: string, discard = true): boolean {
    const payload = this.closePayload(code, reason)
    const begins = this.#state === 'open'
    if (discard) this.#discardMessages()
    if (begins) {
      this.#initiator = 'local'
      this.#sendClose(payload)
      this.#handler.onClosing()
    }
    if (discard) this.#endInflating()
    return begins
  }

  /** Makes the payload of a Close of ours. @throws UsageError as {@link close} does */
  closePayload(code?: number, reason?: string): Uint8Array {
    if (code === CloseCode.MissingExtension && this.role === 'server') {
      throw usage('close code', 'another one: only a client sends 1010 (RFC 6455 §7.4.1)', code)
    }
    return makeClosePayload(code, reason)
  }

  /** Fails the connection (§7.1.7): a Close with the error's code if none has been sent, then the end. */
  fail(error: ProtocolError): void {
    if (this.#state === 'failed' || this.#state === 'ending' || this.#state === 'closed') return
    const wasOpen = this.#state === 'open'
    if (wasOpen) {
      this.#write(FIN | Opcode.Close, makeClosePayload(error.closeCode, truncateUtf8(error.message, MAX_CLOSE_REASON)))
    }
    this.#initiator = 'local'
    this.#cause = error
    this.#ending = { code: error.closeCode, reason: error.message }
    this.#state = transition(this.#state, 'fail')
    this.#becomeDiscarder()
    if (wasOpen) this.#handler.onClosing()
    this.#handler.onEnd()
  }

  /** Fails the connection for a reason of ours: a timeout, a handler or a source that failed. */
  failWith(code: 'MESSAGE_TIMEOUT' | 'HANDLER_FAILED' | 'SOURCE_FAILED', detail?: string): void {
    this.fail(violation(code, this.bytesIn, detail))
  }

  /** Gives the connection up without a word to the peer; the owner destroys the transport, {@link transportClosed} follows. */
  abort(cause: WebSocketError): void {
    if (this.#state === 'failed' || this.#state === 'ending' || this.#state === 'closed') return
    if (this.#state === 'open') this.#initiator = 'local'
    this.#cause = cause
    this.#state = transition(this.#state, 'fail')
    this.#becomeDiscarder()
  }

  /** The transport is gone: the last event of a connection. @returns how it ended */
  transportClosed(error?: unknown): CloseInfo {
    const before = this.#state
    this.#state = transition(before, 'transport-closed')
    this.#becomeDiscarder()
    return this.#closeInfo(before, error)
  }

  /** The output takes bytes again: a pong that was held back goes out now. */
  unblocked(): void {
    const payload = this.#pendingPong
    if (payload === undefined) return
    this.#pendingPong = undefined
    this.#write(FIN | Opcode.Pong, payload)
  }

  // --- FrameSink: called by the parser

  onHeader(first: number, length: number): void {
    this.#first = first
    this.#opcode = opcodeOf(first)
    if (isControl(first)) {
      this.#control = this.#platform.allocate(length)
      this.#controlLength = 0
      return
    }
    if (this.#opcode !== Opcode.Continuation) this.#beginMessage(first)
    this.#assembler.expect(length, (first & FIN) !== 0)
  }

  onPayload(buffer: Uint8Array, start: number, end: number): void {
    if (isControl(this.#first)) return this.#takeControl(buffer, start, end)
    if (!this.#wanted) return // what comes after our Close is read
    const invalid = this.#assembler.push(buffer, start, end)
    if (invalid >= 0) this.fail(violation('INVALID_UTF8', this.#parser.offsetAfter(invalid)))
  }

  onFrameEnd(): void {
    this.#framesIn++
    if (isControl(this.#first)) return this.#endControl()
    if ((this.#first & FIN) === 0 || !this.#wanted) return
    const message = this.#assembler.end()
    if (message === undefined) this.fail(violation('INVALID_UTF8', this.bytesIn, 'cut short'))
    else if (this.#compressed) this.#inflate(message as Uint8Array, this.#compression as MessageCompression)
    else this.#handler.onMessage(message)
  }

  onMessageFrame(first: number, buffer: Uint8Array, start: number, end: number): void {
    const { copy, decodeText } = this.#platform
    if (!this.#wanted || (first & RSV1) !== 0) return this.#takeInParts(first, buffer, start, end)
    const message = first === (FIN | Opcode.Text) ? decodeText(buffer, start, end) : copy(buffer, start, end)
    if (message === undefined) return this.#takeInParts(first, buffer, start, end) // which finds the byte that is wrong
    this.#framesIn++
    this.#handler.onMessage(message)
  }

  onViolation(error: ProtocolError): void {
    this.fail(error)
  }

  // --- InflateSink

  onInflated(inflated: Uint8Array | DeflateFault): void {
    if (!this.#inflating) return
    this.#inflating = false
    this.#deliver(inflated)
    this.#handler.onReceivable?.()
  }

  // --- inside

  #takeInParts(first: number, buffer: Uint8Array, start: number, end: number): void {
    this.onHeader(first, end - start)
    if (start < end) this.onPayload(buffer, start, end)
    if (this.#state !== 'failed') this.onFrameEnd()
  }

  #beginMessage(first: number): void {
    this.#text = this.#opcode === Opcode.Text
    this.#compressed = (first & RSV1) !== 0
    this.#assembler.begin(this.#text && !this.#compressed)
  }

  /** What takes longer is waited for: nothing that follows is read. */
  #inflate(payload: Uint8Array, compression: MessageCompression): void {
    const inflated = compression.inflate(payload, this.#maxPayload, this)
    if (inflated === undefined) {
      this.#inflating = true
      this.#parser.stop()
    } else if (typeof inflated === 'string' || this.#text) this.#deliver(inflated)
    else {
      const bytes = this.#platform.allocate(inflated.length)
      bytes.set(inflated)
      this.#handler.onMessage(bytes)
    }
  }

  /** The bytes of a compressed text are validated once they are inflated (STANDARDS K9). */
  #deliver(inflated: Uint8Array | DeflateFault): void {
    if (typeof inflated === 'string') return this.fail(violation(inflated, this.bytesIn))
    const message = this.#text ? this.#platform.decodeText(inflated, 0, inflated.length) : inflated
    if (message !== undefined) this.#handler.onMessage(message)
    else this.fail(violation('INVALID_UTF8', this.bytesIn, 'in a compressed message'))
  }

  /** Nothing is waited for any more, and reading goes on. */
  #endInflating(): void {
    if (!this.#inflating) return
    this.#inflating = false
    this.#handler.onReceivable?.()
  }

  /** The payload to send for a message, if it is worth compressing. */
  #deflate(message: Uint8Array, compress: boolean): Uint8Array | undefined {
    const compression = this.#compression
    if (!compress || compression === undefined || message.length < compression.threshold) return undefined
    return compression.deflate(message)
  }

  #sendWhole(opcode: Opcode, payload: Uint8Array, deflated: Uint8Array | undefined): true {
    if (deflated === undefined) this.#write(FIN | opcode, payload)
    else this.#write(FIN | RSV1 | opcode, deflated)
    return true
  }

  #takeControl(buffer: Uint8Array, start: number, end: number): void {
    const before = this.#controlLength
    this.#control.set(buffer.subarray(start, end), before)
    this.#controlLength += end - start
    if (this.#opcode !== Opcode.Close) return
    const fault = firstCloseFault(this.#control, this.#controlLength)
    if (fault === undefined) return
    const offset = this.#parser.offsetAfter(start + fault.index - before)
    this.fail(violation(fault.error, offset, fault.detail))
  }

  #endControl(): void {
    const payload = this.#control
    this.#control = NO_BYTES
    if (this.#opcode === Opcode.Pong) this.#handler.onPong(payload)
    else if (this.#opcode === Opcode.Ping) this.#receivePing(payload)
    else this.#receiveClose(payload)
  }

  /** A pong is due also after our own Close; once the peer's has come, the parser discards (§5.5.2). */
  #receivePing(payload: Uint8Array): void {
    if (this.#output.blocked) {
      this.#pendingPong = Uint8Array.from(payload) // only the latest need be answered (§5.5.3); the handler owns its own
    } else {
      this.unblocked() // one that still waits goes first
      this.#write(FIN | Opcode.Pong, payload)
    }
    this.#handler.onPing(payload)
  }

  #receiveClose(payload: Uint8Array): void {
    const close = parseClosePayload(payload)
    if ('error' in close) return this.fail(violation(close.error, this.bytesIn, close.detail))
    this.#ending = close
    const wasOpen = this.#state === 'open'
    this.#state = transition(this.#state, 'receive-close')
    this.#becomeDiscarder()
    if (wasOpen) {
      this.#initiator = 'remote'
      this.#sendClose(payload.subarray(0, 2)) // the same code, no reason; empty answers empty (§5.5.1)
      this.#handler.onClosing()
    }
    // The server ends TCP first, so that TIME_WAIT is its own; the client waits for that (§7.1.1).
    if (this.role === 'server') this.#handler.onEnd()
  }

  #becomeDiscarder(): void {
    this.#parser.discard()
    this.#discardMessages()
    this.#pendingPong = undefined
    this.#inflating = false
  }

  #discardMessages(): void {
    this.#wanted = false
    this.#assembler.drop()
    this.#compression?.close()
  }

  #sendClose(payload: Uint8Array): void {
    this.#write(FIN | Opcode.Close, payload)
    this.#state = transition(this.#state, 'send-close')
  }

  #sendControl(opcode: Opcode, payload: Uint8Array): boolean {
    if (payload.length > MAX_CONTROL_PAYLOAD)
      throw usage('length of a ping or pong payload', 'at most 125 bytes (RFC 6455 §5.5)', payload.length)
    if (this.#state !== 'open') return false
    this.#write(FIN | opcode, payload)
    return true
  }

  #write(first: number, payload: Uint8Array): void {
    this.#framesOut++
    this.#output.writeBinary(first, payload, this.#nextKey)
  }

  #maySendMessage(): boolean {
    if (this.#state !== 'open') return false
    if (this.#sendingOpcode !== Opcode.Continuation) {
      throw new UsageError('a fragmented message is being sent: end it first (RFC 6455 §5.4)')
    }
    return true
  }

  #closeInfo(before: State, error: unknown): CloseInfo {
    const initiator = this.#initiator
    if (before === 'ending') return { ...this.#ending, wasClean: true, initiator }
    if (this.#cause === undefined) return new LostInfo(this.#ending, initiator, error)
    return { ...this.#ending, wasClean: false, initiator, cause: this.#cause }
  }
}
