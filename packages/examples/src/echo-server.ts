// Sends back whatever it receives: `pnpm --filter @ws/examples echo-server [port]`. Ctrl-C closes it.

import type { AddressInfo } from 'node:net'
import { WebSocketServer } from '@ws/server'

const port = Number(process.argv[2] ?? 12011)
const server = await WebSocketServer.listen(
  { port, host: '127.0.0.1' },
  { message: (socket, data) => void socket.send(data) },
)
console.log(`echo server at ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
process.once('SIGINT', () => void server.close())
