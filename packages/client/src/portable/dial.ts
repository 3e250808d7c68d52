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
  send(data: string | ArrayBuffer | Blob): void
  close(code?: number, reason?: string): void
  /** Why it failed, where that is known. */
  readonly failure?: unknown
}

/** A class of such sockets, called with URL and subprotocols. */
export type StandardSocketClass = new (url: string, protocols: string[]) => StandardSocket

/** What one attempt is made with. */
interface DialGiven<Headers> {
  readonly url: string
  readonly protocols: string[]
  readonly headers: Headers | undefined
}

/** A socket that was begun. */
export interface Dialled {
  readonly socket: StandardSocket
  /** Whether it gives up by itself after `handshakeTimeout`. */
  readonly timesOut: boolean
  /** The quickest way to be rid of it. */
  terminate(): void
}

/** Begins to connect. @throws what the constructor of the socket throws */
export type Dial<Headers> = (given: DialGiven<Headers>) => Dialled

/** Dials with any class that has the standard interface, which cannot end a connection at once: it begins to close it. */
export function standardDial(Socket: StandardSocketClass): Dial<unknown> {
  return ({ url, protocols }) => {
    const socket = new Socket(url, protocols)
    return { socket, timesOut: false, terminate: () => socket.close() }
  }
}

/** What a `close` event tells. */
export interface CloseEventLike extends Event {
  readonly code: number
  readonly reason: string
  readonly wasClean: boolean
}

/** What a build brings. */
export interface Build<Headers> {
  readonly dial: Dial<Headers>
  /** The class of `close` events. */
  readonly CloseEvent: new (
    type: string,
    init: Pick<CloseEventLike, 'code' | 'reason' | 'wasClean'>,
  ) => CloseEventLike
}
