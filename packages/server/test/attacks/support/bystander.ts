// Somebody who is connected to a server under attack, and goes on talking with it all the while.

import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Handlers } from '@ws/server'
import { RawClient, textFrame } from '../../support/raw-client.ts'
import { portOf, serve } from '../../support/servers.ts'
import { BYSTANDER_PATH } from './bystander-path.ts'

export class Bystander {
  readonly #client: RawClient
  readonly #talk: Promise<void>
  #over = false
  #rounds = 0

  private constructor(client: RawClient) {
    this.#client = client
    this.#talk = this.#keepTalking()
    this.#talk.catch(() => {}) // `unharmed` tells
  }

  /** Connects to a server that echoes. */
  static async join(port: number): Promise<Bystander> {
    const client = await RawClient.connect(port)
    await client.upgrade({ start: `GET ${BYSTANDER_PATH} HTTP/1.1` })
    return new Bystander(client)
  }

  /** How many messages have come back. */
  get rounds(): number {
    return this.#rounds
  }

  /** Waits until so many more messages have come back. */
  async goesOn(rounds: number): Promise<void> {
    const goal = this.#rounds + rounds
    while (this.#rounds < goal) await Promise.race([nextTurn(), this.#failed()])
  }

  /** Ends the talk; rejects if a word of it went missing or came back changed. */
  async unharmed(): Promise<void> {
    this.#over = true
    await this.#talk
    await this.#say()
  }

  async #keepTalking(): Promise<void> {
    while (!this.#over) {
      await this.#say()
      await nextTurn()
    }
  }

  async #say(): Promise<void> {
    const word = `round ${this.#rounds}`
    this.#client.write(textFrame(word))
    const answer = await this.#client.text()
    if (answer !== word) throw new Error(`the bystander said ${word}, and got ${answer}`)
    this.#rounds++
  }

  async #failed(): Promise<void> {
    await this.#talk
    if (!this.#over) throw new Error('the bystander has stopped')
  }
}

/** A server that echoes, and a bystander on it. */
export async function attacked(options: Parameters<typeof serve>[0] = {}, handlers: Handlers = echo()) {
  const server = await serve(options, handlers)
  const port = portOf(server)
  return { server, port, bystander: await Bystander.join(port) }
}

function echo(): Handlers {
  return { message: (socket, data) => void socket.send(data) }
}
