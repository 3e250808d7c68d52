// A well-behaved client: our own `connect()`, with and without compression, listening or iterating.

import { connect, type WebSocketConnection } from '@ws/client'
import { Ledger } from '../ledger.ts'
import { GUEST_PATH } from '../server/application.ts'
import { converse } from './conversation.ts'
import type { Visitor } from './visitor.ts'

export const guest: Visitor = async ({ port, random, leave }) => {
  const ledger = new Ledger()
  const perMessageDeflate = random(2) === 0
  const socket = await connect(`ws://127.0.0.1:${port}${GUEST_PATH}`, { perMessageDeflate })
  if (random(2) === 0) void iterate(socket, ledger)
  else socket.on('message', (message) => ledger.take(message))
  void socket.closed.then(({ code, cause }) => ledger.end(`${code} ${cause?.message ?? ''}`))
  const line = {
    send: (message: string | Buffer) => void socket.send(message),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    close: () => close(socket),
    destroy: () => socket.terminate(),
  }
  await converse(line, ledger, random, leave)
  return ledger
}

async function iterate(socket: WebSocketConnection, ledger: Ledger): Promise<void> {
  for await (const message of socket) ledger.take(message)
}

async function close(socket: WebSocketConnection): Promise<string | undefined> {
  const { code, wasClean } = await socket.close(1000)
  return code === 1000 && wasClean ? undefined : `expected a clean close with 1000, got ${code}`
}
