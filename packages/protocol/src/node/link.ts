// What ties a transport to the protocol: the adapter's duties, and nothing of the application's view. Rules:
// - A chunk is parsed to its end or to where the inbox is full; then output is flushed and duties are carried out, in
//   that order. Nothing keeps a view into the chunk: an unparsed remainder is copied.
// - A nested read (a transport that delivers from within a write) is copied and queued, never parsed inside another.
// - The transport's `closed` is the last event of all, and comes once.

import { Buffer } from 'node:buffer'
import type { Channel } from 'node:diagnostics_channel'
import type { CloseInfo } from '../close-info.ts'
import type { Role } from '../constants.ts'
import type { DeflateParameters } from '../deflate/parameters.ts'
import { WebSocketError } from '../errors.ts'
import { Protocol, type ProtocolHandler } from '../protocol.ts'
import { Alarm } from './alarm.ts'
import { ConnectionCodec } from './deflate/codec.ts'
import { RECEIVED } from './diagnostics.ts'
import { expectEnd, forget } from './exit.ts'
import { Heartbeat, type HeartbeatTarget } from './heartbeat.ts'
import { Inbox, type InboxOwner, type Message } from './inbox.ts'
import { Outbox, type OutboxOwner } from './outbox.ts'
import { asBuffer, borrowingPlatform, nodePlatform } from './platform.ts'
import type { ConnectionSettings } from './settings.ts'
import type { Transport, TransportSink } from './transport/transport.ts'

/** The least progress, in bytes, that keeps a message in progress or a closing connection from its timeout. */
const MIN_PROGRESS = 1024

/** The pause of a peer, in ms, that is taken for the end of what it was sending. */
const LINGER = 100

/** What a heartbeat's ping carries: no payload that `Pings` makes, so that its pong answers no ping of the application. */
const HEARTBEAT_PAYLOAD: Buffer = Buffer.from('heartbeat')

/** The application's side of a link. */
export interface LinkOwner {
  deliver(message: Message, consumer: 'handlers' | 'listeners'): unknown
  deliveryFailed(error: unknown): void
  inboxIdle(): void
  onPing(payload: Uint8Array): void
  onPong(payload: Uint8Array): void
  /** Bytes that are to be sent and are not in the outbox yet. */
  readonly queued: number
  onDrain(): void
  /** Publishes that a message came or went. */
  report(channel: Channel, size: number, binary: boolean): void
  onClosed(info: CloseInfo): void
}

export class Link implements TransportSink, ProtocolHandler, OutboxOwner, InboxOwner, HeartbeatTarget {
  readonly protocol: Protocol
  readonly outbox: Outbox
  readonly inbox: Inbox
  readonly settings: ConnectionSettings
  readonly transport: Transport
  /** permessage-deflate, if it was agreed on. */
  readonly codec: ConnectionCodec | undefined
  readonly #owner: LinkOwner
  #heartbeat: Heartbeat | undefined
  #closeAlarm: Alarm | undefined
  #messageAlarm: Alarm | undefined
  #remainder: Buffer | undefined
  #reading = false
  #stalled = false
  #endDue = false
  #peerEnded = false
  #gone = false
  /** Whether its end is told later: a message that came before is still being inflated. */
  #endWaits = false
  #finishing = false
  /** Why the transport is gone, if it did not end by itself. */
  #lost: Error | undefined
  #outputEnded = false
  #discarding = false
  #closeBy = 0
  #awaitingDrain = false
  #bytesIn = 0
  #messagesIn = 0

  constructor(
    transport: Transport,
    role: Role,
    settings: ConnectionSettings,
    deflate: DeflateParameters | undefined,
    owner: LinkOwner,
  ) {
    this.transport = transport
    this.settings = settings
    this.#owner = owner
    this.outbox = new Outbox(transport, this, settings)
    this.inbox = new Inbox(this, settings)
    const { perMessageDeflate } = settings
    const compressed = perMessageDeflate !== undefined && deflate !== undefined
    this.codec = compressed ? new ConnectionCodec(role, deflate, perMessageDeflate) : undefined
    this.protocol = new Protocol({
      role,
      output: this.outbox,
      handler: this,
      compression: this.codec,
      maxPayload: settings.maxPayload,
      maxFragments: settings.maxFragments,
      platform: settings.binary === 'borrowed' ? borrowingPlatform : nodePlatform,
    })
    if (settings.incoming === 'discard') this.inbox.claim('discard')
  }

  /** Starts reading: from here on the transport's bytes are parsed. */
  start(): void {
    const { heartbeat } = this.settings
    if (heartbeat !== undefined) this.#heartbeat = new Heartbeat(this, heartbeat)
    this.transport.read(this)
  }

  get bytesIn(): number {
    return this.#bytesIn
  }

  get messagesIn(): number {
    return this.#messagesIn
  }

  /** Whether the connection is over. */
  get gone(): boolean {
    return this.#gone
  }

  /** Whether our side of the transport has been ended because the peer's has. */
  get outputEnded(): boolean {
    return this.#outputEnded
  }

  /** Asks for {@link LinkOwner.onDrain} once the output is low. */
  awaitDrain(): void {
    this.#awaitingDrain = true
    this.outbox.watched = true
  }

  /** Forgets the messages that wait and those that still come; what is read is read on, to the peer's Close. */
  discardInput(): void {
    this.#discarding = true
    this.inbox.clear()
  }

  /** Publishes that a message came or went. */
  report(channel: Channel, data: Message | number, binary: boolean): void {
    const size = typeof data === 'string' ? Buffer.byteLength(data) : typeof data === 'number' ? data : data.length
    this.#owner.report(channel, size, binary)
  }

  /** Destroys the connection for a reason of ours. */
  abort(cause: WebSocketError): void {
    if (this.#gone && !this.#endWaits && !this.#finishing) return
    this.protocol.abort(cause)
    this.outbox.endSharing()
    this.inbox.clear()
    if (this.#gone) this.#finish()
    else this.transport.abort()
  }

  // --- TransportSink

  data(buffer: Uint8Array, start: number, end: number): void {
    this.#bytesIn += end - start
    if (this.#reading || this.#remainder !== undefined) this.#keep(buffer, start, end)
    else this.#read(buffer, start, end)
  }

  ended(): void {
    this.#peerEnded = true
    if (this.#remainder === undefined && !this.#reading && !this.protocol.inflating) this.#answerEnd()
  }

  closed(error?: Error): void {
    this.#stalled = false
    this.#gone = true
    this.#outputEnded = true
    this.#lost = error
    this.#finish()
  }

  /** Tells of the end, once what came before it has been dealt with. */
  #finish(): void {
    if (this.#finishing) return // what is read below may be a reason to end, too
    this.#finishing = true
    this.#readRemainder()
    this.#finishing = false
    this.#endWaits = this.protocol.inflating
    if (this.#endWaits) return
    const error = this.#lost
    this.#heartbeat?.clear()
    this.#closeAlarm?.clear()
    this.#messageAlarm?.clear()
    forget(this)
    const info = this.protocol.transportClosed(error)
    this.outbox.discard(error)
    this.inbox.end()
    this.#owner.onClosed(info)
  }

  // --- ProtocolHandler

  onMessage(data: Message): void {
    if (this.#discarding) return
    this.#messagesIn++
    if (RECEIVED.hasSubscribers) this.report(RECEIVED, data, typeof data !== 'string')
    this.inbox.push(data)
    if (this.inbox.full && !this.#gone) this.protocol.stop()
  }

  onPing(payload: Uint8Array): void {
    this.#owner.onPing(payload)
  }

  onPong(payload: Uint8Array): void {
    this.#owner.onPong(payload)
  }

  onClosing(): void {
    this.#heartbeat?.clear()
    this.#armClose()
  }

  onEnd(): void {
    this.#endDue = true
    if (this.#endWaits) this.#finish()
    else if (!this.#reading) this.#carryOut()
  }

  onReceivable(): void {
    if (this.#endWaits) this.#finish()
    else this.#goOn()
  }

  // --- OutboxOwner

  outputProgressed(): void {
    if (!this.outbox.blocked) this.protocol.unblocked()
    if (!this.#awaitingDrain) return
    if (2 * (this.outbox.bufferedAmount + this.#owner.queued) > this.settings.highWaterMark) return
    this.#awaitingDrain = false
    this.outbox.watched = false
    this.#owner.onDrain()
  }

  // --- InboxOwner

  deliver(message: Message, consumer: 'handlers' | 'listeners'): unknown {
    return this.#owner.deliver(message, consumer)
  }

  deliveryFailed(error: unknown): void {
    this.#owner.deliveryFailed(error)
  }

  inboxIdle(): void {
    this.#owner.inboxIdle()
  }

  inboxHasRoom(): void {
    this.#goOn()
  }

  // --- HeartbeatTarget

  get lifeSigns(): number {
    return this.#bytesIn + this.outbox.progress
  }

  get readingStopped(): boolean {
    return this.#stalled
  }

  sendHeartbeat(left: () => void): void {
    if (!this.protocol.ping(HEARTBEAT_PAYLOAD)) return
    this.outbox.onFlushed((error) => {
      if (error === undefined) left()
    })
    this.outbox.flush() // many are pinged in one turn: at its end each would hold a slab
  }

  heartbeatMissed(): void {
    this.abort(new WebSocketError('HEARTBEAT_TIMEOUT', 'the peer sent nothing and did not answer a ping in time'))
  }

  // --- inside

  /** @param ours whether the buffer is a remainder of ours, of which a part may be kept without another copy */
  #read(buffer: Uint8Array, start: number, end: number, ours = false): void {
    this.#reading = true
    this.outbox.reading = true
    const stop = this.protocol.receive(buffer, start, end)
    this.#reading = false
    this.outbox.reading = false
    if (stop < end) this.#keepFirst(buffer.subarray(stop, end), ours)
    this.#carryOut()
    this.#stallIfDue()
    this.#watchMessage()
    if (this.#remainder !== undefined && !this.#stalled && !this.protocol.inflating) this.#readRemainder()
  }

  #readRemainder(): void {
    const remainder = this.#remainder
    if (remainder !== undefined) {
      this.#remainder = undefined
      this.#read(remainder, 0, remainder.length, true)
    }
    if (this.#peerEnded && this.#remainder === undefined && !this.protocol.inflating) this.#answerEnd()
  }

  /** Copies bytes behind those that wait already. */
  #keep(buffer: Uint8Array, start: number, end: number): void {
    const bytes = buffer.subarray(start, end)
    this.#remainder = this.#remainder === undefined ? Buffer.from(bytes) : Buffer.concat([this.#remainder, bytes])
  }

  /** Keeps what was left unread of a chunk, before what a nested read has queued. */
  #keepFirst(bytes: Uint8Array, ours: boolean): void {
    const queued = this.#remainder
    this.#remainder = ours ? asBuffer(bytes) : Buffer.from(bytes)
    if (queued !== undefined) this.#keep(queued, 0, queued.length)
  }

  /** Whether messages may still come. */
  #receives(): boolean {
    const { state } = this.protocol
    return state === 'open' || state === 'local-closing'
  }

  /** Stops reading while the inbox is full, or a message is being inflated. */
  #stallIfDue(): void {
    if (!(this.inbox.full || this.protocol.inflating) || this.#gone || !this.#receives()) return
    this.#stalled = true
    this.transport.pause()
  }

  /** Reads on, once nothing holds it up. */
  #goOn(): void {
    const held = this.protocol.inflating || (this.inbox.full && this.#receives())
    if (!this.#stalled || this.#reading || held) return
    this.#stalled = false
    this.#readRemainder()
    if (!this.#stalled) this.transport.resume()
  }

  /** Flushes what the read has made, then ends our side if the protocol asked for it. */
  #carryOut(): void {
    this.outbox.flush()
    if (!this.#endDue) return
    this.#endDue = false
    this.#remainder = undefined
    this.#stalled = false
    if (this.protocol.refused && this.transport.isSocket) this.#linger()
    else this.transport.end()
    this.transport.resume() // what still comes is discarded, up to the peer's end
  }

  /**
   * Ends our side once the peer pauses. A proxy that sees our end while the peer still sends, as one does whose message is
   * refused, tears both connections down, and our Close may be lost on the way. The closing alarm bounds it.
   */
  #linger(): void {
    let before = this.#bytesIn
    const pause = Math.min(LINGER, this.settings.closeTimeout / 2)
    const look = (): void => {
      if (this.#outputEnded) return
      if (this.#bytesIn === before) return this.transport.end()
      before = this.#bytesIn
      alarm.set(pause)
    }
    // What came while this process was held up is read first.
    const alarm = new Alarm(() => setImmediate(look))
    alarm.set(pause)
  }

  /** The peer has ended its side: we end ours; without Close frames this is a lost connection (STANDARDS L19). */
  #answerEnd(): void {
    this.outbox.flush()
    this.outbox.endSharing()
    this.#outputEnded = true
    this.transport.end()
    if (!this.#gone) this.#armClose()
  }

  /**
   * While output from before the closing makes progress, there is more time; pongs that the peer asks for make none. A Close
   * that waits its turn in the queue has what is sent before it to wait for; while we do not read, the peer's may be there.
   */
  #armClose(): void {
    this.#closeBy = this.outbox.taken
    if (this.#closeAlarm !== undefined) return
    if (this.protocol.role === 'client') {
      this.transport.unref()
      expectEnd(this)
    }
    let before = this.outbox.progress
    let leaving = true
    const wake = (slept: boolean): void => {
      const made = leaving ? Math.abs(this.outbox.progress - before) : 0
      before = this.outbox.progress
      leaving = this.outbox.flushed < this.#closeBy || this.protocol.state === 'open'
      if (made >= MIN_PROGRESS || this.#stalled || slept) alarm.set(this.settings.closeTimeout)
      else
        this.abort(
          new WebSocketError('CLOSE_TIMEOUT', `the connection did not close within ${this.settings.closeTimeout} ms`),
        )
    }
    const alarm = new Alarm(wake)
    this.#closeAlarm = alarm
    alarm.set(this.settings.closeTimeout)
  }

  /** Sees to it that a message in progress goes on. The alarm stays set between messages: setting it is the dear part. */
  #watchMessage(): void {
    const { messageTimeout } = this.settings
    if (messageTimeout === 0 || !this.protocol.midMessage || this.#messageAlarm?.pending === true || this.#gone) return
    let before = this.#messageMark()
    const wake = (slept: boolean): void => {
      const now = this.#messageMark()
      if (!this.protocol.midMessage) return
      const slow = now.messages === before.messages && now.bytes - before.bytes < MIN_PROGRESS
      before = now
      if (slow && !this.#stalled && !slept)
        this.protocol.failWith('MESSAGE_TIMEOUT', `under 1 KiB in ${messageTimeout} ms`)
      else alarm.set(messageTimeout)
    }
    const alarm = new Alarm(wake)
    this.#messageAlarm = alarm
    alarm.set(messageTimeout)
  }

  #messageMark(): { messages: number; bytes: number } {
    return { messages: this.#messagesIn, bytes: this.#bytesIn }
  }
}
