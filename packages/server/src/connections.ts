// The open connections of a server. Rules: one is in from its upgrade until its `close` handler, so after the last of its
// messages has been dealt with; bookkeeping costs a connection nothing but its entry here.

import { CloseCode, makeClosePayload, UsageError } from '@ws/protocol'
import {
  type CloseInfo,
  type Handlers,
  integerOption,
  LONGEST_DELAY,
  usage,
  type WebSocketConnection,
} from '@ws/protocol/node'
import { Traffic } from './stats.ts'
import { functionOption, isObject } from './validate.ts'

/** How a server closes its connections. */
export interface CloseOptions {
  /** How long connections may take to close, in ms, before they are terminated; 10,000 by default. */
  readonly timeout?: number | undefined
  /** The close code for all connections; 1001 by default, 1012 tells clients to come back. */
  readonly code?: number | undefined
  /** The close reason, at most 123 bytes of UTF-8. */
  readonly reason?: string | undefined
}

/** How the connections that were open ended. */
export interface CloseCounts {
  /** They closed, or left, by themselves in time. */
  readonly closed: number
  /** They had to be destroyed. */
  readonly terminated: number
}

/** {@link CloseOptions}, checked and complete. */
export type CloseSettings = { readonly [Key in keyof CloseOptions]-?: NonNullable<CloseOptions[Key]> }

const CLOSE_TIMEOUT = 10_000
const HANDLERS = ['open', 'message', 'drain', 'close'] as const

/** Checks the options of a close. @throws UsageError */
export function closeSettings(options: CloseOptions): CloseSettings {
  if (!isObject(options)) throw new UsageError('options of close must be an object with timeout, code and reason')
  const { timeout, code, reason } = options
  if (code === CloseCode.MissingExtension) throw new UsageError('a server does not close with 1010 (RFC 6455 §7.4.1)')
  const settings = {
    timeout: integerOption('timeout', timeout, CLOSE_TIMEOUT, 0, LONGEST_DELAY),
    code: code ?? CloseCode.GoingAway,
    reason: reason ?? '',
  }
  makeClosePayload(settings.code, settings.reason) // throws for what may not be sent
  return settings
}

export class Connections<Data> {
  /** All that have not ended. */
  readonly all: Set<WebSocketConnection<Data>> = new Set()
  /** The handlers for every connection: the application's, and our own bookkeeping in front of its `close`. */
  readonly handlers: Handlers<Data>
  readonly traffic: Traffic = new Traffic()
  #onEmpty: (() => void) | undefined

  /** @throws UsageError if a handler is no function */
  constructor(handlers: Handlers<Data> | undefined) {
    const given = checkedHandlers(handlers)
    this.handlers = {
      ...given,
      close: (socket, info) => {
        this.#remove(socket, info)
        given.close?.(socket, info)
      },
    }
  }

  /**
   * Closes all connections, and terminates those that are left at the deadline. Resolves when none is left, but does not
   * wait past the deadline for a handler that has not finished.
   */
  async closeAll({ timeout, code, reason }: CloseSettings): Promise<CloseCounts> {
    const open = [...this.all].filter((socket) => socket.readyState !== 3)
    const ends = open.map((socket) => socket.close(code, reason))
    await this.#emptied(timeout)
    for (const socket of open) socket.terminate()
    const terminated = (await Promise.all(ends)).filter(wasTerminated).length
    return { closed: open.length - terminated, terminated }
  }

  /** Resolves when all have ended, or after `timeout` ms. */
  async #emptied(timeout: number): Promise<void> {
    if (this.all.size === 0) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeout)
      this.#onEmpty = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #remove(socket: WebSocketConnection<Data>, info: CloseInfo): void {
    this.all.delete(socket)
    this.traffic.ended(socket as WebSocketConnection, info)
    if (this.all.size === 0) this.#onEmpty?.()
  }
}

function wasTerminated({ cause }: CloseInfo): boolean {
  return cause?.code === 'TERMINATED' || cause?.code === 'CLOSE_TIMEOUT'
}

/** Bound, so that an object with state of its own may be given. */
function checkedHandlers<Data>(handlers: Handlers<Data> | undefined): Handlers<Data> {
  if (handlers === undefined) return {}
  if (!isObject(handlers)) throw usage('option handlers', 'an object with open, message, drain and close', handlers)
  const checked: Record<string, unknown> = {}
  for (const name of HANDLERS) {
    const handler = functionOption<(...parameters: never[]) => unknown>(`handlers.${name}`, handlers[name])
    if (handler !== undefined) checked[name] = handler.bind(handlers)
  }
  return checked
}
