// Takes the steps of a plan over a channel, the least that every client's API has, and makes a channel of a WHATWG WebSocket.
// Rules: these functions also run in a page, as their own source text, so each uses nothing but its arguments, the others
// here and what every JavaScript has.

import type { Bytes, Outcome, Payload, Plan, Step } from './plan.ts'

export type Message = string | Uint8Array

/** How a connection began. */
interface Beginning {
  readonly protocol: string
  readonly extensions: string
}

/** How a connection ended, as the API tells it. */
export interface Ending {
  readonly code: number
  readonly reason: string
  readonly wasClean: boolean
  readonly bytes?: Bytes
}

/** What a plan needs of a client. */
export interface Channel {
  /** Rejects if the connection does not come about. */
  readonly opened: Promise<Beginning>
  readonly ended: Promise<Ending>
  send(data: Message): void
  /** The next message; rejects once the connection is over. */
  next(): Promise<Message>
  close(code?: number, reason?: string): void
  sendFragments?(parts: readonly string[]): void
  /** Resolves with the pong. */
  ping?(data: string): Promise<unknown>
  abort?(): void
}

/** The part of the WHATWG WebSocket that a channel needs; classes of several libraries have it. */
export interface StandardSocket {
  binaryType: string
  readonly protocol: string
  readonly extensions: string
  send(data: string | Uint8Array<ArrayBuffer>): void
  close(code?: number, reason?: string): void
  onopen: unknown
  onmessage: unknown
  onclose: unknown
  onerror: unknown
}

/** Carries out a plan; never rejects. */
export async function drive(plan: Plan, channel: Channel): Promise<Outcome> {
  let beginning: Beginning = { protocol: '', extensions: '' }
  let fault: string | undefined
  try {
    beginning = await channel.opened
    for (const step of plan.steps) await takeStep(step, channel)
  } catch (error) {
    fault = String(error instanceof Error ? error.message : error)
    channel.close()
  }
  const ending = await channel.ended
  return { ...beginning, ...ending, ...(fault !== undefined && { fault }) }
}

async function takeStep(step: Step, channel: Channel): Promise<void> {
  switch (step.do) {
    case 'send':
      return channel.send(makePayload(step.payload))
    case 'receive':
      return compareMessages(makePayload(step.payload), await channel.next())
    case 'sendNumbers':
      for (let number = 0; number < step.count; number++) channel.send(String(number))
      return
    case 'receiveNumbers':
      for (let number = 0; number < step.count; number++) compareMessages(String(number), await channel.next())
      return
    case 'sendFragments':
      return channel.sendFragments?.(step.parts)
    case 'ping':
      await channel.ping?.(step.data)
      return
    case 'close':
      return channel.close(step.code, step.reason)
    case 'abort':
      return channel.abort?.()
  }
}

/** The message that a payload describes. */
export function makePayload(payload: Payload): Message {
  if (payload.type === 'text') return payload.unit.repeat(payload.times)
  const bytes = new Uint8Array(payload.length)
  for (let index = 0; index < bytes.length; index++) bytes[index] = (index * 31 + (index >> 8)) & 255
  return bytes
}

function compareMessages(expected: Message, received: Message): void {
  if (sameMessage(expected, received)) return
  throw new Error(`expected ${showMessage(expected)}, got ${showMessage(received)}`)
}

function sameMessage(a: Message, b: Message): boolean {
  if (typeof a === 'string' || typeof b === 'string') return a === b
  if (a.length !== b.length) return false
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false
  return true
}

function showMessage(message: Message): string {
  if (typeof message !== 'string') return `binary of ${message.length} bytes`
  return `text of ${message.length}: ${JSON.stringify(message.slice(0, 20))}`
}

/** Messages that wait for a reader, and the reader that waits for messages. */
export function messageQueue(): { push(message: Message): void; end(error: Error): void; next(): Promise<Message> } {
  const waiting: Message[] = []
  let reader: { resolve(message: Message): void; reject(error: Error): void } | undefined
  let over: Error | undefined
  return {
    push: (message) => {
      if (reader === undefined) waiting.push(message)
      else reader.resolve(message)
      reader = undefined
    },
    end: (error) => {
      over = error
      reader?.reject(error)
    },
    next: () => {
      const message = waiting.shift()
      if (message !== undefined) return Promise.resolve(message)
      if (over !== undefined) return Promise.reject(over)
      return new Promise((resolve, reject) => {
        reader = { resolve, reject }
      })
    },
  }
}

/** A channel over a WHATWG WebSocket that has just been made. */
export function standardChannel(socket: StandardSocket): Channel {
  const queue = messageQueue()
  socket.binaryType = 'arraybuffer'
  socket.onmessage = ({ data }: { data: string | ArrayBuffer }) =>
    queue.push(typeof data === 'string' ? data : new Uint8Array(data))
  socket.onerror = () => {} // says nothing that `close` does not
  const ended = new Promise<Ending>((resolve) => {
    socket.onclose = ({ code, reason, wasClean }: Ending) => resolve({ code, reason, wasClean })
  })
  void ended.then(({ code }) => queue.end(new Error(`the connection ended with ${code}`)))
  const opened = new Promise<Beginning>((resolve, reject) => {
    socket.onopen = () => resolve({ protocol: socket.protocol, extensions: socket.extensions })
    void ended.then(({ code }) => reject(new Error(`did not open: ${code}`)))
  })
  return {
    opened,
    ended,
    send: (data) => socket.send(data as string | Uint8Array<ArrayBuffer>),
    next: () => queue.next(),
    close: (code, reason) => (code === undefined ? socket.close() : socket.close(code, reason)),
  }
}

/** All functions of this file as a script. */
export const DRIVE_SOURCE: string = [
  drive,
  takeStep,
  makePayload,
  compareMessages,
  sameMessage,
  showMessage,
  messageQueue,
  standardChannel,
].join('\n')
