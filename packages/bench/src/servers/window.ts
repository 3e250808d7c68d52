// What is left if all that is above our transport is taken away: it reads into the receive window and writes past the queue of Node's
// streams as our server does, and parses nothing. For rows of echoes; measured if it is asked for.

import { type AddressInfo, createServer } from 'node:net'
import { openTransport, type Writer } from '@ws/protocol/node'
import { assignment, run, Unavailable } from '../process/program.ts'
import { Answers } from './answers.ts'
import { SERVER_COMMANDS } from './commands.ts'
import { handshake } from './handshake.ts'

const NOBODY: Writer = { wrote() {} }

await run(async () => {
  const { job } = assignment()
  if (job.work !== 'echo' || job.secure || job.streams > 0) throw new Unavailable('it only answers, over TCP')
  const answers = new Answers(job)
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {}) // resets
    handshake(socket, () => {
      const transport = openTransport(socket)
      const answer = answers.counter((bytes) => void transport.write(bytes, NOBODY))
      transport.read({ data: (_, start, end) => answer(end - start), ended: () => transport.end(), closed: () => {} })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { port: (server.address() as AddressInfo).port, commands: SERVER_COMMANDS }
})
