// An echo server whose connections are traced: `pnpm --filter @ws/examples tracing [port]`. Spans are printed; in a program of
// yours the SDK sends them where you look at them.

import type { AddressInfo } from 'node:net'
import { propagation } from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { BasicTracerProvider, ConsoleSpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { WebSocketServer } from '@ws/server'
import { traceServers } from './trace.ts'

propagation.setGlobalPropagator(new W3CTraceContextPropagator())
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(new ConsoleSpanExporter())] })
traceServers(provider.getTracer('echo'))

const server = await WebSocketServer.listen(
  { port: Number(process.argv[2] ?? 12017), host: '127.0.0.1' },
  { message: (socket, data) => void socket.send(data) },
)
console.log(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)

async function stop(): Promise<void> {
  await server.close()
  await provider.shutdown()
}
process.once('SIGTERM', stop).once('SIGINT', stop)
