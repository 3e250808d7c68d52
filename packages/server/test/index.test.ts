import * as server from '@ws/server'
import { expect, test } from 'vitest'

test('the public names', () => {
  expect(Object.keys(server).sort()).toEqual([
    'CloseCode',
    'HandshakeError',
    'ProtocolError',
    'ReadyState',
    'UsageError',
    'WebSocketConnection',
    'WebSocketError',
    'WebSocketServer',
    'createWebSocketStream',
  ])
})
