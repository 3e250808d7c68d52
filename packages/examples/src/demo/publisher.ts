// The publisher, a process of its own: sends a sample of this machine at every tick at which nothing waits to be sent.
// Arguments: the URL, and how many ticks (`Infinity` for no end).

import { WebSocket } from '@ws/client'
import type { Ended, Ending } from './messages.ts'
import { asChild, report } from './parent.ts'
import { Sampler } from './sample.ts'
import { watchNextConnection } from './wire.ts'

const TICK = 50

const [url = '', ticks = ''] = process.argv.slice(2)
await asChild((stop) => publish(url, Number(ticks), stop))

function publish(url: string, ticks: number, stop: AbortSignal): Promise<Ended> {
  const wire = watchNextConnection()
  const sampler = new Sampler()
  let sent = 0
  let received = 0
  let skipped = 0

  const tick = (): void => {
    if (sent + skipped === ticks) return end()
    if (socket.bufferedAmount > 0) {
      skipped++
    } else {
      socket.send(JSON.stringify(sampler.next()))
      sent++
    }
  }
  // What is sent after `close()` does not leave, as the standard has it, so the ticks end first.
  const end = (): void => {
    clearInterval(timer)
    socket.close(1000, 'no more samples')
  }
  const ended = (ending: Ending): Ended => ({
    kind: 'ended',
    counts: { messagesIn: received, messagesOut: sent, ...wire.traffic() },
    ending,
    faults: socket.failure === undefined ? [] : [socket.failure.message],
    remarks: skipped === 0 ? [] : [`at ${skipped} ticks nothing was sent, since bytes still waited`],
  })

  const socket = new WebSocket(url)
  let timer: NodeJS.Timeout | undefined
  return new Promise((resolve, reject) => {
    socket.onopen = () => {
      void report({ kind: 'opened', pid: process.pid, handshake: wire.handshake() })
      timer = setInterval(tick, TICK)
      tick()
      stop.addEventListener('abort', end)
      if (stop.aborted) end()
    }
    socket.onmessage = () => received++
    socket.onclose = ({ code, reason, wasClean }) => {
      clearInterval(timer)
      if (timer === undefined) reject(socket.failure)
      else resolve(ended({ code, reason, wasClean }))
    }
  })
}
