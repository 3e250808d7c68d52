// Writes to a plain socket past the queue of Node's streams, whose work for each write (its state, and a callback in a turn of
// its own) costs as much as all of ours. `_write` is what that queue itself calls: it does the rest as always, such as
// timeouts and counters. Rules:
// - Only while the queue is empty and nothing of the stream's own comes in between; what is written meanwhile queues there.
// - What the system does not take at once is one write, as in the queue: the next goes to the queue, behind it.
// - A socket whose `write` or `_write` somebody has replaced is written to by `write`.

import { Socket } from 'node:net'
import process from 'node:process'
import { environmentChoice } from '../environment.ts'

/** Where it is tested to hold. */
const PLATFORM = 'linux'

/** `_write` is public for those who make streams, not for those who have one. */
type Inside = Socket & { _write(bytes: Uint8Array, encoding: 'buffer', done: (error?: Error | null) => void): void }

const { write, _write } = Socket.prototype as Inside

/** How plain sockets are written to: `WS_SOCKET_WRITE` says so before the module is loaded. */
export const writesDirectly: boolean =
  environmentChoice('WS_SOCKET_WRITE', ['direct', 'public']) === 'direct' &&
  process.platform === PLATFORM &&
  typeof _write === 'function'

/** Whether a connected socket can be written to directly now. */
export function isFree(socket: Socket): boolean {
  return (
    writesDirectly &&
    (socket as Inside)._write === _write &&
    socket.write === write &&
    socket.writableLength === 0 &&
    socket.writableCorked === 0 &&
    socket.writable
  )
}

/** Told of a direct write that the operating system did not all take at once. */
export interface Writing {
  /** Called once, after the write has returned. */
  written(error?: Error | null): void
}

/**
 * Writes to a socket that {@link isFree}; where that fails the socket is destroyed, as the queue would have done.
 * @param writing told, if this returns false
 * @returns whether the operating system has taken all of it
 */
export function writeDirectly(socket: Socket, bytes: Uint8Array, writing: Writing): boolean {
  const write = spare ?? new DirectWrite()
  spare = undefined
  if (!write.run(socket as Inside, bytes, writing)) return false
  spare = write
  return true
}

/** One that nobody waits for: nearly every write is done when it returns, so that nearly every one is this one. */
let spare: DirectWrite | undefined

class DirectWrite {
  #socket: Inside | undefined
  #writing: Writing | undefined
  #returned = false
  #left = false

  /** @returns whether the operating system has taken all of it: then there is nothing to wait for */
  run(socket: Inside, bytes: Uint8Array, writing: Writing): boolean {
    this.#socket = socket
    this.#writing = writing
    this.#returned = this.#left = false
    socket._write(bytes, 'buffer', this.#done)
    this.#returned = true
    if (this.#left) this.#socket = this.#writing = undefined
    return this.#left
  }

  readonly #done = (error?: Error | null): void => {
    const failed = error !== undefined && error !== null
    if (failed) this.#socket?.destroy(error)
    if (this.#returned) this.#writing?.written(error)
    else if (failed) process.nextTick(() => this.#writing?.written(error))
    else this.#left = true
  }
}
