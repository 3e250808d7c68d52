// RFC 6455 §4.2.1: requests, right and wrong, and what the server must answer. Where the server's own HTTP parser refuses, only
// the status is its own.

import type { RequestCase, Section } from '../../case.ts'
import { asked, KEY, PLAIN } from './heads.ts'
import { REQUESTS_AS_HTTP } from './request-http.ts'

const NAME = 'handshake/request'
const asking = asked({ section: NAME, rfc: 'RFC 6455 §4.2.1' })
const BAD = [400]
const UPGRADE_REQUIRED = [426]

const UPGRADES: readonly RequestCase[] = [
  asking('upgrade-case', ['D3'], 'Upgrade in another case', { replace: ['Upgrade: WebSocket'] }, PLAIN),
  asking('upgrade-upper', ['D3'], 'Upgrade in upper case', { replace: ['Upgrade: WEBSOCKET'] }, PLAIN),
  asking('upgrade-list', ['D3'], 'Upgrade as a list', { replace: ['Upgrade: h2c, websocket'] }, PLAIN),
  asking('upgrade-list-first', ['D3'], 'Upgrade as a list, ours first', { replace: ['Upgrade: websocket,h2c'] }, PLAIN),
  asking('upgrade-lines', ['D3'], 'Upgrade on two lines', { replace: ['Upgrade: h2c', 'Upgrade: websocket'] }, PLAIN),
  asking('upgrade-none', ['D3'], 'no Upgrade: a plain request', { omit: ['Upgrade'] }, UPGRADE_REQUIRED),
  ...[
    'h2c',
    'websockets',
    'xwebsocket',
    'web socket',
    'websocket/13',
    'websocket;q=1',
    '"websocket"',
    'TLS/1.0, HTTP/1.1',
  ].map((value, index) =>
    asking(
      `upgrade-other-${index + 1}`,
      ['D3', 'D13'],
      `Upgrade: ${value}`,
      { replace: [`Upgrade: ${value}`] },
      UPGRADE_REQUIRED,
    ),
  ),
  asking(
    'upgrade-kelvin',
    ['D3', 'D13'],
    'Upgrade with a Kelvin sign, a K in Unicode only',
    { replace: ['Upgrade: websoc\xe2\x84\xaaet'] },
    UPGRADE_REQUIRED,
  ),
  asking('connection-case', ['D4'], 'Connection in another case', { replace: ['Connection: uPGRADE'] }, PLAIN),
  asking('connection-list', ['D4'], 'Connection as a list', { replace: ['Connection: keep-alive, Upgrade'] }, PLAIN),
  asking(
    'connection-list-tight',
    ['D4', 'F3'],
    'Connection as a list with empty elements',
    { replace: ['Connection: ,keep-alive,,Upgrade,'] },
    PLAIN,
  ),
  asking(
    'connection-lines',
    ['D4', 'F4'],
    'Connection on two lines',
    { replace: ['Connection: keep-alive', 'Connection: Upgrade'] },
    PLAIN,
  ),
  asking('connection-none', ['D4'], 'no Connection: a plain request', { omit: ['Connection'] }, UPGRADE_REQUIRED),
  ...['keep-alive', 'close', 'upgraded', 'xupgrade', 'up grade'].map((value, index) =>
    asking(
      `connection-other-${index + 1}`,
      ['D4'],
      `Connection: ${value}`,
      { replace: [`Connection: ${value}`] },
      [400, 426],
    ),
  ),
]

const VERSIONS: readonly RequestCase[] = [
  ...[
    '8',
    '7',
    '0',
    '12',
    '14',
    '25',
    '255',
    '256',
    '013',
    '13.0',
    '+13',
    '-13',
    '0x0d',
    '1 3',
    '13, 8',
    '8, 13',
    '13;',
    '"13"',
    'thirteen',
    '',
  ].map((version, index) =>
    asking(
      `version-number-${index + 1}`,
      ['D7', 'D13'],
      `Sec-WebSocket-Version: ${version}`,
      { replace: [`Sec-WebSocket-Version: ${version}`] },
      UPGRADE_REQUIRED,
    ),
  ),
  asking('version-none', ['D7', 'D13'], 'no version', { omit: ['Sec-WebSocket-Version'] }, UPGRADE_REQUIRED),
  asking('version-twice', ['D8', 'D13'], 'the version twice', { add: ['Sec-WebSocket-Version: 13'] }, BAD),
  asking('version-twice-other', ['D8', 'D13'], 'two versions', { add: ['Sec-WebSocket-Version: 8'] }, BAD),
  asking('version-space', ['D7'], 'space around the version', { replace: ['Sec-WebSocket-Version: \t 13 \t'] }, PLAIN),
]

const KEYS: readonly RequestCase[] = [
  ...[
    'AQIDBAUGBwgJCgsMDQ4PEC==',
    'AAAAAAAAAAAAAAAAAAAAAA==',
    '/////////////////////w==',
    '++++++++++++++++++++++==',
  ].map((key, index) =>
    asking(
      `key-right-${index + 1}`,
      ['D5', 'E1'],
      `the key ${key}: 16 bytes, its text is hashed`,
      { replace: [`Sec-WebSocket-Key: ${key}`] },
      PLAIN,
    ),
  ),
  asking('key-space', ['D5'], 'space around the key', { replace: [`Sec-WebSocket-Key: \t ${KEY} \t`] }, PLAIN),
  ...[
    ['empty', ''],
    ['bytes-1', 'AQ=='],
    ['bytes-15', 'AQIDBAUGBwgJCgsMDQ4P'],
    ['bytes-17', 'AQIDBAUGBwgJCgsMDQ4PEBE='],
    ['bytes-18', 'AQIDBAUGBwgJCgsMDQ4PEBES'],
    ['bytes-32', 'AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA='],
    ['no-padding', 'dGhlIHNhbXBsZSBub25jZQ'],
    ['one-padding', 'dGhlIHNhbXBsZSBub25jZQ='],
    ['three-paddings', 'dGhlIHNhbXBsZSBub25jZQ==='],
    ['padding-inside', 'dGhlIHNhbXBsZSBub25j=ZQ='],
    ['url-alphabet', '--------------------__=='],
    ['space-inside', 'dGhlIHNhbXBs ZSBub25jZQ=='],
    ['more-behind', 'dGhlIHNhbXBsZSBub25jZQ== x'],
    ['list', `${KEY}, ${KEY}`],
    ['comma', `${KEY},`],
    ['quoted', `"${KEY}"`],
    ['no-base64', '%%%%%%%%%%%%%%%%%%%%%%=='],
    ['hexadecimal', '01020304050607080910111213141516'],
    ['latin', 'dGhlIHNhbXBsZSBub25j\xe9Q=='],
    ['long', 'A'.repeat(4_000)],
  ].map(([name, key]) =>
    asking(`key-${name}`, ['D5', 'D13'], `a wrong key: ${name}`, { replace: [`Sec-WebSocket-Key: ${key}`] }, BAD),
  ),
  asking('key-none', ['D5', 'D13'], 'no key', { omit: ['Sec-WebSocket-Key'] }, BAD),
  asking('key-twice', ['D6', 'D13'], 'the same key twice', { add: [`Sec-WebSocket-Key: ${KEY}`] }, BAD),
  asking('key-two', ['D6', 'D13'], 'two keys', { add: ['Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEC=='] }, BAD),
  asking('key-and-empty', ['D6', 'D13'], 'a key, and an empty one', { add: ['Sec-WebSocket-Key:'] }, BAD),
]

const ORIGINS: readonly RequestCase[] = [
  asking('origin-same', ['D9'], 'the origin of the host itself', { add: ['Origin: http://{host}'] }, PLAIN),
  ...[
    'https://evil.example',
    'null',
    'http://{host}.evil.example',
    'http://evil.example/{host}',
    'http://{host} http://evil.example',
    '',
  ].map((origin, index) =>
    asking(`origin-other-${index + 1}`, ['D9', 'D13'], `Origin: ${origin}`, { add: [`Origin: ${origin}`] }, [403]),
  ),
  asking(
    'origin-twice',
    ['D9', 'D13'],
    'two origins',
    { add: ['Origin: http://{host}', 'Origin: https://evil.example'] },
    [403],
  ),
]

export const REQUESTS: Section = {
  name: NAME,
  title: 'Requests to the server',
  cases: [...REQUESTS_AS_HTTP, ...UPGRADES, ...VERSIONS, ...KEYS, ...ORIGINS],
}
