import { describe, expect, test } from 'vitest'
import { checkFirstByte, checkSecondByte, isControl } from '../../src/frame/check.ts'

/** The bits of a first byte — FIN, RSV1–3, opcode — and what is wrong with them; the first pattern that fits counts. */
const FIRST_BYTE: [pattern: RegExp, when: 'always' | 'fragmented' | 'unfragmented', code: string][] = [
  //FIN RSV opcode
  [/^. (1..|.1.|..1) ....$/, 'always', 'RESERVED_BITS'], // §5.2
  [/^. ... (0011|01..|1011|11..)$/, 'always', 'RESERVED_OPCODE'], // §5.2
  [/^0 ... 1...$/, 'always', 'FRAGMENTED_CONTROL'], // §5.5
  [/^. ... 0000$/, 'unfragmented', 'UNEXPECTED_CONTINUATION'], // §5.4
  [/^. ... 00(01|10)$/, 'fragmented', 'INTERLEAVED_MESSAGE'], // §5.4
]

/** A byte as `1 000 0001`. */
function bits(byte: number): string {
  return byte
    .toString(2)
    .padStart(8, '0')
    .replace(/^(.)(...)/, '$1 $2 ')
}

function expectedFirst(first: number, fragmented: boolean): string | undefined {
  const when = fragmented ? 'fragmented' : 'unfragmented'
  return FIRST_BYTE.find(([pattern, at]) => (at === 'always' || at === when) && pattern.test(bits(first)))?.[2]
}

const ALL_BYTES = Array.from({ length: 256 }, (_, byte) => byte)

describe('checkFirstByte', () => {
  test.each([false, true])('judges all 256 bytes, in a fragmented message: %s [G1, G2, I2, I3, J2]', (fragmented) => {
    expect(ALL_BYTES.map((first) => [bits(first), checkFirstByte(first, fragmented, false)])).toEqual(
      ALL_BYTES.map((first) => [bits(first), expectedFirst(first, fragmented)]),
    )
  })

  test.each([false, true])(
    'with an extension that owns RSV1, the first frame of a message may have it: %s [G1]',
    (fragmented) => {
      const plain = (first: number): number => (/^. 100 00(01|10)$/.test(bits(first)) ? first & ~0x40 : first)
      expect(ALL_BYTES.map((first) => [bits(first), checkFirstByte(first, fragmented, true)])).toEqual(
        ALL_BYTES.map((first) => [bits(first), expectedFirst(plain(first), fragmented)]),
      )
    },
  )

  test.each([
    ['1 000 0001', 0x81, undefined],
    ['0 000 0010', 0x02, undefined],
    ['1 100 0001', 0xc1, 'RESERVED_BITS'],
    ['1 000 0011', 0x83, 'RESERVED_OPCODE'],
    ['0 000 1001', 0x09, 'FRAGMENTED_CONTROL'],
    ['1 000 0000', 0x80, 'UNEXPECTED_CONTINUATION'],
  ])('%s', (text, first, code) => {
    expect([bits(first), checkFirstByte(first, false, false)]).toEqual([text, code])
  })
})

describe('checkSecondByte', () => {
  const OPCODES = [0, 1, 2, 8, 9, 10]

  function expectedSecond(second: number, opcode: number, masked: boolean): string | undefined {
    if (second >= 128 && !masked) return 'MASK_UNEXPECTED'
    if (second < 128 && masked) return 'MASK_MISSING'
    const length = second % 128
    if (opcode >= 8 && length >= 126) return 'CONTROL_TOO_LONG'
    return opcode === 8 && length === 1 ? 'CLOSE_PAYLOAD_SIZE' : undefined
  }

  test.each([
    ['server', true],
    ['client', false],
  ] as const)('a %s judges all 256 bytes after each opcode [H3, H5, J1, L1]', (role, masked) => {
    const cases = OPCODES.flatMap((opcode) => ALL_BYTES.map((second) => [opcode, second] as const))
    expect(cases.map(([opcode, second]) => [opcode, second, checkSecondByte(second, 0x80 | opcode, role)])).toEqual(
      cases.map(([opcode, second]) => [opcode, second, expectedSecond(second, opcode, masked)]),
    )
  })

  test.each([
    [0x85, 0x81, 'server', undefined],
    [0x05, 0x81, 'server', 'MASK_MISSING'],
    [0x05, 0x81, 'client', undefined],
    [0x85, 0x81, 'client', 'MASK_UNEXPECTED'],
    [0xfe, 0x89, 'server', 'CONTROL_TOO_LONG'],
    [0x01, 0x88, 'client', 'CLOSE_PAYLOAD_SIZE'],
  ] as const)('0x%x after 0x%x at a %s: %s', (second, first, role, code) => {
    expect(checkSecondByte(second, first, role)).toBe(code)
  })
})

test('isControl: opcodes 8 to 15, whatever the other bits', () => {
  expect(ALL_BYTES.filter(isControl)).toEqual(ALL_BYTES.filter((first) => /^. ... 1...$/.test(bits(first))))
})
