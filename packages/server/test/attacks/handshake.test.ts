// Attacks on the opening handshake of a server, over real sockets, while somebody else goes on talking with it.

import type { Socket } from 'node:net'
import type { UpgradeRequest } from '@ws/server'
import { describe, expect, test } from 'vitest'
import { RawClient, type RequestParts, SWITCHING, textFrame, upgradeRequest } from '../support/raw-client.ts'
import { deferred, httpServer, portOf, serve, share } from '../support/servers.ts'
import { attacked, Bystander } from './support/bystander.ts'
import { pour } from './support/victims.ts'
import { repeated } from './support/wire.ts'

const HIDDEN = textFrame('smuggled')

/** Sends a request and what follows it to a server with a bystander; yields the answer. Nothing may have been read as frames. */
async function refusedBy(parts: RequestParts, ...behind: (string | Uint8Array)[]) {
  const { server, port, bystander } = await attacked()
  const client = await RawClient.connect(port)
  client.write(upgradeRequest(parts), ...behind)
  const answer = await client.answer()
  await bystander.unharmed()
  expect(server.stats()).toMatchObject({ accepted: 1, connections: 1, pending: 0 })
  return answer
}

describe('a body on the GET is refused, and never read as frames', () => {
  const chunk = Buffer.concat([Buffer.from(`${HIDDEN.length.toString(16)}\r\n`), HIDDEN, Buffer.from('\r\n0\r\n\r\n')])
  test.each<[string, string[], Uint8Array]>([
    ['[D16] a length', [`Content-Length: ${HIDDEN.length}`], HIDDEN],
    ['[D16] a length that is too small for it', ['Content-Length: 1'], HIDDEN],
    ['[D16] two lengths', ['Content-Length: 0', `Content-Length: ${HIDDEN.length}`], HIDDEN],
    ['[D16] a length that is none', ['Content-Length: 0x0'], HIDDEN],
    ['[D16] chunks', ['Transfer-Encoding: chunked'], chunk],
    ['[D16] chunks, and a length', ['Transfer-Encoding: chunked', 'Content-Length: 0'], chunk],
    ['[D16] chunks under another coding', ['Transfer-Encoding: gzip, chunked'], chunk],
    ['[D16] a coding that ends with the connection', ['Transfer-Encoding: identity'], HIDDEN],
    ['[D16] chunks on a line that is folded', ['Transfer-Encoding:', ' chunked'], chunk],
  ])('%s', async (_, add, behind) => {
    expect((await refusedBy({ add }, behind)).status).toBe(400)
  })
})

test.each([
  ['HTTP/1.0', 'GET / HTTP/1.0'],
  ['HTTP/0.9', 'GET / HTTP/0.9'],
  ['no version', 'GET /'],
  ['HTTP/1.', 'GET / HTTP/1.'],
  ['HTTP/01.1', 'GET / HTTP/01.1'],
  ['HTTP/9.9', 'GET / HTTP/9.9'],
  ['HTTP/2, by its preface', 'PRI * HTTP/2.0'],
])('[D1] a request in %s is refused', async (_, start) => {
  expect([400, 505]).toContain((await refusedBy({ start })).status) // by Node or by us, as its parser has it
})

test.each(['0', '-1', '+13', '13.0', '1e1', '0x0d', '13;', '1 3', '"13"', '18446744073709551629', '999…', ''])(
  '[D7] version %j is refused',
  async (version) => {
    const digits = version.replace('…', '9'.repeat(5_000))
    expect((await refusedBy({ replace: [`Sec-WebSocket-Version: ${digits}`] })).status).toBe(426)
  },
)

describe('thousands of headers', () => {
  const MANY = Array<string>(2_000).fill('a: b')

  test('[D12] [D17] 2,000 of them hide nothing: those behind them count', async () => {
    const { port, bystander } = await attacked({ protocols: ['chat'] })
    const client = await RawClient.connect(port)
    const head = await client.upgrade({ add: [...MANY, 'Sec-WebSocket-Protocol: chat'] })
    expect(head).toEqual([...SWITCHING, 'Sec-WebSocket-Protocol: chat'])
    await bystander.unharmed()
  })

  test('[D16] [D17] a length behind them is seen', async () => {
    expect((await refusedBy({ add: [...MANY, `Content-Length: ${HIDDEN.length}`] }, HIDDEN)).status).toBe(400)
  })

  test.each([undefined, 100])('[D16] on an HTTP server that leaves some out (maxHeadersCount %s)', async (count) => {
    const http = await httpServer()
    if (count !== undefined) http.maxHeadersCount = count
    const server = share(http)
    const reasons: string[] = []
    server.on('refused', ({ code, message }) => reasons.push(`${code}: ${message}`))
    const client = await RawClient.connect(portOf(http))
    client.write(upgradeRequest({ add: [...MANY, `Content-Length: ${HIDDEN.length}`] }), HIDDEN)
    const { status } = await client.answer()
    expect(server.stats().accepted).toBe(0)
    // Later Nodes refuse such requests themselves.
    if (status === 431) return
    const why = "Node leaves out those past the HTTP server's maxHeadersCount, and they may tell of a body"
    expect([status, reasons]).toEqual([400, [`REFUSED_BODY: expected fewer headers: ${why}`]])
  })

  test('on an HTTP server that leaves none out', async () => {
    const http = await httpServer()
    http.maxHeadersCount = 0
    share(http)
    const client = await RawClient.connect(portOf(http))
    expect(await client.upgrade({ add: MANY })).toEqual(SWITCHING)
  })
})

describe('headers that are huge or never end', () => {
  const open = upgradeRequest().slice(0, -2)
  test.each([
    ['one value', `${open}X: `, 'x'.repeat(1_000)],
    ['one name', open, 'x'.repeat(1_000)],
    ['lines', open, 'X: y\r\n'.repeat(100)],
    ['a path', 'GET /', 'x'.repeat(1_000)],
  ])('[D17] %s', async (_, beginning, endless) => {
    const { server, port, bystander } = await attacked()
    const client = await RawClient.connect(port)
    client.write(beginning)
    // Ends when the connection does: by an answer of 431, which a reset may overtake, for the attacker does not listen.
    await pour(client.socket, Buffer.from(endless), Number.MAX_SAFE_INTEGER)
    expect((await client.rest()).toString('latin1')).toMatch(/^(HTTP\/1\.1 431 |$)/)
    await bystander.unharmed()
    expect(server.stats().accepted).toBe(1)
  })
})

test('[D17] [M3] a header that is dribbled byte by byte gets 408', async () => {
  const { port, bystander } = await attacked({ handshakeTimeout: 100 })
  const client = await RawClient.connect(port)
  const request = upgradeRequest({ add: [`X: ${'x'.repeat(10_000)}`] })
  let sent = 0
  const dribble = (): void => {
    if (!client.socket.destroyed) client.socket.write(request.charAt(sent++), () => setImmediate(dribble))
  }
  dribble()
  expect((await client.head())[0]).toBe('HTTP/1.1 408 Request Timeout')
  await client.destroy()
  expect(sent).toBeLessThan(request.length)
  await bystander.unharmed()
})

describe('names of what every object has', () => {
  const NAMES = ['__proto__', 'constructor', 'prototype', 'hasOwnProperty', 'toString']

  test('[D21] as extension, parameter and value: they mean nothing', async () => {
    const { server, port, bystander } = await attacked({ perMessageDeflate: true })
    const offers = NAMES.flatMap((name) => [name, `${name}; ${name}=${name}`, `permessage-deflate; ${name}=${name}`])
    const client = await RawClient.connect(port)
    const head = await client.upgrade({ add: [`Sec-WebSocket-Extensions: ${offers.join(', ')}`] })
    expect(head).toEqual(SWITCHING)
    client.write(textFrame('hello'))
    expect(await client.text()).toBe('hello')
    await bystander.unharmed()
    expect(server.stats().refusals).toEqual({})
  })

  test('[D21] [E2] as subprotocol: one like any other', async () => {
    const offer = { add: [`Sec-WebSocket-Protocol: ${NAMES.join(', ')}`] }
    const without = await serve({ protocols: ['chat'] })
    expect(await (await RawClient.connect(portOf(without))).upgrade(offer)).toEqual(SWITCHING)
    const server = await serve({ protocols: ['constructor', '__proto__'] })
    const head = await (await RawClient.connect(portOf(server))).upgrade(offer)
    expect(head).toEqual([...SWITCHING, 'Sec-WebSocket-Protocol: __proto__'])
  })

  test('[D21] as header: nothing of it lands in the prototype', async () => {
    const seen: unknown[] = []
    const server = await serve({ authenticate: ({ headers }) => void seen.push(Object.getPrototypeOf(headers)) })
    const client = await RawClient.connect(portOf(server))
    expect(await client.upgrade({ add: NAMES.map((name) => `${name}: polluted`) })).toEqual(SWITCHING)
    expect([Object.prototype, null]).toContain(seen[0])
    expect(Object.values(Object.prototype)).toEqual([])
  })
})

describe('[F8] patterns that would make a parser quadratic', () => {
  const SIZE = 512 * 1024
  // Each would take minutes if its time grew with the square of its length.
  const PATTERNS = [',', ' ', '\t', ', ', 'a,', 'a;', ';', 'a=', '"', '\\"', 'a="\\', 'a; b="', '=', ' ,\t']
  const NAMES = [
    'Sec-WebSocket-Extensions: a="',
    'Sec-WebSocket-Extensions: a',
    'Sec-WebSocket-Protocol: a',
    'Connection: Upgrade,',
    'Upgrade: websocket,',
    'Origin: http://',
    'X-Forwarded-Host: a',
    'Cookie: a',
  ]

  test.each(NAMES)('%s…', async (beginning) => {
    const http = await httpServer(undefined, { maxHeaderSize: 2 * SIZE })
    share(http, { trustProxy: true, perMessageDeflate: true }, { message: (socket, data) => void socket.send(data) })
    const bystander = await Bystander.join(portOf(http))
    for (const pattern of PATTERNS) {
      const client = await RawClient.connect(portOf(http))
      client.write(upgradeRequest({ add: [beginning + pattern.repeat(SIZE / pattern.length)] }))
      expect((await client.head())[0]).toMatch(/^HTTP\/1\.1 (101|400|403) /)
      await client.destroy()
    }
    await bystander.unharmed()
  })
})

describe('frames glued to the request', () => {
  test('[D15] wrong ones end their connection and no other', async () => {
    const { server, port, bystander } = await attacked()
    const client = await RawClient.connect(port)
    client.write(upgradeRequest(), textFrame('first'), Buffer.of(0x81, 0x05), 'plain')
    expect(await client.head()).toEqual(SWITCHING)
    expect([await client.text(), await client.closeCode()]).toEqual(['first', 1002])
    await bystander.unharmed()
    expect(server.stats().accepted).toBe(2)
  })

  test('[D15] [D19] megabytes of them wait where they are while the upgrade is pending', async () => {
    const [called, call] = deferred<Socket>()
    const [decision, decide] = deferred<boolean>()
    const authenticate = ({ raw, url }: UpgradeRequest) => {
      if (url !== '/pending') return true
      call(raw.socket)
      return decision
    }
    const { port, bystander } = await attacked({ authenticate })
    const client = await RawClient.connect(port)
    client.write(upgradeRequest({ start: 'GET /pending HTTP/1.1' }))
    const socket = await called
    const word = 'x'.repeat(125)
    client.write(repeated(textFrame(word), 65_536))
    await bystander.goesOn(100)
    expect(socket.readableLength).toBeLessThan(256 * 1024)
    expect(client.socket.writableLength).toBeGreaterThan(0)
    decide(true)
    expect(await client.head()).toEqual(SWITCHING)
    expect((await client.read(127 * 1_000)).toString('latin1')).toBe(`\x81\x7d${word}`.repeat(1_000))
    await bystander.unharmed()
  })

  test('[D16] with an upgrade that is refused they are dropped', async () => {
    const answer = await refusedBy({ omit: ['Sec-WebSocket-Key'] }, ...Array<Buffer>(10_000).fill(HIDDEN))
    expect(answer.status).toBe(400)
  })
})
