// The client of `ws`, with its default options.

import { once } from 'node:events'
import { createRequire } from 'node:module'
import { WebSocket } from 'ws'
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
    socket.on('message', (data: Buffer, isBinary) => {
      count(isBinary ? data : data.toString())
      if (job.work === 'echo') socket.send(message)
    })
    await once(socket, 'open')
    if (job.work === 'echo') for (let free = job.inFlight; free > 0; free--) socket.send(message)
  }
  return { ...messages.begun, version: createRequire(import.meta.url)('ws/package.json').version }
})
