// The contract: what every pair of a client and a server must do, as data. A check is one connection (or several at once) to a
// path that says what the server does (behaviour.ts), the client's steps, and what both ends must then have seen.

import { CloseCode } from '@ws/protocol'
import { type Ability, LIMIT, type Payload, type Step } from './plan.ts'

/** What an end must have seen of the end; what is not there may be anything. */
interface Seen {
  readonly code: number
  readonly reason?: string
  /** Only clients tell. */
  readonly wasClean?: boolean
}

export interface Check {
  readonly name: string
  readonly path: string
  readonly steps: readonly Step[]
  /** What the client's and the server's API must be able to do; pairs that are not are left out. */
  readonly needs?: { readonly client?: readonly Ability[]; readonly server?: readonly Ability[] }
  readonly offers?: readonly string[]
  readonly protocol?: string
  readonly connections?: number
  /** How many bytes the messages have, each way; over the wire go much less if they are compressed. */
  readonly volume?: number
  readonly client?: Seen
  readonly server?: Seen
}

const KIB = 1024
const NUMBERS = 1000
/** Chromium puts off whoever connects often at the same time, by seconds from a dozen on. */
const CONNECTIONS = 8
/** Around the three forms of the length, and what no system takes in one piece. */
const LENGTHS = [0, 1, 125, 126, 127, 65_535, 65_536, KIB * KIB]
const LONGEST_REASON = `${'é'.repeat(61)}!` // 123 bytes

const BYE: Step = { do: 'close', code: CloseCode.Normal, reason: 'bye' }
const CLEAN: Pick<Check, 'client' | 'server'> = {
  client: { code: CloseCode.Normal, wasClean: true },
  server: { code: CloseCode.Normal, reason: 'bye' },
}
const LOST = { code: CloseCode.Abnormal, reason: '' }

function text(unit: string, times = 1): Payload {
  return { type: 'text', unit, times }
}

function binary(length: number): Payload {
  return { type: 'binary', length }
}

function send(payload: Payload): Step {
  return { do: 'send', payload }
}

function receive(payload: Payload): Step {
  return { do: 'receive', payload }
}

/** Each is sent when the one before it is back. */
function oneByOne(payloads: readonly Payload[]): Step[] {
  return payloads.flatMap((payload) => [send(payload), receive(payload)])
}

/** All are sent before the first is looked for. */
function atOnce(payloads: readonly Payload[]): Step[] {
  return [...payloads.map(send), ...payloads.map(receive)]
}

/** The client closes once its message is back. */
function clientCloses(name: string, code: number | undefined, reason: string): Check {
  const close: Step = code === undefined ? { do: 'close' } : { do: 'close', code, reason }
  const steps = [...oneByOne([text('last')]), close]
  const server = { code: code ?? CloseCode.NoStatus, reason }
  return { name: `client closes ${name}`, path: '/echo', steps, client: { code: server.code, wasClean: true }, server }
}

/** The server sends a last message and closes. */
function serverCloses(code: number, reason: string): Check {
  const last = text(`${code} ${reason}`)
  const steps = [send(last), receive(last)]
  const client = { code, reason, wasClean: true }
  return { name: `server closes with ${code}`, path: '/close', steps, client, server: { code } }
}

const MIXED = [
  text('a'),
  binary(70_000),
  text('ж', 40_000),
  binary(0),
  binary(200),
  text('{"json":"like"}', 9_000),
  text(''),
]

export const CONTRACT: readonly Check[] = [
  { name: 'text echo', path: '/echo', steps: [...oneByOne(LENGTHS.map((length) => text('*', length))), BYE], ...CLEAN },
  { name: 'binary echo', path: '/echo', steps: [...oneByOne(LENGTHS.map(binary)), BYE], ...CLEAN },
  {
    name: 'unicode echo',
    path: '/echo',
    steps: [
      ...oneByOne([text('κόσμε '), text('日本語', 30_000), text('😀', 32_769), text('a\0b\uFEFFc\u{10FFFF}')]),
      BYE,
    ],
    ...CLEAN,
  },
  {
    name: 'byte order mark',
    path: '/echo',
    needs: { client: ['keepMark'] },
    steps: [...oneByOne([text('\uFEFF'), text('\uFEFFa')]), BYE],
    ...CLEAN,
  },
  {
    name: 'many small messages in order',
    path: '/echo',
    steps: [{ do: 'sendNumbers', count: NUMBERS }, { do: 'receiveNumbers', count: NUMBERS }, BYE],
    ...CLEAN,
  },
  {
    name: 'what compresses well',
    path: '/echo',
    steps: [...oneByOne([text('0123456789abcdef', KIB), text('a', 64 * KIB)]), BYE],
    volume: (16 + 64) * KIB,
    ...CLEAN,
  },
  { name: 'mixed messages at once', path: '/echo', steps: [...atOnce(MIXED), BYE], ...CLEAN },
  {
    name: 'fragments from the client',
    path: '/echo',
    needs: { client: ['fragment'] },
    steps: [{ do: 'sendFragments', parts: ['one ', '', 'двa ', 'three'] }, receive(text('one двa three')), BYE],
    ...CLEAN,
  },
  {
    name: 'fragments from the server',
    path: '/fragments',
    needs: { server: ['fragment'] },
    steps: [...oneByOne([text('one двa three'), text('word ', 500)]), BYE],
    ...CLEAN,
  },
  { name: 'no subprotocol', path: '/echo', steps: [...oneByOne([text('a')]), BYE], ...CLEAN },
  { name: 'subprotocol', path: '/echo', offers: ['first', 'second'], protocol: 'second', steps: [BYE], ...CLEAN },
  {
    name: 'ping from the client',
    path: '/echo',
    needs: { client: ['ping'] },
    steps: [
      { do: 'ping', data: 'are you there?' },
      ...oneByOne([text('a')]),
      { do: 'ping', data: 'ж'.repeat(62) },
      BYE,
    ],
    ...CLEAN,
  },
  { name: 'ping from the server', path: '/ping', steps: [...oneByOne([text('hello'), text('ж', 62)]), BYE], ...CLEAN },
  clientCloses('with a reason', CloseCode.Normal, 'bye'),
  clientCloses('without a reason', 3000, ''),
  clientCloses('with the longest reason', 4999, LONGEST_REASON),
  clientCloses('without a code', undefined, ''),
  serverCloses(CloseCode.Normal, 'done'),
  serverCloses(CloseCode.GoingAway, 'going away'),
  serverCloses(CloseCode.InternalError, ''),
  serverCloses(4999, LONGEST_REASON),
  {
    name: 'too big for the server',
    path: '/echo',
    steps: [...oneByOne([binary(LIMIT)]), send(binary(LIMIT + 1))],
    client: { code: CloseCode.MessageTooBig },
  },
  {
    name: 'too big for the client',
    path: '/big',
    needs: { client: ['limit'] },
    steps: [send(text('now'))],
    server: { code: CloseCode.MessageTooBig },
  },
  {
    name: 'client is gone',
    path: '/echo',
    needs: { client: ['abort'] },
    steps: [...oneByOne([text('a')]), { do: 'abort' }],
    client: { ...LOST, wasClean: false },
    server: LOST,
  },
  {
    name: 'server is gone',
    path: '/abort',
    steps: [send(text('now'))],
    client: { ...LOST, wasClean: false },
    server: LOST,
  },
  {
    name: 'connections at the same time',
    path: '/echo',
    connections: CONNECTIONS,
    steps: [...oneByOne([text('a'), binary(65_536), text('ж', 5_000)]), BYE],
    ...CLEAN,
  },
]
