// Forgets nothing: each connection, a piece of memory for each, and a timer for each.

import { Application, type Socket } from '../../src/server/application.ts'
import { serve } from '../../src/server/serve.ts'

const PIECE = 512 * 1024

class Leaky extends Application {
  readonly kept: unknown[] = []

  override welcome(socket: Socket): void {
    super.welcome(socket)
    this.kept.push(
      socket,
      Buffer.alloc(PIECE),
      setInterval(() => {}, 60_000),
    )
  }
}

await serve(new Leaky())
