// Loses a reply to a guest now and then, and every news.

import { Application, type Socket } from '../../src/server/application.ts'
import { serve } from '../../src/server/serve.ts'

const EVERY = 20

class Forgetful extends Application {
  #count = 0

  override reply(socket: Socket, data: string | Buffer): void {
    if (!socket.data.guest || ++this.#count % EVERY > 0) super.reply(socket, data)
    else socket.data.answered++
  }

  override broadcast(): void {}
}

await serve(new Forgetful())
