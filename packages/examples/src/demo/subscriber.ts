// The subscriber, a process of its own: receives what the server pushes until the server closes, and sees that no sample is
// missing. Argument: the URL.

import { connect } from '@ws/client'
import type { Ended } from './messages.ts'
import { asChild, report } from './parent.ts'
import { parseSample } from './sample.ts'
import { watchNextConnection } from './wire.ts'

/** More of them say nothing new. */
const MOST_FAULTS = 10

const [url = ''] = process.argv.slice(2)
await asChild((stop) => subscribe(url, stop))

async function subscribe(url: string, stop: AbortSignal): Promise<Ended> {
  const wire = watchNextConnection()
  const socket = await connect(url)
  await report({ kind: 'opened', pid: process.pid, handshake: wire.handshake() })
  stop.addEventListener('abort', () => void socket.close(1000, 'no longer interested'))

  const faults: string[] = []
  let received = 0
  let next = 1
  for await (const message of socket) {
    received++
    const sample = parseSample(String(message))
    if (sample?.sequence !== next && faults.length < MOST_FAULTS) {
      faults.push(`expected sample ${next}; got ${sample?.sequence ?? 'a message that is none'}`)
    }
    if (sample === undefined) continue
    next = sample.sequence + 1
    void report({ kind: 'arrived', sample, delay: Date.now() - sample.time })
  }

  const { code, reason, wasClean } = await socket.closed
  const counts = { messagesIn: received, messagesOut: socket.stats().messagesOut, ...wire.traffic() }
  return { kind: 'ended', counts, ending: { code, reason, wasClean }, faults, remarks: [] }
}
