// The opening handshake of servers that parse nothing else.

import type { Socket } from 'node:net'
import { answerTo } from '../wire.ts'

const END_OF_HEAD = '\r\n\r\n'

/** Answers the opening handshake; `onOpen` attaches a listener for what follows. */
export function handshake(socket: Socket, onOpen: () => void): void {
  let head = ''
  const onData = (chunk: Buffer): void => {
    head += chunk.toString('latin1')
    const end = head.indexOf(END_OF_HEAD)
    if (end < 0) return
    const key = /^sec-websocket-key: *(\S+)/im.exec(head)?.[1] ?? ''
    socket.off('data', onData)
    socket.write(answerTo(key))
    onOpen()
    const rest = head.slice(end + END_OF_HEAD.length)
    if (rest !== '') socket.emit('data', Buffer.from(rest, 'latin1'))
  }
  socket.on('data', onData)
}
