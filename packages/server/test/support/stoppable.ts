// A process of its own, to be stopped and continued: `stoppable.ts server HEARTBEAT` serves, and prints its port and how its
// connections end; `busy` does so too, and is busy when the first ping has left; `client HEARTBEAT URL` connects. HEARTBEAT is JSON.

import type { AddressInfo } from 'node:net'
import { connect } from '@ws/client'
import { type ConnectionOptions, type WebSocketConnection, WebSocketServer } from '@ws/server'

const [role, option = '', url = ''] = process.argv.slice(2)
const heartbeat: ConnectionOptions['heartbeat'] = JSON.parse(option)

/** As soon as a ping has left, does nothing else for longer than its answer may take. */
function beBusyOncePinged(socket: WebSocketConnection): void {
  if (socket.stats().framesOut === 0) return void setImmediate(beBusyOncePinged, socket)
  const start = performance.now()
  while (performance.now() - start < 1_000);
  console.log('was busy')
}

function watch(socket: WebSocketConnection): void {
  socket.on('message', (data) => socket.send(data))
  void socket.closed.then(({ code, cause }) => console.log('closed', code, cause?.code))
}

if (role !== 'client') {
  const server = await WebSocketServer.listen({ port: 0, host: '127.0.0.1', heartbeat })
  server.on('connection', watch)
  if (role === 'busy') server.once('connection', beBusyOncePinged)
  console.log('port', (server.address() as AddressInfo).port)
} else {
  watch(await connect(url, { heartbeat }))
  console.log('connected')
}
