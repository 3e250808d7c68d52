// The seam between what is written once and the build: the sockets that it has. Everything in this folder runs on Node and in
// browsers; it imports nothing of either.

/** An event's handler; which event, the interface says. */
type Handler = ((event: never) => unknown) | null

/** As much of the WHATWG interface as is used here. The class of this package has it, and so have those of browsers. */
export interface StandardSocket {
  readonly url: string
  readonly readyState: number
  readonly protocol: string
  readonly extensions: string
  readonly bufferedAmount: number
  binaryType: 'blob' | 'arraybuffer'
  onopen: Handler
  onmessage: Handler
  onerror: Handler
  onclose: Handler
  send(data: string | ArrayBuffer | ArrayBufferView<ArrayBuffer> | Blob): void
  close(code?: number, reason?: string): void
}

/** A class of such sockets, called with URL and subprotocols. */
export type StandardSocketClass = new (url: string | URL, protocols: string | string[]) => StandardSocket

/** What one attempt is made with. */
interface DialGiven<Headers> {
  readonly url: string | URL
  readonly protocols: string | Iterable<string>
  readonly headers: Headers | undefined
}

/** What a socket knows of its failure beyond what it tells the script. */
export interface Failure {
  readonly cause: unknown
  /** The status of the answer that refused the handshake. */
  readonly status?: number | undefined
  /** False if another attempt cannot succeed. */
  readonly retryable?: boolean
  /** How long the server asked us to wait, in ms. */
  readonly wait?: number
}

/** What a `close` event tells. */
export interface CloseEventLike extends Event {
  readonly code: number
  readonly reason: string
  readonly wasClean: boolean
}

/** What a build brings. */
export interface Build<Headers> {
  /** Begins to connect. @throws what the constructor of the socket throws */
  dial(given: DialGiven<Headers>): StandardSocket
  /** The quickest way to be rid of a socket. */
  terminate(socket: StandardSocket): void
  /** Why a socket failed, if it did, and that is known. */
  failure?(socket: StandardSocket): Failure | undefined
  /** Whether sockets give up by themselves after `handshakeTimeout`. */
  readonly timesOut?: boolean
  /** The class of `close` events. */
  readonly CloseEvent: new (
    type: string,
    init: Pick<CloseEventLike, 'code' | 'reason' | 'wasClean'>,
  ) => CloseEventLike
}

/** A build over any class that has the standard interface, which cannot end a connection at once: it begins to close it. */
export function standardBuild(Socket: StandardSocketClass, CloseEvent: Build<unknown>['CloseEvent']): Build<unknown> {
  return {
    dial: ({ url, protocols }) => new Socket(url, protocols as string[]), // the standard takes any iterable
    terminate: (socket) => socket.close(),
    CloseEvent,
  }
}
