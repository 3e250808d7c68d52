// The WHATWG client of undici, which Node carries too.

import { once } from 'node:events'
import { createRequire } from 'node:module'
import { WebSocket } from 'undici'
import { assignment, run } from '../process/program.ts'
import { messageOf } from '../wire.ts'
import { Messages } from './count.ts'

await run(async () => {
  const { job, port } = assignment()
  const message = messageOf(job)
  const messages = new Messages(message)
  for (let left = job.connections; left > 0; left--) {
    const count = messages.connection()
    const socket = new WebSocket(`ws://127.0.0.1:${port}`)
    socket.binaryType = 'arraybuffer'
    socket.addEventListener('message', ({ data }: { data: string | ArrayBuffer }) => {
      count(typeof data === 'string' ? data : new Uint8Array(data))
      if (job.work === 'echo') socket.send(message)
    })
    await once(socket, 'open')
    if (job.work === 'echo') for (let free = job.inFlight; free > 0; free--) socket.send(message)
  }
  return { ...messages.begun, version: createRequire(import.meta.url)('undici/package.json').version }
})
