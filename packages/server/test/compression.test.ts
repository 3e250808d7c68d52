// What the server answers to offers of permessage-deflate, byte by byte; the negotiation's own tests have all its cases.

import { describe, expect, test } from 'vitest'
import { RawClient } from './support/raw-client.ts'
import { portOf, serve } from './support/servers.ts'

/** The answer's `Sec-WebSocket-Extensions`, `undefined` if there is none, once the status is 101. */
async function answered(perMessageDeflate: boolean | object, ...offers: string[]): Promise<string | undefined> {
  const server = await serve({ perMessageDeflate })
  const client = await RawClient.connect(portOf(server))
  const [status, ...lines] = await client.upgrade({ add: offers.map((offer) => `Sec-WebSocket-Extensions: ${offer}`) })
  expect(status).toBe('HTTP/1.1 101 Switching Protocols')
  const found = lines.filter((line) => line.startsWith('Sec-WebSocket-Extensions: '))
  expect(found.length).toBeLessThan(2) // [E3]
  return found[0]?.slice('Sec-WebSocket-Extensions: '.length)
}

describe('offers', () => {
  test.each([
    [true, ['permessage-deflate'], 'permessage-deflate'],
    [true, ['permessage-deflate; client_max_window_bits'], 'permessage-deflate'],
    [true, ['x-other', 'permessage-deflate; server_max_window_bits=9'], 'permessage-deflate; server_max_window_bits=9'],
    [{ serverNoContextTakeover: true }, ['permessage-deflate'], 'permessage-deflate; server_no_context_takeover'],
    [false, ['permessage-deflate'], undefined],
    [true, [], undefined],
    [true, ['x-other; constructor; __proto__=1'], undefined],
    [true, ['permessage-deflate; foo'], undefined],
    [true, ['permessage-deflate; server_max_window_bits=08'], undefined],
    [true, ['permessage-deflate; server_no_context_takeover=1, permessage-deflate'], 'permessage-deflate'],
  ])('[D11] [D12] [D21] [E3] [N1] with %j, %j: %j', async (option, offers, expected) => {
    expect(await answered(option, ...offers)).toBe(expected)
  })
})
