import { expect, test } from 'vitest'
import * as client from '../src/index.ts'

test('the exports', () => {
  expect(Object.keys(client).sort()).toEqual([
    'CloseCode',
    'CloseEvent',
    'HandshakeError',
    'ProtocolError',
    'ReadyState',
    'ReconnectingWebSocket',
    'UsageError',
    'WebSocket',
    'WebSocketConnection',
    'WebSocketError',
    'WebSocketStream',
    'WebSocketStreamError',
    'connect',
    'createWebSocketStream',
  ])
})
