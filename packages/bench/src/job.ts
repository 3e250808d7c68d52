// What one measurement does: data that goes as JSON to the processes that carry it out. Both ends derive the bytes on the
// wire from the same job (see wire.ts), so they never have to agree on anything else.

/** What the two ends of a connection do. */
export type Work =
  /** Each connection keeps `inFlight` messages with a server that sends them back. */
  | 'echo'
  /** The same, but `perSecond` messages in all are sent at even distances, and each one's round trip is taken. */
  | 'paced'
  /** A server sends `perTurn` messages to every connection in each turn. */
  | 'broadcast'
  /** Each connection subscribes to one of `topics`; in each turn a server sends `perTurn` messages to each of the next ones. */
  | 'publish'
  /** Connections are opened and reset as fast as they can be. */
  | 'connect'
  /** Connections are opened, send one message if it has a size, get it back, and are held. */
  | 'hold'
  /** Connections are opened and say nothing; a server pings each every `interval` ms. */
  | 'alive'
  /** A server sends to its clients as fast as they take it. */
  | 'burst'
  /** Each connection sends a message that inflates past the server's limit, and is opened anew once the server has ended it. */
  | 'bomb'

/** The largest message that ours takes by default; the other servers get it as their limit, where limits matter. */
export const LARGEST: number = 16 * 1024 * 1024

/** What a message holds: bytes, ASCII, text with characters of one to four bytes, or JSON. */
type Payload = 'binary' | 'ascii' | 'unicode' | 'json'

/** Whether messages are compressed, and whether they may refer to those before, at both ends. */
type Deflate = 'none' | 'noTakeover' | 'takeover'

export interface Job {
  readonly work: Work
  readonly connections: number
  /** Bytes of a message. */
  readonly size: number
  readonly inFlight: number
  readonly payload: Payload
  /** In how many frames a client sends a message. */
  readonly fragments: number
  /** permessage-deflate. */
  readonly deflate: Deflate
  /** Over TLS. */
  readonly secure: boolean
  /** How many connections share a session of HTTP/2; 0 for HTTP/1.1, where each has a socket. */
  readonly streams: number
  /** Ours with `binary: 'borrowed'`. */
  readonly borrowed: boolean
  /** Messages per second over all connections, for `paced`. */
  readonly perSecond: number
  /** Messages to each connection in one turn, for `broadcast` and `publish`. */
  readonly perTurn: number
  /** For `publish`. */
  readonly topics: number
  /** For `alive`. */
  readonly interval: number
}

/** To how many topics messages are published in one turn. */
export const TOPICS_A_TURN = 100

/** A job, of which only what matters has to be said. */
export function job(work: Work, connections: number, size: number, rest: Partial<Job> = {}): Job {
  return {
    work,
    connections,
    size,
    inFlight: 1,
    payload: 'binary',
    fragments: 1,
    deflate: 'none',
    secure: false,
    streams: 0,
    borrowed: false,
    perSecond: 0,
    perTurn: 1,
    topics: 0,
    interval: 0,
    ...rest,
  }
}

/** Paths of PEM files. */
export interface TlsFiles {
  readonly ca: string
  readonly key: string
  readonly cert: string
}

/** What a program gets on its command line, as JSON. */
export interface Assignment {
  readonly job: Job
  /** Where the server listens; 0 for the server itself. */
  readonly port: number
  readonly tls: TlsFiles
  /** Where packages are that a fresh clone does not have. */
  readonly competitors: string
}

/** What a process has used and done since its start. */
export interface Usage {
  /** When this was taken, in ms of the process's own clock. */
  readonly time: number
  /** CPU time, user and system, in ms. */
  readonly cpu: number
  /** Messages, or connections; 0 in a process that does not count. */
  readonly count: number
  /** The largest resident set size, in bytes. */
  readonly peakRss: number
}

/** Round trips, in microseconds. */
export interface RoundTrips {
  readonly p50: number
  readonly p99: number
  readonly p999: number
}

/** Delays of an event loop, in microseconds. */
export interface LoopDelay {
  readonly loopDelayP99: number
  readonly loopDelayMax: number
}

/** What the program of the codec gets on its command line, as JSON. */
export interface CodecAssignment {
  /** The case to run. */
  readonly part: string
}

/** Times of a message, as a share of another. */
export interface ChannelCost {
  /** With channels that nobody subscribes to, by that without any. */
  readonly channelCost: number
  /** Of the same once more, which should be 1. */
  readonly channelCostAgain: number
}

export interface Speed {
  /** Operations per second, by the median. */
  readonly perSecond: number
}
