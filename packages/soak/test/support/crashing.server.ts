// Throws at a message that it does not like.

import { Application, type Socket } from '../../src/server/application.ts'
import { serve } from '../../src/server/serve.ts'

const DISLIKED = 50

class Crashing extends Application {
  #count = 0

  override reply(socket: Socket, data: string | Buffer): void {
    if (++this.#count === DISLIKED) throw new Error('not this one')
    super.reply(socket, data)
  }
}

await serve(new Crashing())
