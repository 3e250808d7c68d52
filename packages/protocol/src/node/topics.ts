// Topics: which connections want which messages. Rules:
// - A topic is there as long as somebody subscribes to it, a subscription as long as its connection.
// - What a message costs depends on those who subscribe to its topic, and on nobody else.
// - It goes to those who subscribe when it is published. What changes while it is being sent, by an application's filter or
//   by bytes that a stream delivers from within a write, holds from the next message on.

import { ReadyState } from '../constants.ts'
import { usage } from '../errors.ts'
import { type BroadcastData, type BroadcastOptions, broadcast } from './broadcast.ts'
import type { WebSocketConnection } from './connection.ts'

interface Topic {
  readonly name: string
  readonly subscribers: Set<WebSocketConnection>
}

/**
 * The topics of a server. A `WebSocketServer` has its own; make one for tests (`connectPair`), or if you do the opening
 * handshake yourself, and give it to the connections that may subscribe.
 */
export class Topics<Data = unknown> {
  readonly #topics: Map<string, Topic> = new Map()
  /** Of each connection with subscriptions: the topics, also once it has left them. */
  readonly #subscribed: Map<WebSocketConnection, Set<Topic>> = new Map()

  #subscriptions = 0

  /** How many topics have subscribers. */
  get size(): number {
    return this.#topics.size
  }

  /** How many subscriptions there are. */
  get subscriptions(): number {
    return this.#subscriptions
  }

  /**
   * Sends one message to each subscriber of `topic` that is open: framed once, and compressed once for all that agreed on the same.
   * @returns to how many connections it was given
   * @throws UsageError if `topic` is no string or empty, `data` none of string, ArrayBuffer and view, or an option wrong
   */
  publish(topic: string, data: BroadcastData, options?: BroadcastOptions<Data>): number {
    return broadcast(this.subscribers(topic), data, options)
  }

  /** Who subscribes to `topic` now. @throws UsageError if it is no string or empty */
  subscribers(topic: string): WebSocketConnection<Data>[] {
    checkTopic(topic)
    return [...(this.#topics.get(topic)?.subscribers ?? [])] as WebSocketConnection<Data>[]
  }

  /** For the connection: see its `subscribe`. */
  subscribe(socket: WebSocketConnection, name: string): boolean {
    checkTopic(name)
    if (socket.readyState !== ReadyState.Open) return false
    const topic = this.#topics.get(name) ?? this.#begin(name)
    if (topic.subscribers.has(socket)) return false
    topic.subscribers.add(socket)
    this.#subscriptions++
    const subscribed = this.#subscribed.get(socket)
    if (subscribed === undefined) this.#subscribed.set(socket, new Set([topic]))
    else subscribed.add(topic)
    return true
  }

  /** For the connection: see its `unsubscribe`. */
  unsubscribe(socket: WebSocketConnection, name: string): boolean {
    checkTopic(name)
    const topic = this.#topics.get(name)
    if (topic === undefined || !this.#remove(socket, topic)) return false
    const subscribed = this.#subscribed.get(socket)
    subscribed?.delete(topic)
    if (subscribed?.size === 0) this.#subscribed.delete(socket)
    return true
  }

  /** For the connection: what it subscribes to; after its end, what it did then. */
  of(socket: WebSocketConnection): Set<string> {
    const names = new Set<string>()
    for (const { name } of this.#subscribed.get(socket) ?? []) names.add(name)
    return names
  }

  /** For the connection: it has ended. */
  leave(socket: WebSocketConnection): void {
    for (const topic of this.#subscribed.get(socket) ?? []) this.#remove(socket, topic)
  }

  /** For the connection: nobody asks about it any more. */
  forget(socket: WebSocketConnection): void {
    this.#subscribed.delete(socket)
  }

  #begin(given: string): Topic {
    const topic: Topic = { name: ownText(given), subscribers: new Set() }
    this.#topics.set(topic.name, topic)
    return topic
  }

  #remove(socket: WebSocketConnection, { name, subscribers }: Topic): boolean {
    if (!subscribers.delete(socket)) return false
    this.#subscriptions--
    if (subscribers.size === 0) this.#topics.delete(name)
    return true
  }
}

function checkTopic(topic: string): void {
  if (typeof topic !== 'string' || topic === '') throw usage('topic', 'a non-empty string', topic)
}

/** A part of a text keeps all of it in memory, and names are often cut out of messages. */
function ownText(text: string): string {
  return JSON.parse(JSON.stringify(text))
}
