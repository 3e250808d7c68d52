// WebSocket beside Hono's server for Node, one room a path: `pnpm --filter @ws/examples hono [port]`. SIGTERM or Ctrl-C closes both.

import type { Server } from 'node:http'
import { serve } from '@hono/node-server'
import { WebSocketServer } from '@ws/server'
import { Hono } from 'hono'

const app = new Hono()
app.get('/', (context) => context.text('a page of Hono'))
const options = { fetch: app.fetch, port: Number(process.argv[2] ?? 12014), hostname: '127.0.0.1' }
const http = serve(options, ({ port }) => console.log(`http://127.0.0.1:${port}`)) as Server

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
