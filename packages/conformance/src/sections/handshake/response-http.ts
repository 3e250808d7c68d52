// RFC 6455 §4.1, RFC 9110 §15.2: what is HTTP in an answer: its status, versions, broken heads, interim answers, and what comes
// behind.

import type { ErrorCode } from '@ws/protocol'
import type { ResponseCase } from '../../case.ts'
import { begin, binaried, binary, close, closed, last, ping, ponged, text, texted } from '../../frames.ts'
import { answered, PLAIN, response } from './heads.ts'

const NAME = 'handshake/response'
const answering = answered({ section: NAME, rfc: 'RFC 6455 §4.1' })
const NO_BODY = ['Content-Length: 0']

const STATUSES: readonly ResponseCase[] = [
  answering('right', ['B1', 'B2', 'B3', 'B4', 'B5', 'B7', 'C2', 'C3', 'C4'], 'a right answer', {}, PLAIN),
  answering('no-phrase', ['C1'], 'a 101 without a reason phrase', { start: 'HTTP/1.1 101 ' }, PLAIN),
  answering(
    'other-phrase',
    ['C1'],
    'a 101 with another reason phrase',
    { start: 'HTTP/1.1 101 Web Socket Protocol Handshake' },
    PLAIN,
  ),
  ...[
    '200 OK',
    '201 Created',
    '204 No Content',
    '206 Partial Content',
    '300 Multiple Choices',
    '301 Moved Permanently',
    '302 Found',
    '304 Not Modified',
    '307 Temporary Redirect',
    '400 Bad Request',
    '401 Unauthorized',
    '403 Forbidden',
    '404 Not Found',
    '407 Proxy Authentication Required',
    '418 I am a teapot',
    '426 Upgrade Required',
    '429 Too Many Requests',
    '500 Internal Server Error',
    '502 Bad Gateway',
    '503 Service Unavailable',
    '599 Unknown',
  ].map((status) =>
    answering(
      `status-${status.slice(0, 3)}`,
      ['C1', 'C13'],
      `the status ${status}, all else being right`,
      { start: `HTTP/1.1 ${status}`, add: [...NO_BODY, 'Location: /there', 'Sec-WebSocket-Version: 8, 7'] },
      'HANDSHAKE_STATUS',
    ),
  ),
  answering(
    'status-body',
    ['C1', 'C16'],
    'a 404 with a body that looks like frames',
    { start: 'HTTP/1.1 404 Not Found', add: ['Content-Length: 7'] },
    'HANDSHAKE_STATUS',
    {
      glued: [text('Hello')],
    },
  ),
  answering(
    'status-endless',
    ['C1', 'C16'],
    'a 200 with a body of over 64 KiB and more to come',
    { start: 'HTTP/1.1 200 OK', add: ['Content-Length: 999999999'] },
    'HANDSHAKE_STATUS',
    {
      glued: [binary({ fill: 0x61, size: 70_000 })],
    },
  ),
  answering(
    'status-chunked',
    ['C1'],
    'a 500 with a body in broken chunks',
    {
      start: 'HTTP/1.1 500 Oops',
      add: ['Transfer-Encoding: chunked', '', '3', 'abc', 'ZZ'],
    },
    'HANDSHAKE_STATUS',
  ),
  answering(
    'status-cut',
    ['C1'],
    'a 500 whose body is cut short',
    { start: 'HTTP/1.1 500 Oops', add: ['Content-Length: 30'] },
    'HANDSHAKE_STATUS',
    { end: true },
  ),
]

function raw(
  id: string,
  rows: string[],
  title: string,
  bytes: string,
  verdict: ResponseCase['verdict'],
  more: Partial<ResponseCase> = {},
): ResponseCase {
  return { ...answering(id, rows, title, {}, verdict, more), response: bytes }
}

const MALFORMED: ErrorCode = 'HANDSHAKE_MALFORMED'
const INTERIM = ['100 Continue', '102 Processing', '103 Early Hints\r\nLink: </a>; rel=preload']

const HTTP: readonly ResponseCase[] = [
  ...['HTTP/0.9', 'HTTP/1.0', 'HTTP/2.0'].map((version) =>
    answering(
      `version-${version.slice(5)}`,
      ['C17', 'C13'],
      `the version ${version}`,
      { start: `${version} 101 Switching Protocols` },
      MALFORMED,
    ),
  ),
  ...[
    ['garbage', 'FOO BAR BAZ\r\n\r\n'],
    ['frame', '\x81\x05Hello'],
    ['request', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['tls-alert', '\x15\x03\x01\x00\x02\x02\x2a'],
    ['ssh', 'SSH-2.0-OpenSSH_9.2p1\r\n'],
    ['status-text', 'HTTP/1.1 OK\r\n\r\n'],
    ['status-two-digits', 'HTTP/1.1 99 OK\r\n\r\n'],
    ['status-four-digits', 'HTTP/1.1 1010 OK\r\n\r\n'],
    ['no-http', response({ start: '101 Switching Protocols' })],
    ['lower-case', response({ start: 'http/1.1 101 Switching Protocols' })],
  ].map(([name, bytes]) => raw(`no-http-${name}`, ['C17', 'C13'], `no HTTP: ${name}`, bytes as string, MALFORMED)),
  ...[
    ['nul', 'X-Nul: a\0b'],
    ['control', 'X-Control: a\x01b'],
    ['no-colon', 'X-Nothing'],
    ['name-space', 'X Name: a'],
    ['name-latin', 'X-\xe9: a'],
    ['bare-cr', 'X-Cr: a\rb'],
  ].map(([name, line]) =>
    answering(`header-${name}`, ['C17', 'C13'], `a header that is none: ${name}`, { add: [line as string] }, MALFORMED),
  ),
  answering(
    'huge-header',
    ['C16', 'C13'],
    'a header of 100 KiB',
    { add: [`X: ${'a'.repeat(100 * 1_024)}`] },
    MALFORMED,
  ),
  answering(
    'many-headers',
    ['C16', 'C13'],
    'headers of 100 KiB in sum',
    { add: Array.from({ length: 10_000 }, (_, index) => `X-${index}: 1`) },
    MALFORMED,
  ),
  answering(
    'some-headers',
    ['C16'],
    '500 headers',
    { add: Array.from({ length: 500 }, (_, index) => `X-${index}: 1`) },
    PLAIN,
  ),
  raw('silence', ['C17', 'A9', 'C13'], 'TCP ends without an answer', '', 'CONNECT_FAILED', { end: true }),
  raw('cut-status', ['C17', 'C13'], 'TCP ends within the status line', 'HTTP/1.1 101 Swi', 'CONNECT_FAILED', {
    end: true,
  }),
  raw('cut-header', ['C17', 'C13'], 'TCP ends within the head', response().slice(0, -10), 'CONNECT_FAILED', {
    end: true,
  }),
  raw('cut-end', ['C17', 'C13'], 'TCP ends before the empty line', response().slice(0, -2), 'CONNECT_FAILED', {
    end: true,
  }),
  ...INTERIM.map((line) =>
    raw(
      `after-${line.slice(0, 3)}`,
      ['C15'],
      `a 101 behind a ${line.slice(0, 3)}`,
      `HTTP/1.1 ${line}\r\n\r\n${response()}`,
      PLAIN,
    ),
  ),
  raw(
    'after-three',
    ['C15'],
    'a 101 behind three interim answers',
    `${INTERIM.map((line) => `HTTP/1.1 ${line}\r\n\r\n`).join('')}${response()}`,
    PLAIN,
  ),
  raw(
    'after-100-404',
    ['C15', 'C1'],
    'a 404 behind a 100',
    `HTTP/1.1 100 Continue\r\n\r\n${response({ start: 'HTTP/1.1 404 Not Found', add: NO_BODY })}`,
    'HANDSHAKE_STATUS',
  ),
]

const BEHIND: readonly ResponseCase[] = [
  answering('glued', ['C12', 'A11'], 'a frame in the segment of the 101', {}, PLAIN, {
    glued: [text('Hello')],
    conversation: { steps: [{ expect: [texted('Hello')] }], outcome: 'open' },
  }),
  answering(
    'glued-many',
    ['C12', 'G8'],
    'a message in fragments, a ping and half a message in the segment of the 101',
    {},
    PLAIN,
    {
      glued: [begin('a'), ping('p'), last('b'), binary('c', { fin: false })],
      conversation: {
        steps: [{ expect: [ponged('p'), texted('ab')] }, { send: [last('d')] }, { expect: [binaried('cd')] }],
        outcome: 'open',
      },
    },
  ),
  answering('glued-close', ['C12', 'L7'], 'a Close in the segment of the 101', {}, PLAIN, {
    glued: [close(1001, 'PASS')],
    conversation: { steps: [{ expect: [closed(1001)] }], outcome: 'closed', reported: { code: 1001, wasClean: true } },
  }),
  answering('glued-wrong', ['C12', 'G2'], 'a wrong frame in the segment of the 101', {}, PLAIN, {
    glued: [{ opcode: 3 }],
    conversation: { steps: [{ expect: [closed(1002)] }], outcome: 'failed' },
  }),
  answering(
    'glued-refused',
    ['C12', 'C13'],
    'a frame behind a 101 that is wrong',
    { replace: ['Sec-WebSocket-Accept: x'] },
    'HANDSHAKE_ACCEPT',
    { glued: [text('Hello')] },
  ),
  answering(
    'header-unknown',
    ['C2'],
    'unknown headers',
    { add: ['X-Unknown: 1', 'Set-Cookie: a=b', 'Set-Cookie: c=d', 'Sec-WebSocket-Version: 13', '__proto__: 1'] },
    PLAIN,
  ),
  answering(
    'header-order',
    ['C2'],
    'the headers in another order',
    { replace: ['Connection: Upgrade', 'Upgrade: websocket'] },
    PLAIN,
  ),
]

/** Of the section of answers. */
export const RESPONSES_AS_HTTP: readonly ResponseCase[] = [...STATUSES, ...HTTP, ...BEHIND]
