// RFC 6455 §4.2.1, RFC 9112: what is HTTP in a request: its line, `Host`, a body, the form of headers, and what comes behind.

import type { RequestCase } from '../../case.ts'
import { begin, binaried, binary, closed, last, ping, ponged, text, texted } from '../../frames.ts'
import { asked, KEY, PLAIN, request } from './heads.ts'

const NAME = 'handshake/request'
const asking = asked({ section: NAME, rfc: 'RFC 6455 §4.2.1' })
const BAD = [400]
const NO_METHOD = [405]

const METHODS: readonly RequestCase[] = [
  asking('right', ['D1', 'E1', 'E2', 'E3', 'E4', 'E7'], 'a right request', {}, PLAIN),
  ...['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD'].map((method) =>
    asking(
      `method-${method.toLowerCase()}`,
      ['D1', 'D13'],
      `the method ${method}`,
      { start: `${method} / HTTP/1.1` },
      NO_METHOD,
    ),
  ),
  asking(
    'method-lower-case',
    ['D1', 'D13'],
    'the method get: methods have their case',
    { start: 'get / HTTP/1.1' },
    BAD,
  ),
  asking('method-unknown', ['D1', 'D13'], 'an unknown method', { start: 'WEBSOCKET / HTTP/1.1' }, BAD),
  asking('http-1.0', ['D1', 'D13'], 'HTTP/1.0', { start: 'GET / HTTP/1.0' }, [505]),
  ...['HTTP/0.8', 'HTTP/3.7', 'HTTP/1', 'HTTPS/1.1', 'http/1.1'].map((version) =>
    asking(
      `version-${version.replace('/', '-')}`,
      ['D1', 'D13'],
      `the version ${version}`,
      { start: `GET / ${version}` },
      [400, 505],
    ),
  ),
  asking('no-version', ['D1', 'D13'], 'a request line without a version', { start: 'GET /' }, [400, 505]),
]

const TARGETS: readonly RequestCase[] = [
  asking('query', ['D12'], 'a target with a query', { start: 'GET /chat?room=1&x=%00 HTTP/1.1' }, PLAIN),
  asking('absolute', ['D12'], 'a target in absolute form', { start: 'GET http://{host}/ HTTP/1.1' }, PLAIN),
  asking(
    'absolute-path',
    ['D12', 'D14'],
    'a target in absolute form, of the path that is served',
    {
      start: 'GET http://{host}/chat?x HTTP/1.1',
    },
    PLAIN,
    { options: { path: '/chat' } },
  ),
  asking('path', ['D14'], 'the path that is served', { start: 'GET /chat?x HTTP/1.1' }, PLAIN, {
    options: { path: '/chat' },
  }),
  ...[
    '/',
    '/chat/',
    '/Chat',
    '/chat/../chat',
    '/%63hat',
    '//chat',
    '/chat%2f',
    '/?/chat',
    'http://{host}/',
    'http://chat/',
  ].map((target, index) =>
    asking(
      `path-other-${index + 1}`,
      ['D14', 'D13'],
      `another path: ${target}`,
      { start: `GET ${target} HTTP/1.1` },
      [404],
      {
        options: { path: '/chat' },
      },
    ),
  ),
  asking('target-empty', ['D1', 'D13'], 'no target', { start: 'GET  HTTP/1.1' }, BAD),
  asking('target-space', ['D1', 'D13'], 'a space in the target', { start: 'GET /a b HTTP/1.1' }, BAD),
  asking(
    'target-long',
    ['D12', 'D17'],
    'a target of 8,000 bytes',
    { start: `GET /${'a'.repeat(8_000)} HTTP/1.1` },
    PLAIN,
  ),
]

const HOSTS: readonly RequestCase[] = [
  asking('host-none', ['D2', 'D13'], 'no Host', { omit: ['Host'] }, BAD),
  asking('host-twice', ['D2', 'D13'], 'Host twice, different', { add: ['Host: b.example'] }, BAD),
  asking('host-twice-same', ['D2', 'D13'], 'Host twice, the same', { add: ['Host: {host}'] }, BAD),
  asking(
    'host-other',
    ['D2'],
    'another Host: names are the application’s matter',
    { replace: ['Host: ws.example:8080'] },
    PLAIN,
  ),
]

const BODIES: readonly RequestCase[] = [
  asking('length-0', ['D16'], 'Content-Length: 0', { add: ['Content-Length: 0'] }, PLAIN),
  ...['1', '5', '99999999'].map((length) =>
    asking(
      `length-${length}`,
      ['D16', 'D13'],
      `Content-Length: ${length}; its body looks like frames`,
      { add: [`Content-Length: ${length}`] },
      BAD,
      {
        glued: [text('Hello')],
      },
    ),
  ),
  ...['-1', '+5', '0x5', '5, 5', 'five', '5 5'].map((length, index) =>
    asking(
      `length-wrong-${index + 1}`,
      ['D16', 'D13'],
      `Content-Length: ${length}`,
      { add: [`Content-Length: ${length}`] },
      BAD,
    ),
  ),
  asking(
    'length-twice',
    ['D16', 'D13'],
    'Content-Length twice',
    { add: ['Content-Length: 0', 'Content-Length: 5'] },
    BAD,
  ),
  asking('chunked', ['D16', 'D13'], 'Transfer-Encoding: chunked', { add: ['Transfer-Encoding: chunked'] }, BAD, {
    glued: [text('Hello')],
  }),
  asking(
    'chunked-and-length',
    ['D16', 'D13'],
    'both Transfer-Encoding and Content-Length',
    {
      add: ['Transfer-Encoding: chunked', 'Content-Length: 5'],
    },
    BAD,
  ),
  asking('identity', ['D16', 'D13'], 'Transfer-Encoding: identity', { add: ['Transfer-Encoding: identity'] }, BAD),
]

const HEADERS: readonly RequestCase[] = [
  asking(
    'header-case',
    ['D12'],
    'names of headers in any case',
    { replace: [`sEC-wEBSOCKET-kEY: ${KEY}`, 'UPGRADE: websocket', 'connection: Upgrade'] },
    PLAIN,
  ),
  asking(
    'header-unknown',
    ['D12'],
    'unknown headers',
    { add: ['X-Unknown: 1', 'Cookie: a=b', 'Sec-WebSocket-Foo: bar', 'DNT: 1'] },
    PLAIN,
  ),
  asking(
    'header-prototype',
    ['D21'],
    'headers named like properties of objects',
    {
      add: ['__proto__: 1', 'constructor: 2', 'hasOwnProperty: 3', 'toString: 4', 'prototype: 5'],
    },
    PLAIN,
  ),
  asking('header-latin', ['D12', 'D20'], 'a value with bytes past ASCII', { add: ['X-Name: caf\xe9 \xff'] }, PLAIN),
  asking(
    'header-no-space',
    ['D12'],
    'no space behind the colons',
    { replace: [`Sec-WebSocket-Key:${KEY}`, 'Upgrade:websocket', 'Connection:Upgrade', 'Sec-WebSocket-Version:13'] },
    PLAIN,
  ),
  asking(
    'header-many',
    ['D12', 'D17'],
    '500 headers',
    { add: Array.from({ length: 500 }, (_, index) => `X-${index}: 1`) },
    PLAIN,
  ),
  asking(
    'header-body-last',
    ['D16', 'D17'],
    'a Content-Length behind 2,500 headers',
    { add: [...Array.from({ length: 2_500 }, () => 'a:'), 'Content-Length: 5'] },
    BAD,
  ),
  asking(
    'header-accept',
    ['D12'],
    'an accept value in the request means nothing',
    { add: ['Sec-WebSocket-Accept: x'] },
    PLAIN,
  ),
  ...[
    ['folded', 'X-Folded: a\r\n b'],
    ['space-before-colon', 'X-Space : a'],
    ['no-colon', 'X-Nothing'],
    ['no-name', ': a'],
    ['name-space', 'X Name: a'],
    ['nul', 'X-Nul: a\0b'],
    ['nul-name', 'X\0: a'],
    ['control', 'X-Control: a\x01b'],
    ['delete', 'X-Delete: a\x7fb'],
    ['bare-cr', 'X-Cr: a\rb'],
    ['name-latin', 'X-\xe9: a'],
  ].map(([name, line]) =>
    asking(`header-${name}`, ['D20', 'D13'], `a header that is none: ${name}`, { add: [line as string] }, BAD),
  ),
  asking(
    'header-too-large',
    ['D17', 'D13'],
    'a header of 100 KiB',
    { add: [`X-Large: ${'a'.repeat(100 * 1_024)}`] },
    [431],
  ),
  asking(
    'header-too-many',
    ['D17', 'D13'],
    'headers of 100 KiB in sum',
    { add: Array.from({ length: 5_000 }, (_, index) => `X-Some-Header-${index}: 1`) },
    [431],
  ),
]

const BEHIND: readonly RequestCase[] = [
  asking('glued', ['D15'], 'a frame in the segment of the request', {}, PLAIN, {
    glued: [text('Hello')],
    conversation: { steps: [{ expect: [texted('Hello')] }], outcome: 'open' },
  }),
  asking(
    'glued-many',
    ['D15', 'G8'],
    'a message in fragments, a ping and half a message in the segment of the request',
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
  asking('glued-wrong', ['D15', 'G2'], 'a wrong frame in the segment of the request', {}, PLAIN, {
    glued: [{ opcode: 3 }],
    conversation: { steps: [{ expect: [closed(1002)] }], outcome: 'failed' },
  }),
  asking('glued-close', ['D15', 'L7'], 'a Close in the segment of the request', {}, PLAIN, {
    glued: [{ opcode: 8, payload: Uint8Array.of(3, 232) }],
    conversation: { steps: [{ expect: [closed(1000)] }], outcome: 'closed', reported: { code: 1000, wasClean: true } },
  }),
  asking(
    'glued-refused',
    ['D15', 'D13'],
    'a frame behind a request that is refused',
    { omit: ['Sec-WebSocket-Key'] },
    BAD,
    { glued: [text('Hello')] },
  ),
  { ...asking('leading-lines', ['D1'], 'an empty line before the request', {}, PLAIN), request: `\r\n${request()}` },
  { ...asking('garbage', ['D1', 'D13'], 'no HTTP at all', {}, BAD), request: 'hello, is anybody there?\r\n\r\n' },
  {
    ...asking('tls', ['D1', 'D13'], 'the beginning of TLS', {}, BAD),
    request: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n',
  },
  {
    ...asking('http-2', ['D1', 'D13'], 'the preface of HTTP/2', {}, [400, 505]),
    request: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  },
]

/** Of the section of requests. */
export const REQUESTS_AS_HTTP: readonly RequestCase[] = [
  ...METHODS,
  ...TARGETS,
  ...HOSTS,
  ...BODIES,
  ...HEADERS,
  ...BEHIND,
]
