// Ends as a process manager wants it: `pnpm --filter @ws/examples shutdown [port] [timeout in ms]`. On SIGTERM nobody new is let in,
// everybody gets what was sent and is told to come back (1012), who does not leave in time is cut off, and the process ends.

import type { AddressInfo } from 'node:net'
import { CloseCode, WebSocketServer } from '@ws/server'

const [port = '12015', timeout = '5000'] = process.argv.slice(2)
const server = await WebSocketServer.listen(
  { port: Number(port), host: '127.0.0.1' },
  { message: (socket, data) => void socket.send(data) },
)

process.once('SIGTERM', async () => {
  server.broadcast('the last words')
  const { closed, terminated } = await server.close({
    timeout: Number(timeout),
    code: CloseCode.ServiceRestart,
    reason: 'a new version',
  })
  console.log(`${closed} closed, ${terminated} terminated`)
})
console.log(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
