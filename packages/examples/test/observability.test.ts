// What the examples export: text that Prometheus reads, spans with their parents and events.

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { propagation } from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { connect } from '@ws/client'
import { WebSocketServer } from '@ws/server'
import { expect, onTestFinished, test } from 'vitest'
import { traceServers } from '../src/tracing/trace.ts'
import { startExample } from './support/program.ts'

test('prometheus: counters, gauges and the sizes of messages', async () => {
  const program = startExample('prometheus', '0')
  const [url] = await program.printed(/http:\S+/)
  const place = url.replace('http', 'ws').replace('/metrics', '/')
  const [one, two] = [await connect(place), await connect(place)]
  await connect(place, { origin: 'http://elsewhere.example' }).catch(() => {})
  one.send('hello')
  for await (const _ of one) break
  await two.close(4000)
  const response = await fetch(url)
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  const lines = (await response.text()).split('\n')
  expect(lines).toEqual(
    expect.arrayContaining([
      '# TYPE ws_connections gauge',
      'ws_connections 1',
      '# TYPE ws_accepted_total counter',
      'ws_accepted_total 2',
      'ws_refused_total{code="REFUSED_ORIGIN"} 1',
      'ws_closed_total{code="4000"} 1',
      'ws_messages_total{direction="in"} 1',
      'ws_messages_total{direction="out"} 1',
      'ws_bytes_total{direction="in"} 19',
      'ws_bytes_total{direction="out"} 11',
      'ws_dropped_total 0',
      'ws_buffered_bytes 0',
      'ws_message_bytes_bucket{le="64"} 1',
      'ws_message_bytes_sum 5',
    ]),
  )
  expect(lines.some((line) => /^ws_event_loop_delay_seconds\{stat="max"\} [\d.e-]+$/.test(line))).toBe(true)
  expect(await (await fetch(url)).text()).toContain('ws_accepted_total 2\n')
  program.terminate()
  expect(await one.closed).toMatchObject({ code: 1001 })
  expect(await program.exit).toEqual({ code: 0, signal: null })
})

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = 'b7ad6b7169203331'

test('tracing: a span a connection, a child of the caller’s, with its messages as events; one for a refusal', async () => {
  const exporter = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  const end = traceServers(provider.getTracer('test'))
  const server = await WebSocketServer.listen(
    { port: 0, host: '127.0.0.1', authenticate: ({ url }) => url !== '/closed' },
    { message: (socket, data) => void socket.send(data) },
  )
  onTestFinished(async () => {
    end()
    propagation.disable()
    await server.close({ timeout: 0 })
    await provider.shutdown()
  })
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`

  const socket = await connect(`${url}/open?ticket=secret`, { headers: { traceparent: `00-${TRACE}-${PARENT}-01` } })
  socket.send('hello')
  for await (const _ of socket) break
  await socket.close(1000)
  await connect(`${url}/closed`).catch(() => {})
  const lost = await connect(url)
  const [serverSide] = [...server.clients]
  lost.terminate()
  if (serverSide !== undefined) await serverSide.closed

  const [open, refused, cut] = exporter.getFinishedSpans()
  expect(open?.spanContext().traceId).toBe(TRACE)
  expect(open?.parentSpanContext?.spanId).toBe(PARENT)
  expect(open?.attributes).toEqual({
    'url.path': '/open',
    'client.address': '127.0.0.1',
    'ws.close.code': 1000,
    'ws.close.initiator': 'remote',
  })
  expect(open?.events.map(({ name, attributes }) => [name, attributes])).toEqual([
    ['received', { size: 5, binary: false }],
    ['sent', { size: 5, binary: false }],
  ])
  expect(refused?.attributes).toMatchObject({ 'ws.refused': 'REFUSED_BY_HOOK', 'http.response.status_code': 401 })
  expect(cut?.attributes).toMatchObject({ 'ws.close.code': 1006, 'ws.close.initiator': 'transport' })
  expect(cut?.status.message).toMatch(/^the connection was lost/)
})

test('tracing: the program prints its spans', async () => {
  const program = startExample('tracing', '0')
  const [url] = await program.printed(/ws:\S+/)
  const socket = await connect(url)
  const closed = once(socket, 'close')
  void socket.close(1000)
  await closed
  await program.printed(/'ws\.close\.code': 1000/)
  program.terminate()
  expect(await program.exit).toEqual({ code: 0, signal: null })
  expect(program.errors).toBe('')
})
