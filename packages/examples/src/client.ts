// Says hello to the echo server and prints its answer: `pnpm --filter @ws/examples client [url]`.

import { connect } from '@ws/client'

const socket = await connect(process.argv[2] ?? 'ws://127.0.0.1:12011')
socket.send('hello')
for await (const message of socket) {
  console.log(`received: ${message}`)
  break
}
const { code, wasClean } = await socket.close(1000)
console.log(`closed with ${code} (${wasClean ? 'clean' : 'not clean'})`)
