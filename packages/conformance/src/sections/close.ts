// §5.5.1, §7: the closing handshake. Codes, reasons, what comes after a Close, both at once, and a peer that just ends, or resets.

import type { Case, Reported, Section, SentFrame, Step } from '../case.ts'
import {
  begin,
  binary,
  CLOSE,
  close,
  closed,
  END,
  expect,
  frame,
  last,
  ping,
  ponged,
  RESET,
  send,
  text,
  texted,
} from '../frames.ts'

const RFC = 'RFC 6455 §5.5.1'
const CODES = 'RFC 6455 §7.4'
const PROTOCOL_ERROR = 1002
const INVALID_DATA = 1007
const NO_STATUS = 1005

/** May be on the wire: §7.4.1, the IANA registry, and both ends of the ranges of §7.4.2. */
const VALID_CODES = [
  1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3001, 3500, 3999, 4000, 4001, 4999,
]
/** Must not be, or are not assigned. */
const INVALID_CODES = [
  0, 1, 255, 256, 500, 999, 1004, 1005, 1006, 1015, 1016, 1017, 1100, 2000, 2999, 5000, 5001, 10_000, 32_768, 65_535,
]

function exchange(
  id: string,
  rows: string[],
  title: string,
  frames: SentFrame[],
  code: number | undefined,
  reported: Reported,
): Case {
  const steps = [send(...frames), expect(closed(code))]
  return { id: `close/${id}`, rfc: RFC, rows, title, steps, outcome: 'closed', reported }
}

function clean(code: number): Reported {
  return { code, wasClean: true }
}

function failing(id: string, rows: string[], title: string, frames: SentFrame[], code = PROTOCOL_ERROR): Case {
  const steps = [send(...frames), expect(closed(code))]
  return { id: `close/${id}`, rfc: RFC, rows, title, steps, outcome: 'failed' }
}

function codes(): Case[] {
  const valid = VALID_CODES.map((code) => ({
    ...exchange(
      `code-${code}`,
      ['L2', 'L7', 'L13'],
      `code ${code} is answered by itself`,
      [close(code)],
      code,
      clean(code),
    ),
    rfc: CODES,
  }))
  const withReason = [1000, 1014, 3000, 4999].map((code) => ({
    ...exchange(`code-${code}-reason`, ['L2'], `code ${code} with a reason`, [close(code, 'why')], code, clean(code)),
    rfc: CODES,
  }))
  const invalid = INVALID_CODES.flatMap((code) => [
    { ...failing(`code-${code}`, ['L3'], `code ${code} is a fault`, [close(code)]), rfc: CODES },
  ])
  const early = [0, 999, 1004, 1005, 1006, 1015, 2999, 5000].map((code) => ({
    ...failing(`code-${code}-byte-2`, ['L3', 'G11'], `code ${code}: judged on its second byte`, [
      close(code, '', { declared: 100n }),
    ]),
    rfc: CODES,
  }))
  return [...valid, ...withReason, ...invalid, ...early]
}

const SIZES: readonly Case[] = [
  exchange(
    'empty',
    ['L1', 'L7', 'L13'],
    'an empty Close is answered by an empty one',
    [close()],
    undefined,
    clean(NO_STATUS),
  ),
  failing('1-byte', ['L1'], 'a payload of 1 byte', [frame(CLOSE, 'hex:03')]),
  failing('1-byte-byte-2', ['L1', 'G11'], 'a payload of 1 byte: judged on byte 2', [
    frame(CLOSE, 'hex:03', { headerOnly: 2 }),
  ]),
  exchange('reason-1', ['L5'], 'a reason of 1 byte', [close(1000, 'a')], 1000, clean(1000)),
  exchange('reason-122', ['L5'], 'a reason of 122 bytes', [close(1000, 'a'.repeat(122))], 1000, clean(1000)),
  exchange('reason-123', ['L5'], 'a reason of 123 bytes', [close(1000, 'a'.repeat(123))], 1000, clean(1000)),
  failing('reason-124', ['L5', 'J1'], 'a reason of 124 bytes', [close(1000, 'a'.repeat(124))]),
  exchange('reason-utf8', ['L6'], 'a reason of code points of all sizes', [close(1000, 'aü€😀')], 1000, clean(1000)),
  exchange(
    'reason-123-utf8',
    ['L5', 'L6'],
    '41 code points of 3 bytes',
    [close(4000, '€'.repeat(41))],
    4000,
    clean(4000),
  ),
  exchange('reason-bom', ['L6', 'K6'], 'a reason that begins with U+FEFF', [close(1000, '\uFEFFa')], 1000, clean(1000)),
  exchange('reason-nul', ['L6', 'K5'], 'a reason with U+0000', [close(1000, 'a\0b')], 1000, clean(1000)),
  failing(
    'reason-at-once',
    ['L6', 'K3'],
    'an impossible byte in a reason: judged before its end',
    [close(1000, Uint8Array.of(0x61, 0xff), { declared: 100n })],
    INVALID_DATA,
  ),
  failing('code-before-reason', ['L3', 'L6'], 'a wrong code with a wrong reason: the code comes first', [
    close(1005, Uint8Array.of(0xff)),
  ]),
]

const AFTER: readonly Case[] = [
  exchange('then-text', ['L9'], 'text after Close is not echoed', [close(1000), text('late')], 1000, clean(1000)),
  exchange('then-binary', ['L9'], 'binary after Close is not echoed', [close(1001), binary('late')], 1001, clean(1001)),
  exchange(
    'then-close',
    ['L7', 'L9', 'L13'],
    'a second Close is not answered; the first is reported',
    [close(1000), close(4000)],
    1000,
    clean(1000),
  ),
  exchange('then-empty-close', ['L7', 'L9'], 'an empty second Close', [close(3000), close()], 3000, clean(3000)),
  exchange(
    'then-garbage',
    ['L9', 'L14'],
    'broken frames after Close are not looked at',
    [
      close(1000),
      text('hex:ff', { rsv: 7 }),
      frame(15, 'x', { fin: false, wrongMask: true }),
      text(undefined, { declared: 1n << 63n }),
    ],
    1000,
    clean(1000),
  ),
  exchange('then-fragments', ['L9'], 'fragments after Close', [close(1000), begin('a'), last('b')], 1000, clean(1000)),
  exchange(
    'inside-message',
    ['L9', 'I4'],
    'Close inside a message, which is not delivered',
    [begin('never'), close(1000), last('complete')],
    1000,
    clean(1000),
  ),
  exchange(
    'inside-code-point',
    ['L9', 'I4'],
    'Close inside a code point: no fault of the text',
    [begin('hex:e282'), close(1001, 'bye')],
    1001,
    clean(1001),
  ),
]

function closing(id: string, rows: string[], title: string, reported: Reported, ...steps: Step[]): Case {
  return { id: `close/${id}`, rfc: 'RFC 6455 §7.1', rows, title, steps, outcome: 'closed', reported }
}

/** The target's application closes with 4001 upon its first message. */
const BY_TARGET: readonly Case[] = [
  closing(
    'by-target',
    ['L7', 'L11', 'L12', 'L13'],
    'the target closes, the peer answers',
    clean(4001),
    send(text('close, please')),
    expect(closed(4001)),
    send(close(4001, 'enough')),
  ),
  closing(
    'by-target-other-code',
    ['L13'],
    'the answer has another code, which is reported',
    clean(3456),
    send(text('close, please')),
    expect(closed(4001)),
    send(close(3456)),
  ),
  closing(
    'by-target-empty-answer',
    ['L13'],
    'the answer is empty: 1005',
    clean(NO_STATUS),
    send(text('close, please')),
    expect(closed(4001)),
    send(close()),
  ),
  closing(
    'by-target-messages-between',
    ['L8', 'L9'],
    'messages before the answer are read and not delivered',
    clean(4001),
    send(text('close, please')),
    expect(closed(4001)),
    send(text('1'), binary('2'), begin('3'), last('4')),
    send(ping('p')),
    expect(ponged('p')),
    send(close(4001)),
  ),
  closing(
    'by-target-invalid-text-between',
    ['L8', 'L9'],
    'text that comes after our Close is not judged',
    clean(4001),
    send(text('close, please')),
    expect(closed(4001)),
    send(text('hex:ff')),
    send(close(4001)),
  ),
  closing(
    'simultaneous',
    ['L18'],
    'both close at once: nobody answers twice',
    clean(4002),
    send(text('close, please'), close(4002)),
    expect(closed(4001)),
  ),
].map((test) => ({ ...test, application: 'closer' as const }))

const BROKEN_ANSWERS: readonly Case[] = (
  [
    ['code-1005', 'an answer with 1005', [close(1005)], PROTOCOL_ERROR],
    ['1-byte', 'an answer of 1 byte', [frame(CLOSE, 'hex:03')], PROTOCOL_ERROR],
    ['reason', 'an answer with an invalid reason', [close(1000, Uint8Array.of(0xff))], INVALID_DATA],
    ['rsv', 'an answer with a reserved bit', [close(1000, '', { rsv: 4 })], PROTOCOL_ERROR],
    ['opcode', 'a reserved opcode in place of an answer', [frame(11)], PROTOCOL_ERROR],
    ['mask', 'an answer with the wrong mask bit', [close(1000, '', { wrongMask: true })], PROTOCOL_ERROR],
  ] as const
).map(([id, title, frames, code]) => ({
  id: `close/broken-answer-${id}`,
  rfc: 'RFC 6455 §7.1.7',
  rows: ['L7', 'L15'],
  title: `${title}: TCP ends, no second Close`,
  steps: [send(text('close, please')), expect(closed(4001)), send(...frames)],
  outcome: 'failed',
  reported: { code, wasClean: false },
  application: 'closer',
}))

const RESETS: readonly Case[] = [
  reset('reset-at-once', 'a reset without a frame', RESET),
  reset('reset-after-echo', 'a reset after a message', send(text('a')), expect(texted('a')), RESET),
  reset('reset-inside-payload', 'a reset inside a payload', send(text('a', { declared: 10n })), RESET),
  {
    ...reset(
      'reset-after-own-close',
      'a reset in place of an answer to the target’s Close',
      send(text('close, please')),
      expect(closed(4001)),
      RESET,
    ),
    application: 'closer',
  },
]

const ENDS: readonly Case[] = [
  lost('end-at-once', 'TCP ends without a frame', END),
  lost('end-after-echo', 'TCP ends after a message', send(text('a')), expect(texted('a')), END),
  lost('end-inside-payload', 'TCP ends inside a payload', send(text('a', { declared: 10n })), END),
  lost('end-inside-length', 'TCP ends inside a length', send(text({ fill: 0, size: 300 }, { headerOnly: 3 })), END),
  lost('end-inside-close', 'TCP ends inside a Close', send(close(1000, 'a', { declared: 20n })), END),
  {
    ...lost(
      'end-after-own-close',
      'TCP ends in place of an answer to the target’s Close',
      send(text('close, please')),
      expect(closed(4001)),
      END,
    ),
    application: 'closer',
  },
]

/** Over HTTP/2 a reset has to count as one of TCP. */
function reset(id: string, title: string, ...steps: Step[]): Case {
  return { ...lost(id, title, ...steps), rows: ['L13', 'P11'] }
}

function lost(id: string, title: string, ...steps: Step[]): Case {
  const rows = ['L13', 'L19']
  return { id: `close/${id}`, rfc: 'RFC 6455 §7.1.5', rows, title: `${title}: 1006`, steps, outcome: 'lost' }
}

const ORDER: readonly Case[] = [
  {
    ...exchange(
      'after-messages',
      ['L7', 'G8'],
      'messages before a Close in the same write are echoed first',
      [],
      1000,
      clean(1000),
    ),
    steps: [
      send(text('1'), ping('2'), text('3'), close(1000)),
      expect(texted('1'), ponged('2'), texted('3'), closed(1000)),
    ],
  },
  {
    ...exchange(
      'after-large-message',
      ['L7', 'L10'],
      'a large message before a Close is echoed whole',
      [],
      1000,
      clean(1000),
    ),
    steps: [
      send(text({ fill: 0x61, size: 1_000_000 }), close(1000)),
      expect(texted({ fill: 0x61, size: 1_000_000 }), closed(1000)),
    ],
  },
]

export const CLOSING: Section = {
  name: 'close',
  title: 'Closing',
  cases: [...codes(), ...SIZES, ...AFTER, ...BY_TARGET, ...BROKEN_ANSWERS, ...ENDS, ...RESETS, ...ORDER],
}
