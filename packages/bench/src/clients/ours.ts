// Our client, `connect` with handlers, with its default options.

import { connect } from '@ws/client'
import { assignment, run } from '../process/program.ts'
import { messageOf } from '../wire.ts'
import { Messages } from './count.ts'

await run(async () => {
  const { job, port } = assignment()
  const message = messageOf(job)
  const messages = new Messages(message)
  for (let left = job.connections; left > 0; left--) {
    const count = messages.connection()
    const socket = await connect(
      `ws://127.0.0.1:${port}`,
      {},
      {
        message: (socket, data) => {
          count(data)
          if (job.work === 'echo') socket.send(message)
        },
      },
    )
    if (job.work === 'echo') for (let free = job.inFlight; free > 0; free--) socket.send(message)
  }
  return messages.begun
})
