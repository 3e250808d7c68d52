// Lets a socket read into the receive window. A socket that we open gets Node's public `onread`. For those that others make
// (accepted ones, an agent's) Node has the switch that `onread` uses, but no public name for it: it is found by looking at a
// socket that was made so. Where anything is not as expected, `readIntoWindow` says so, and the caller takes `'data'` events.

import { Buffer } from 'node:buffer'
import { connect, type NetConnectOpts, Socket, type SocketConstructorOpts } from 'node:net'
import process from 'node:process'
import { receiveWindow, windowMode } from '../window.ts'

/** One buffer for many sockets needs an event loop that asks for memory when it reads, not before: so it is on Linux. */
const PLATFORM = 'linux'

/** Called with the socket as `this` when bytes lie in the window; returning false would stop reading. */
export type OnRead = (this: Socket, size: number) => boolean

type Inside = Socket & Record<symbol, unknown> & { _handle?: { useUserBuffer?: (buffer: Uint8Array) => void } | null }

interface Switch {
  readonly buffer: symbol
  readonly callback: symbol
}

const usable: boolean = windowMode !== 'off' && process.platform === PLATFORM
const found: Switch | undefined = usable ? findSwitch() : undefined

/** Whether sockets that others make can read into the window here. */
export const readsIntoWindow: boolean = found !== undefined

/** What reads from the sockets that {@link connectSocket} has opened; nothing yet as long as HTTP does. */
const readers = new WeakMap<Socket, { onRead: OnRead | undefined }>()

/** Opens a socket as `net.connect` does. Until {@link readIntoWindow} it reads as that one does; then into the window. */
export function connectSocket(options: NetConnectOpts): Socket {
  if (!usable) return connect(options)
  const reader: { onRead: OnRead | undefined } = { onRead: undefined }
  const callback = (size: number): boolean => {
    return (reader.onRead ?? pushFromWindow).call(socket, size)
  }
  const socket = connect({ ...options, onread: { buffer: receiveWindow, callback } })
  readers.set(socket, reader)
  return socket
}

/** The symbols that a socket with `onread` carries, and all others carry empty. */
function findSwitch(): Switch | undefined {
  const options = { onread: { buffer: receiveWindow, callback: () => true } }
  const probe = new Socket(options as SocketConstructorOpts) as Inside
  const symbols = Object.getOwnPropertySymbols(probe)
  const buffer = symbols.find((symbol) => probe[symbol] === receiveWindow)
  const callback = symbols.find((symbol) => symbol.description === 'kBufferCb' && typeof probe[symbol] === 'function')
  probe.destroy()
  return buffer === undefined || callback === undefined ? undefined : { buffer, callback }
}

/** Gives a socket what lies in the window, as if it had read it into memory of its own. */
export function pushFromWindow(this: Socket, size: number): boolean {
  return this.push(Buffer.from(receiveWindow.subarray(0, size)))
}

/**
 * Makes `socket` read into the window from now on. Asked again, it looks again whether that can be: somebody may have come to watch.
 * @returns false if that cannot be: what is read is the stream's
 */
export function readIntoWindow(socket: Socket, onRead: OnRead): boolean {
  const reader = readers.get(socket)
  if (reader !== undefined) {
    reader.onRead = onRead
    return true
  }
  const inside = socket as Inside
  const handle = inside._handle
  if (found === undefined || typeof handle?.useUserBuffer !== 'function') return false
  const watched = isWatched(socket)
  if (inside[found.buffer] === receiveWindow) {
    inside[found.callback] = watched ? pushFromWindow : onRead // there is no way back to other memory
    return !watched
  }
  if (watched || inside[found.buffer] !== null || inside[found.callback] !== null) return false
  handle.useUserBuffer(receiveWindow)
  inside[found.buffer] = receiveWindow
  inside[found.callback] = onRead
  return true
}

/** Whether somebody looks at what a socket reads, who would see nothing any more. */
export function isWatched(socket: Socket): boolean {
  return socket.push !== Socket.prototype.push || socket.listenerCount('data') > 0
}
