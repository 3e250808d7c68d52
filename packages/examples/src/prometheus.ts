// Metrics for Prometheus, by prom-client, beside an echo server: `pnpm --filter @ws/examples prometheus [port]`, then
// GET /metrics. What the server counts anyway is read when Prometheus asks; only the sizes of messages need a subscriber.

import { subscribe } from 'node:diagnostics_channel'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type MessageDiagnostics, type ServerStats, WebSocketServer } from '@ws/server'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'

const registers = [new Registry()]
const [registry] = registers as [Registry]

const connections = new Gauge({ name: 'ws_connections', help: 'Open connections', registers })
const pending = new Gauge({ name: 'ws_pending', help: 'Upgrades that wait for authenticate', registers })
const buffered = new Gauge({ name: 'ws_buffered_bytes', help: 'Bytes that wait for slow peers', registers })
const slow = new Gauge({ name: 'ws_slow_connections', help: 'Connections above highWaterMark', registers })
const late = new Gauge({
  name: 'ws_event_loop_delay_seconds',
  help: 'Since asked before',
  labelNames: ['stat'],
  registers,
})
const accepted = new Counter({ name: 'ws_accepted_total', help: 'Connections accepted', registers })
const refused = new Counter({ name: 'ws_refused_total', help: 'Upgrades refused', labelNames: ['code'], registers })
const closed = new Counter({ name: 'ws_closed_total', help: 'Connections ended', labelNames: ['code'], registers })
const faults = new Counter({ name: 'ws_faults_total', help: 'Ended by a fault', labelNames: ['cause'], registers })
const messages = new Counter({ name: 'ws_messages_total', help: 'Messages', labelNames: ['direction'], registers })
const bytes = new Counter({ name: 'ws_bytes_total', help: 'Bytes on the wire', labelNames: ['direction'], registers })
const dropped = new Counter({ name: 'ws_dropped_total', help: 'Messages that were not sent', registers })

/** Counters of prom-client only grow by steps; ours are sums already. */
function set(counter: Counter, sums: Readonly<Record<string, number>>, label: string): void {
  counter.reset()
  for (const [value, sum] of Object.entries(sums)) counter.inc({ [label]: value }, sum)
}

function update(stats: ServerStats): void {
  connections.set(stats.connections)
  pending.set(stats.pending)
  buffered.set(stats.bufferedAmount)
  slow.set(stats.aboveHighWaterMark)
  late.set({ stat: 'p99' }, (stats.eventLoopDelay?.p99 ?? 0) / 1000)
  late.set({ stat: 'max' }, (stats.eventLoopDelay?.max ?? 0) / 1000)
  for (const [counter, sum] of [
    [accepted, stats.accepted],
    [dropped, stats.dropped],
  ] as const) {
    counter.reset()
    counter.inc(sum)
  }
  set(refused, stats.refusals, 'code')
  set(closed, stats.closeCodes, 'code')
  set(faults, stats.closeCauses, 'cause')
  set(messages, { in: stats.messagesIn, out: stats.messagesOut }, 'direction')
  set(bytes, { in: stats.bytesIn, out: stats.bytesOut }, 'direction')
}

const sizes = new Histogram({
  name: 'ws_message_bytes',
  help: 'Payloads of messages that came',
  buckets: [64, 1024, 16 * 1024, 256 * 1024, 4 * 1024 * 1024],
  registers,
})
subscribe('ws:connection:received', (message) => sizes.observe((message as MessageDiagnostics).size))

const http = createServer(async (request, response) => {
  if (request.url !== '/metrics') return void response.writeHead(404).end()
  update(server.stats())
  response.setHeader('Content-Type', registry.contentType).end(await registry.metrics())
})
const server = new WebSocketServer(
  { server: http, eventLoopDelay: true },
  { message: (socket, data) => void socket.send(data) },
)
http.listen(Number(process.argv[2] ?? 12016), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(http.address() as AddressInfo).port}/metrics`)
})

async function stop(): Promise<void> {
  await server.close()
  http.close()
  http.closeAllConnections()
}
process.once('SIGTERM', stop).once('SIGINT', stop)
