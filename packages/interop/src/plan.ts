// The peer protocol: what a client is told to do over one connection, and what it and the server report. Rules: all of it is
// JSON, so that a peer may be another process, another language or a page; payloads are described, not carried.

/** One message, described. */
export type Payload =
  | { readonly type: 'text'; readonly unit: string; readonly times: number }
  | { readonly type: 'binary'; readonly length: number }

/** One thing that a client does; steps are taken in order. */
export type Step =
  | { readonly do: 'send'; readonly payload: Payload }
  /** The next message must be this one. */
  | { readonly do: 'receive'; readonly payload: Payload }
  /** So many text messages, each its number. */
  | { readonly do: 'sendNumbers' | 'receiveNumbers'; readonly count: number }
  /** One text message in these fragments, with a ping after the first. */
  | { readonly do: 'sendFragments'; readonly parts: readonly string[] }
  /** Sends a ping and waits for the pong with the same payload. */
  | { readonly do: 'ping'; readonly data: string }
  | { readonly do: 'close'; readonly code?: number; readonly reason?: string }
  /** Destroys the transport. */
  | { readonly do: 'abort' }

/** What either end may want of permessage-deflate; `false` is to go without. */
export type Deflate =
  | boolean
  | {
      readonly serverNoContextTakeover?: boolean
      readonly clientNoContextTakeover?: boolean
      readonly serverMaxWindowBits?: number
      readonly clientMaxWindowBits?: number
    }

/** One connection of a client: the steps, then waiting for its end. */
export interface Plan {
  readonly url: string
  readonly protocols: readonly string[]
  readonly deflate: Deflate
  readonly steps: readonly Step[]
}

/** What an end read and wrote on the wire; only our own API tells. */
export interface Bytes {
  readonly in: number
  readonly out: number
}

/** One connection as its client saw it. */
export interface Outcome {
  readonly protocol: string
  /** As the API tells it: the header, or the names only. */
  readonly extensions: string
  readonly code: number
  readonly reason: string
  readonly wasClean: boolean
  readonly bytes?: Bytes
  /** What was expected and what came, if a step failed. */
  readonly fault?: string
}

/** One connection as its server saw it. */
export interface Report {
  readonly protocol: string
  readonly extensions: string
  readonly code: number
  readonly reason: string
  readonly bytes?: Bytes
}

/**
 * What not every API can do. `compress`: compresses what it sends, not only reads what is compressed; `keepMark`: does not take
 * a byte order mark from the beginning of a message.
 */
export type Ability = 'abort' | 'compress' | 'fragment' | 'keepMark' | 'limit' | 'ping'

/** The largest message that servers, and clients with a limit, take. */
export const LIMIT: number = 2 * 1024 * 1024

/** The subprotocols that every server speaks. */
export const PROTOCOLS: readonly string[] = ['second', 'third']

/** A library in the role of a client. */
export interface ClientPeer {
  readonly can: readonly Ability[]
  run(plan: Plan): Promise<Outcome>
  dispose(): Promise<void>
}

/** A library in the role of a server. */
export interface ServerPeer {
  readonly can: readonly Ability[]
  listen(options: ListenOptions): Promise<Listener>
  dispose(): Promise<void>
}

export interface ListenOptions {
  readonly secure: boolean
  readonly deflate: Deflate
}

/** A server that listens. */
export interface Listener {
  readonly port: number
  /** How the connection with `?id=` in its URL ended. */
  ended(id: string): Promise<Report>
  close(): Promise<void>
}
