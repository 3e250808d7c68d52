// What is read of a request without Node's HTTP parser, and what is left to that one: case by case, and against it.

import type http from 'node:http'
import type { IncomingMessage } from 'node:http'
import net, { type Socket } from 'node:net'
import { checkUpgradeRequest } from '@ws/protocol'
import { pick, type Random, seeded } from '@ws/testkit'
import { describe, expect, test } from 'vitest'
import { LONGEST_HEAD } from '../src/arrival.ts'
import { DirectUpgradeRequest } from '../src/direct-request.ts'
import { readRequestHead } from '../src/request-head.ts'
import { upgradeRequest } from './support/raw-client.ts'
import { httpServer, portOf } from './support/servers.ts'

const UPGRADE = upgradeRequest()
const BARE = 'GET / HTTP/1.1\r\nHost: a\r\n'

/** A head with these lines behind its Host. */
const withLines = (...lines: string[]) => `${BARE}${lines.map((line) => `${line}\r\n`).join('')}\r\n`

describe('is read', () => {
  test('the request of a client', () => {
    expect(readRequestHead(UPGRADE)).toEqual({
      target: '/',
      rawHeaders: [
        ...['Host', '127.0.0.1'],
        ...['Upgrade', 'websocket'],
        ...['Connection', 'Upgrade'],
        ...['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
        ...['Sec-WebSocket-Version', '13'],
      ],
      length: UPGRADE.length,
    })
  })

  test.each<[string, string[], string[]]>([
    ['a name in any case', ['x-Y-1: z'], ['x-Y-1', 'z']],
    ['an empty value', ['X:'], ['X', '']],
    ['a value of spaces', ['X:   '], ['X', '']],
    ['no space before a value', ['X:y'], ['X', 'y']],
    ['spaces around a value and in it', ['X:   y  z  '], ['X', 'y  z']],
    ['a colon in a value', ['X: a:b: c'], ['X', 'a:b: c']],
    ['every character that can be seen, in a value', [`X: ${visible()}`], ['X', visible()]],
    ['a name that comes twice', ['X: 1', 'X: 2'], ['X', '1', 'X', '2']],
    ['names that have those of bodies in them', ['X-TE: a', 'Expected: b'], ['X-TE', 'a', 'Expected', 'b']],
  ])('%s', (_, lines, headers) => {
    expect(readRequestHead(withLines(...lines))?.rawHeaders).toEqual(['Host', 'a', ...headers])
  })

  test('a target in origin form, as sent', () => {
    const target = `/${visible()}?${visible()}`
    expect(readRequestHead(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`)?.target).toBe(target)
  })

  test('up to its end: what follows are frames', () => {
    const head = withLines()
    expect(readRequestHead(`${head}\x81\x80\0\0\0\0`)?.length).toBe(head.length)
    expect(readRequestHead(head + head)?.length).toBe(head.length)
  })
})

describe('is left to Node', () => {
  test.each<[string, string]>([
    ['nothing', ''],
    ['another method', UPGRADE.replace('GET', 'POST')],
    ['a method in small letters', UPGRADE.replace('GET', 'get')],
    ['HTTP/1.0', UPGRADE.replace('HTTP/1.1', 'HTTP/1.0')],
    ['HTTP/2.0', UPGRADE.replace('HTTP/1.1', 'HTTP/2.0')],
    ['http/1.1', UPGRADE.replace('HTTP/1.1', 'http/1.1')],
    ['no version', UPGRADE.replace(' HTTP/1.1', '')],
    ['a target in absolute form', UPGRADE.replace('/ ', 'http://a/ ')],
    ['a target in authority form', UPGRADE.replace('/ ', 'a:80 ')],
    ['a target in asterisk form', UPGRADE.replace('/ ', '* ')],
    ['no target', UPGRADE.replace('/ ', '')],
    ['a query without a path', UPGRADE.replace('/ ', '?a ')],
    ['a second space in the request line', UPGRADE.replace('GET ', 'GET  ')],
    ['a second space before the version', UPGRADE.replace('/ ', '/  ')],
    ['a tab in the request line', UPGRADE.replace('GET ', 'GET\t')],
    ['a space behind the version', UPGRADE.replace('1.1\r\n', '1.1 \r\n')],
    ['an empty line before the request', `\r\n${UPGRADE}`],
    ['no header', 'GET / HTTP/1.1\r\n\r\n'],
    ['a space before the colon', withLines('X : y')],
    ['a tab before the colon', withLines('X\t: y')],
    ['no colon', withLines('X')],
    ['no name', withLines(': y')],
    ['a line that is folded by a space', withLines('X: y', ' z')],
    ['a line that is folded by a tab', withLines('X: y', '\tz')],
    ['a first line that is folded', 'GET / HTTP/1.1\r\n Host: a\r\n\r\n'],
    ['a name with an underscore', withLines('X_Y: z')],
    ['a name of other token characters', withLines("!#$%&'*+.^`|~: y")],
    ['a name past ASCII', withLines('\xe9: y')],
    ['a bare LF behind a header', withLines('X: y').replace('y\r\n', 'y\n')],
    ['a bare LF behind the request line', UPGRADE.replace('\r\n', '\n')],
    ['a bare LF at the end', `${withLines().slice(0, -2)}\n`],
    ['a bare CR in a value', withLines('X: y\rz')],
    ['a bare LF in a value', withLines('X: y\nz')],
    ['CR CR LF', withLines('X: y\r')],
    ['a NUL in a value', withLines('X: y\0')],
    ['a NUL in the target', UPGRADE.replace('/ ', '/\0 ')],
    ['a tab before a value', withLines('X:\ty')],
    ['a tab in a value', withLines('X: y\tz')],
    ['a tab behind a value', withLines('X: y\t')],
    ['DEL in a value', withLines('X: \x7f')],
    ['a form feed in a value', withLines('X: \fy')],
    ['a byte past ASCII in a value', withLines('X: \xe9')],
    ['a no-break space before a value', withLines('X:\xa0y')],
    ['a byte past ASCII in the target', UPGRADE.replace('/ ', '/\xe9 ')],
  ])('%s', (_, text) => {
    expect(readRequestHead(text)).toBe(undefined)
  })

  test.each([
    'Content-Length: 0',
    'Content-Length: 5',
    'Transfer-Encoding: chunked',
    'Transfer-Encoding:',
    'Expect: 100-continue',
    'TE: trailers',
    'Trailer: X',
  ])('a header of bodies, in any case: %s', (line) => {
    for (const text of [line, line.toLowerCase(), line.toUpperCase()]) {
      expect(readRequestHead(withLines(text))).toBe(undefined)
      expect(readRequestHead(withLines('X: y', text, 'X: y'))).toBe(undefined)
      expect(readRequestHead(`GET / HTTP/1.1\r\n${text}\r\nHost: a\r\n\r\n`)).toBe(undefined)
    }
  })

  test('every part of a head that is not the whole', () => {
    for (let length = 0; length < UPGRADE.length; length++) {
      expect(readRequestHead(UPGRADE.slice(0, length)), `${length} bytes`).toBe(undefined)
    }
  })

  test('what is long and not the head of a request, in linear time', () => {
    const parts = ['a', 'a:', 'a:\r\n', ': ', ' ', '\r', '/', 'GET / HTTP/1.1\r\n', 'a: b\r\n']
    for (const part of parts) {
      for (const begin of ['', 'GET /', BARE]) {
        expect(readRequestHead((begin + part.repeat(LONGEST_HEAD)).slice(0, LONGEST_HEAD))).toBe(undefined)
      }
    }
  })
})

describe('means what Node reads', () => {
  const BASES = [
    `${UPGRADE}\x81\x85\0\0\0\0Hello`,
    upgradeRequest({ start: 'GET /a/b?c=d&e#f HTTP/1.1', add: ['Origin: http://127.0.0.1', 'Cookie: a=b; c="d"'] }),
    upgradeRequest({
      replace: ['Connection: keep-alive, Upgrade'],
      add: ['Sec-WebSocket-Protocol: a, b', 'X: 1', 'X: 2'],
    }),
    'GET / HTTP/1.1\r\nhost:a\r\nuPgRaDe:\twebsocket \r\nCONNECTION: , upgrade ,\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-version: 13\t\r\n\r\nGET',
    withLines('Set-Cookie: a', 'set-cookie: b', 'User-Agent: a', 'User-Agent: b', 'Cookie: c', 'Cookie: d'),
  ]

  test('each byte, wherever it may matter', async () => {
    const oracle = await Oracle.start()
    const bytes = Array.from({ length: 256 }, (_, value) => String.fromCharCode(value))
    const places: ((byte: string) => string)[] = [
      (byte) => UPGRADE.replace('GET', `${byte}GET`),
      (byte) => UPGRADE.replace('/ ', `/a${byte}b `),
      (byte) => UPGRADE.replace('/ ', `/?a${byte}b `),
      (byte) => UPGRADE.replace('/ ', `/#a${byte}b `),
      (byte) => UPGRADE.replace('/ ', `/${byte} `),
      (byte) => UPGRADE.replace('1.1', `1.1${byte}`),
      (byte) => UPGRADE.replace('\r\n', `\r\n${byte}`),
      (byte) => withLines(`X${byte}Y: z`),
      (byte) => withLines(`X${byte}: y`),
      (byte) => withLines(`X:${byte}y`),
      (byte) => withLines(`X: a${byte}b`),
      (byte) => withLines(`X: y${byte}`),
      (byte) => UPGRADE.replace('Upgrade\r\n', `Upgrade${byte}\r\n`),
      (byte) => UPGRADE.replace('Connection:', `Connection:${byte}`),
      (byte) => UPGRADE.replace('Upgrade: ', `Upgrade: ${byte}`),
      (byte) => upgradeRequest({ replace: [`Connection: a${byte}Upgrade`] }),
      (byte) => upgradeRequest({ replace: [`Connection: Upgrade${byte}a`] }),
      (byte) => `${UPGRADE.slice(0, -2)}${byte}\r\n`,
      (byte) => `${UPGRADE}${byte}`,
    ]
    for (const place of places) for (const byte of bytes) await oracle.ask(place(byte))
    expect(oracle.read).toBeGreaterThan(500)
    expect(oracle.upgraded).toBeGreaterThan(100)
  })

  test('any list in Connection and Upgrade', async () => {
    const oracle = await Oracle.start()
    const random = seeded(SEED)
    const list = () => Array.from({ length: random(6) }, () => pick(random, ITEMS)).join('')
    for (let count = 0; count < 1_000; count++) {
      const lines = Array.from({ length: 1 + random(2) }, () => `Connection: ${list()}`)
      await oracle.ask(upgradeRequest({ replace: [...lines, `Upgrade: ${random(4) === 0 ? list() : 'websocket'}`] }))
    }
    expect(oracle.upgraded, `seed ${SEED}`).toBeGreaterThan(50)
  })

  test('1,500 mutants', async () => {
    const oracle = await Oracle.start()
    const random = seeded(SEED)
    for (let count = 0; count < 1_500; count++) await oracle.ask(mutant(random, pick(random, BASES)))
    expect(oracle.read, `seed ${SEED}`).toBeGreaterThan(150)
    expect(oracle.upgraded, `seed ${SEED}`).toBeGreaterThan(30)
  })
})

const SEED = 6455
const ITEMS = ['upgrade', 'Upgrade', 'close', 'keep-alive', 'websocket', 'x', '-', ' ', ' ', ',', ',', ', ', '"', ';']
const PIECES = [
  ' ',
  '\t',
  ',',
  ':',
  '\r\n',
  '\r',
  '\n',
  ';',
  '"',
  '/',
  'X: y\r\n',
  'close',
  'upgrade',
  '\r\n ',
  '\0',
  '\xff',
]

/** A text with one to three places changed. */
function mutant(random: Random, base: string): string {
  let text = base
  for (let changes = 1 + random(3); changes > 0; changes--) {
    const at = random(text.length)
    const piece = random(2) === 0 ? pick(random, PIECES) : String.fromCharCode(random(256))
    const gone = random(3)
    text = text.slice(0, at) + (gone === 1 ? '' : piece) + text.slice(at + (gone === 0 ? 0 : 1 + random(2)))
  }
  return text
}

/** All of ASCII that is not a space and not a control character. */
function visible(): string {
  return Array.from({ length: 94 }, (_, index) => String.fromCharCode(0x21 + index)).join('')
}

/** Asks Node's parser. */
class Oracle {
  /** How many texts were read here, and how many of them were upgrades. */
  read = 0
  upgraded = 0
  readonly #server: http.Server

  private constructor(server: http.Server) {
    this.#server = server
  }

  static async start(): Promise<Oracle> {
    const server = await httpServer(undefined, { requireHostHeader: false })
    server.maxHeadersCount = 0 // as on a port of our own
    return new Oracle(server)
  }

  /** If a text is read here, it has to come out of Node's parser alike, and as an upgrade if we would take it for one. */
  async ask(text: string): Promise<void> {
    const head = readRequestHead(text)
    if (head === undefined) return
    this.read++
    const why = `seed ${SEED}: ${JSON.stringify(text)}`
    const [kind, raw, rest] = await this.#parse(text)
    const request = new DirectUpgradeRequest(raw?.socket as Socket, head)
    expect([raw?.method, raw?.url, raw?.rawHeaders], why).toEqual(['GET', head.target, head.rawHeaders])
    if (!checkUpgradeRequest(request).valid) return
    this.upgraded++
    expect([kind, rest], why).toEqual(['upgrade', text.slice(head.length)])
    expect(seen(request.raw), why).toEqual(seen(raw as IncomingMessage))
    expect(request.raw.socket).toBe(raw?.socket)
    expect(request.headers).toEqual(raw?.headers)
  }

  async #parse(text: string): Promise<[kind: string, request: IncomingMessage | undefined, rest: string]> {
    const client = net.connect(portOf(this.#server), '127.0.0.1')
    client.on('error', () => {})
    const parsed = new Promise<[string, IncomingMessage | undefined, string]>((resolve) => {
      this.#server.removeAllListeners('request').removeAllListeners('upgrade').removeAllListeners('clientError')
      this.#server.on('request', (request) => resolve(['request', request, '']))
      this.#server.on('clientError', () => resolve(['error', undefined, '']))
      this.#server.on('upgrade', async (request, socket, head) => {
        let rest = head.toString('latin1')
        for await (const chunk of socket) rest += chunk.toString('latin1')
        resolve(['upgrade', request, rest])
      })
    })
    client.end(text, 'latin1')
    const outcome = await parsed
    client.destroy()
    outcome[1]?.socket.destroy()
    return outcome
  }
}

/** What of a request its users see, and whether Node is done with it. */
function seen(request: IncomingMessage) {
  const { method, url, httpVersion, httpVersionMajor, httpVersionMinor, headers, rawHeaders } = request
  const { headersDistinct, trailers, rawTrailers, complete, upgrade } = request as IncomingMessage & {
    upgrade: boolean
  }
  const http = [method, url, httpVersion, httpVersionMajor, httpVersionMinor, upgrade, complete]
  return { http, headers, rawHeaders, headersDistinct, trailers, rawTrailers }
}
