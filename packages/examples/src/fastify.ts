// WebSocket beside Fastify 5, one room a path: `pnpm --filter @ws/examples fastify [port]`. SIGTERM or Ctrl-C closes both.

import { WebSocketServer } from '@ws/server'
import fastify from 'fastify'

const app = fastify()
app.get('/', () => 'a page of Fastify')

const rooms = new WebSocketServer<string>(
  { server: app.server, path: '/rooms/:room', authenticate: ({ params }) => ({ data: params.room ?? 'lobby' }) },
  {
    open: (socket) => void socket.subscribe(socket.data),
    message: (socket, text) => void rooms.publish(socket.data, text),
  },
)
app.addHook('preClose', async () => void (await rooms.close())) // while the HTTP server is still open

const stop = (): void => void app.close()
process.once('SIGTERM', stop).once('SIGINT', stop)
console.log(await app.listen({ port: Number(process.argv[2] ?? 12013), host: '127.0.0.1' }))
