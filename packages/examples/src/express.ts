// WebSocket beside Express 5, one room a path: `pnpm --filter @ws/examples express [port]`. SIGTERM or Ctrl-C closes both.

import type { AddressInfo } from 'node:net'
import { WebSocketServer } from '@ws/server'
import express from 'express'

const app = express()
app.get('/', (_request, response) => void response.send('a page of Express'))
const http = app.listen(Number(process.argv[2] ?? 12012), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(http.address() as AddressInfo).port}`)
})

const rooms = new WebSocketServer<string>(
  { server: http, path: '/rooms/:room', authenticate: ({ params }) => ({ data: params.room ?? 'lobby' }) },
  {
    open: (socket) => void socket.subscribe(socket.data),
    message: (socket, text) => void rooms.publish(socket.data, text),
  },
)

async function stop(): Promise<void> {
  await rooms.close() // first: the HTTP server waits for its connections, and these are some of them
  http.close()
}
process.once('SIGTERM', stop).once('SIGINT', stop)
