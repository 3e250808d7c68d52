// What a rejected promise was rejected with.

import { HandshakeError } from '@ws/protocol'

/** Resolves with the HandshakeError that `attempt` rejects with. */
export async function handshakeFailure(attempt: Promise<unknown>): Promise<HandshakeError> {
  try {
    await attempt
  } catch (error) {
    if (error instanceof HandshakeError) return error
    throw error
  }
  throw new Error('the handshake succeeded')
}
