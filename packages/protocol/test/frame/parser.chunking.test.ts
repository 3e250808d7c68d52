// The property that the parser lives by: whichever way the same bytes are chunked, the sink calls are the same once adjacent onPayload
// calls are joined, the same verdict at the same byte offset, and no byte is held back that could have been judged.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anyStream, chunkSizes, cut, limits, validStream } from '../support/arbitrary.ts'
import { concat, toHex } from '../support/bytes.ts'
import { ROLES, recordParser } from '../support/record.ts'
import { decodeFrames } from '../support/reference.ts'
import { deservedCalls, wordless } from '../support/verdict.ts'

describe.each(ROLES)('FrameParser of a %s', (role) => {
  test('any chunking of any bytes gives the calls of the reference decoder [G7, G8]', () => {
    fc.assert(
      fc.property(anyStream(role), limits, chunkSizes, (stream, limit, sizes) => {
        const whole = recordParser({ role, ...limit })
        whole.push(stream)
        const chunked = recordParser({ role, ...limit })
        for (const chunk of cut(stream, sizes)) expect(chunked.push(chunk)).toBe(chunk.length)
        expect(wordless(whole.calls)).toEqual(deservedCalls(stream, { role, ...limit }))
        expect(chunked.calls).toEqual(whole.calls)
        expect(chunked.parser.consumed).toBe(stream.length)
      }),
      { numRuns: 1000 },
    )
  })

  test('a valid stream has no violation, and every frame of it ends [G7]', () => {
    fc.assert(
      fc.property(validStream(role), chunkSizes, (stream, sizes) => {
        const { push, calls } = recordParser({ role })
        // What stands behind a Close is for Protocol to ignore: here it would be parsed.
        const { frames } = decodeFrames(stream, { role, maxPayload: 1000, maxFragments: 100 })
        const close = frames.findIndex(({ first }) => first === 0x88)
        const until = close < 0 ? stream.length : (frames[close]?.end ?? -1)
        for (const chunk of cut(stream.subarray(0, until), sizes)) push(chunk)
        expect(calls.filter(([call]) => call === 'violation')).toEqual([])
        expect(calls.filter(([call]) => call === 'end').length).toBe(calls.filter(([call]) => call === 'header').length)
      }),
      { numRuns: 300 },
    )
  })

  test('after each byte all has been said that can be said [G11]', () => {
    fc.assert(
      fc.property(anyStream(role), limits, (stream, limit) => {
        const { push, calls } = recordParser({ role, ...limit })
        for (let length = 1; length <= stream.length; length++) {
          push(stream.subarray(length - 1, length))
          expect(wordless(calls)).toEqual(deservedCalls(stream.subarray(0, length), { role, ...limit }))
        }
      }),
      { numRuns: 150 },
    )
  })

  test('a violation comes exactly when byte number `offset` is fed [G11]', () => {
    fc.assert(
      fc.property(anyStream(role), limits, (stream, limit) => {
        const { fault } = decodeFrames(stream, { role, ...limit })
        const { push, calls } = recordParser({ role, ...limit })
        const broken = [...stream].findIndex((byte) => {
          push(Uint8Array.of(byte))
          return calls.at(-1)?.[0] === 'violation'
        })
        expect(broken).toBe(fault === undefined ? -1 : fault.offset - 1)
      }),
      { numRuns: 500 },
    )
  })

  test('bytes around the chunk are neither read nor written', () => {
    fc.assert(
      fc.property(
        anyStream(role),
        fc.uint8Array({ maxLength: 16 }),
        fc.uint8Array({ maxLength: 16 }),
        (stream, head, tail) => {
          const whole = recordParser({ role })
          whole.push(stream)
          const inside = recordParser({ role })
          const buffer = concat(head, stream, tail)
          expect(inside.parser.push(buffer, head.length, head.length + stream.length)).toBe(head.length + stream.length)
          expect(inside.calls).toEqual(whole.calls)
          expect(toHex(buffer.subarray(0, head.length))).toBe(toHex(head))
          expect(toHex(buffer.subarray(head.length + stream.length))).toBe(toHex(tail))
        },
      ),
      { numRuns: 200 },
    )
  })
})
