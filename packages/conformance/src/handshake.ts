// Judges the opening handshake from outside: what the server answers to a request, and what the client makes of an answer.
// Whatever a case is about, a 101 has exactly the headers that it must have (RFC 6455 §4.2.2), a refusal is a whole HTTP
// answer and then the end, a client's request is right (§4.1), and a client that refuses says nothing more.

import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { HandshakeError } from '@ws/client'
import type { Agreed, Conversation, End, RequestCase, ResponseCase, SentFrame } from './case.ts'
import { converse, type Pace } from './converse.ts'
import { acceptOf, EXTENSIONS, type Head, readHead, readRest, valuesOf } from './http.ts'
import { normalized } from './negotiation.ts'
import { writeInChunks } from './peer.ts'
import type { ClientTarget, ServerTarget } from './targets.ts'
import { encode } from './wire.ts'

const TO_AND_FRO: Conversation = {
  steps: [
    { send: [{ opcode: 1, payload: Buffer.from('Hello') }] },
    { expect: [{ opcode: 1, payload: Buffer.from('Hello') }] },
  ],
  outcome: 'open',
}
const LOWER_CASE_GUID = '258eafa5-e914-47da-95ca-c5ab0dc85b11'
const PROTOCOL = 'sec-websocket-protocol'
/** What a refusal must say of itself (RFC 9110 §15.5.6, §15.5.22; RFC 6455 §4.4). */
const TELLING: ReadonlyMap<number, readonly (readonly [name: string, value: RegExp])[]> = new Map([
  [405, [['allow', /^GET$/]]],
  [
    426,
    [
      ['upgrade', /^websocket$/],
      ['connection', /upgrade/i],
      ['sec-websocket-version', /^13$/],
    ],
  ],
])

/** Sends a request to the server. @returns what was expected and what came, if that differs */
export async function requestFault(test: RequestCase, target: ServerTarget, pace: Pace): Promise<string | undefined> {
  const { socket, host, accepted } = await target.dial(test.options ?? {})
  const request = test.request.replaceAll('{host}', host)
  return await judged(socket, pace, async () => {
    await send(socket, request, test.glued, 'server', pace)
    const head = await readHead(socket)
    const { answer } = test
    if ('length' in answer) return await refusalFault(answer, request, socket, head)
    const fault = openingFault(answer, keyOf(request), head)
    if (fault !== undefined) return fault
    const opened = { socket, head: head.rest, closed: (await accepted).closed }
    return await converse(test.conversation ?? TO_AND_FRO, 'server', opened, pace)
  })
}

/** Answers the client's request. @returns what was expected and what came, if that differs */
export async function answerFault(test: ResponseCase, target: ClientTarget, pace: Pace): Promise<string | undefined> {
  const { socket, host, head, connected } = await target.meet(test.options ?? {})
  return await judged(socket, pace, async () => {
    const wrong = madeFault(test, host, head)
    if (wrong !== undefined) return wrong
    await send(socket, withAccept(test.response, keyOf(head)), test.glued, 'client', pace)
    if (test.end === true) socket.end()
    const { verdict } = test
    const outcome = await connected.catch((error: HandshakeError) => error)
    if (typeof verdict === 'string') return await failureFault(verdict, outcome, socket, head.rest)
    if (outcome instanceof Error) return `expected that the client opens, got ${outcome.code} ${outcome.message}`
    const got = { protocol: outcome.protocol, extensions: outcome.extensions }
    const fault = differs('protocol', verdict.protocol, got.protocol) ?? extensionsFault(verdict, got.extensions)
    if (fault !== undefined) return fault
    const opened = { socket, head: head.rest, closed: outcome.closed }
    return await converse(test.conversation ?? TO_AND_FRO, 'client', opened, pace)
  })
}

async function judged(socket: Socket, { timeout }: Pace, judge: () => Promise<string | undefined>) {
  const timer = setTimeout(() => socket.destroy(), timeout)
  socket.on('error', () => {}) // a reset is the end, too
  try {
    return await judge()
  } finally {
    clearTimeout(timer)
    socket.destroy()
    if (!socket.closed) await once(socket, 'close')
  }
}

async function send(socket: Socket, head: string, glued: readonly SentFrame[] = [], end: End, { chunk }: Pace) {
  const frames = glued.map((frame) => encode(frame, end))
  await writeInChunks(socket, Buffer.concat([Buffer.from(head, 'latin1'), ...frames]), chunk)
}

function keyOf(request: string | Head): string {
  if (typeof request !== 'string') return valuesOf(request, 'sec-websocket-key').join()
  return /^sec-websocket-key:[ \t]*(.*?)[ \t]*\r$/im.exec(request)?.[1] ?? ''
}

// --- The server's answers

/** A 101 has the four headers once each, and none that it must not have (§4.2.2; RFC 9110 §7.8). */
function openingFault(expected: Agreed, key: string, head: Head): string | undefined {
  const one = (name: string, value: string) => differs(name, value, valuesOf(head, name).join(' and '))
  return (
    differs('the status line', 'HTTP/1.1 101 Switching Protocols', head.first) ??
    one('upgrade', 'websocket') ??
    one('connection', 'Upgrade') ??
    one('sec-websocket-accept', acceptOf(key)) ??
    one(PROTOCOL, expected.protocol) ??
    one('content-length', '') ??
    one('transfer-encoding', '') ??
    extensionsFault(expected, valuesOf(head, EXTENSIONS).join(' and '))
  )
}

async function refusalFault(statuses: readonly number[], request: string, socket: Socket, head: Head) {
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head.first)?.[1])
  if (!statuses.includes(status)) return `expected status ${statuses.join(' or ')}, got ${head.first}`
  for (const [name, value] of TELLING.get(status) ?? []) {
    if (!value.test(valuesOf(head, name).join())) return `expected ${name}: ${value.source} in a ${status}`
  }
  // Otherwise the connection stays for another request (RFC 9112 §9.3).
  if (!valuesOf(head, 'connection').join().includes('close')) socket.end()
  const body = await readRest(socket, head.rest)
  const [length] = valuesOf(head, 'content-length')
  if (length === undefined || request.startsWith('HEAD ')) return differs('the body', '', body.toString())
  return differs('the size of the body', length, String(body.length))
}

// --- The client's requests, and what it makes of answers

/** A request is a GET with each header of the handshake once (§4.1). */
function madeFault({ offer = '', options }: ResponseCase, host: string, head: Head): string | undefined {
  const one = (name: string, value: string) => differs(name, value, valuesOf(head, name).join(' and '))
  const key = keyOf(head)
  return (
    differs('the request line', `GET ${head.first.split(' ')[1]} HTTP/1.1`, head.first) ??
    one('host', host) ??
    one('upgrade', 'websocket') ??
    one('connection', 'Upgrade') ??
    one('sec-websocket-version', '13') ??
    one(PROTOCOL, options?.protocols?.join(', ') ?? '') ??
    one('origin', '') ??
    extensionsFault({ extensions: offer }, valuesOf(head, EXTENSIONS).join(' and ')) ??
    (/^[+/0-9A-Za-z]{21}[AQgw]==$/.test(key) ? undefined : `expected a key of 16 bytes in base64, got ${key}`)
  )
}

async function failureFault(code: string, outcome: unknown, socket: Socket, before: Buffer) {
  if (!(outcome instanceof Error)) return `expected ${code}, the client opened`
  const got = (outcome as HandshakeError).code
  if (got !== code) return `expected ${code}, got ${got}: ${outcome.message}`
  const said = await readRest(socket, before)
  return differs('what a client says that refuses', '', said.toString('latin1'))
}

/** The right accept value, and wrong ones. */
function withAccept(response: string, key: string): string {
  const accept = acceptOf(key)
  const decoded = Buffer.from(key, 'base64').toString('latin1')
  return response
    .replaceAll('{accept}', accept)
    .replaceAll('{accept in lower case}', accept.toLowerCase())
    .replaceAll('{accept in hexadecimal digits}', Buffer.from(accept, 'base64').toString('hex'))
    .replaceAll('{accept without padding}', accept.replaceAll('=', ''))
    .replaceAll('{accept for the decoded key}', acceptOf(decoded))
    .replaceAll('{accept without the GUID}', acceptOf(key, ''))
    .replaceAll('{accept with the GUID in lower case}', acceptOf(key, LOWER_CASE_GUID))
    .replaceAll('{key}', key)
}

function extensionsFault({ extensions }: Pick<Agreed, 'extensions'>, got: string): string | undefined {
  return differs('extensions', extensions === '' ? '' : normalized(extensions), got === '' ? '' : normalized(got))
}

function differs(what: string, expected: string, got: string): string | undefined {
  return expected === got ? undefined : `expected ${what} '${expected}', got '${got}'`
}
