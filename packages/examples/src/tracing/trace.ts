// A span for each connection of this process's servers, by OpenTelemetry's API. Rules: a span begins with the upgrade, as a
// child of what the client's headers say, and ends with the connection; messages are its events. The application is not touched.

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { context, propagation, type Span, SpanKind, SpanStatusCode, type Tracer } from '@opentelemetry/api'
import type { ServerDiagnostics, UpgradeRequest, WebSocketConnection } from '@ws/server'

/** Traces until the function that is returned is called. */
export function traceServers(tracer: Tracer): () => void {
  const spans = new WeakMap<WebSocketConnection, Span>()

  const start = ({ url, headers, remoteAddress = '' }: UpgradeRequest): Span => {
    const attributes = { 'url.path': url.split('?')[0] ?? '', 'client.address': remoteAddress }
    const parent = propagation.extract(context.active(), headers)
    return tracer.startSpan('websocket', { kind: SpanKind.SERVER, attributes }, parent)
  }

  const ends = [
    on('ws:server:accepted', ({ socket, request }) => void spans.set(socket, start(request))),
    on('ws:server:refused', ({ refusal }) => {
      const span = start(refusal.request)
      span.setAttributes({ 'ws.refused': refusal.code, 'http.response.status_code': refusal.status ?? 0 })
      span.setStatus({ code: SpanStatusCode.ERROR, message: refusal.message }).end()
    }),
    on('ws:connection:received', ({ socket, size, binary }) => {
      spans.get(socket)?.addEvent('received', { size, binary })
    }),
    on('ws:connection:sent', ({ socket, size, binary }) => {
      spans.get(socket)?.addEvent('sent', { size, binary })
    }),
    on('ws:connection:closed', ({ socket, info }) => {
      const span = spans.get(socket)
      span?.setAttributes({ 'ws.close.code': info.code, 'ws.close.initiator': info.initiator })
      if (!info.wasClean) span?.setStatus({ code: SpanStatusCode.ERROR, message: info.cause?.message ?? '' })
      span?.end()
    }),
  ]
  return () => {
    for (const end of ends) end()
  }
}

function on<Name extends keyof ServerDiagnostics>(
  name: Name,
  take: (message: ServerDiagnostics[Name]) => void,
): () => void {
  const subscriber = (message: unknown): void => take(message as ServerDiagnostics[Name])
  subscribe(name, subscriber)
  return () => void unsubscribe(name, subscriber)
}
