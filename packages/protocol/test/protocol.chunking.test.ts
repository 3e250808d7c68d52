// Protocol under any chunking: the same messages, the same output frames and the same close info, whatever the bytes, and
// all of it as the reference decoder has it.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anyStream, chunkSizes, cut, limits, mutatedStream, validStream } from './support/arbitrary.ts'
import { Endpoint, ROLES } from './support/record.ts'
import { decodeStream } from './support/reference.ts'
import { deserved, observed } from './support/verdict.ts'

describe.each(ROLES)('Protocol of a %s', (role) => {
  test.each([
    ['a valid stream', validStream(role), 400],
    ['a mutated stream', mutatedStream(role), 600],
    ['any stream', anyStream(role), 600],
  ] as const)('says the same of %s however it is cut, and what the reference says [G7, K2]', (_, streams, numRuns) => {
    fc.assert(
      fc.property(streams, limits, chunkSizes, (stream, limit, sizes) => {
        const whole = observed(new Endpoint(role, limit).receive(stream))
        const chunked = observed(new Endpoint(role, limit).receive(...cut(stream, sizes)))
        expect(chunked).toEqual(whole)
        const { words, ...facts } = whole
        expect(facts).toEqual(deserved(stream, { role, ...limit }))
      }),
      { numRuns },
    )
  })

  test('a valid stream is never failed [G7]', () => {
    fc.assert(
      fc.property(validStream(role), chunkSizes, (stream, sizes) => {
        const end = new Endpoint(role).receive(...cut(stream, sizes))
        expect(['open', 'ending']).toContain(end.protocol.state)
        expect(end.protocol.bytesIn).toBe(stream.length)
      }),
      { numRuns: 200 },
    )
  })

  test('after each byte it has said all that can be said: no byte is held back [G11, K3]', () => {
    fc.assert(
      fc.property(anyStream(role), limits, (stream, limit) => {
        const end = new Endpoint(role, limit)
        const sent: string[] = []
        for (let length = 1; length <= stream.length; length++) {
          end.receive(stream.subarray(length - 1, length))
          sent.push(...end.sent())
          const expected = deserved(stream.subarray(0, length), { role, ...limit })
          expect(end.log).toEqual(expected.log)
          expect(
            sent.map((frame) =>
              end.protocol.state === 'failed' && frame.startsWith('88') ? frame.slice(0, 7) : frame,
            ),
          ).toEqual(expected.sent)
        }
      }),
      { numRuns: 100 },
    )
  })

  test('it fails exactly when byte number `offset` is fed [G11]', () => {
    fc.assert(
      fc.property(anyStream(role), limits, (stream, limit) => {
        const { fault } = decodeStream(stream, { role, ...limit })
        const end = new Endpoint(role, limit)
        const failed = [...stream].findIndex((byte) => end.receive(Uint8Array.of(byte)).protocol.state === 'failed')
        expect(failed).toBe(fault === undefined ? -1 : fault.offset - 1)
      }),
      { numRuns: 400 },
    )
  })

  test('stopping and going on, at any message, changes nothing', () => {
    fc.assert(
      fc.property(anyStream(role), chunkSizes, fc.nat(6), (stream, sizes, every) => {
        const end = new Endpoint(role, {}, (_, { log, protocol }) => log.length % (every + 1) === 0 && protocol.stop())
        for (const chunk of cut(stream, sizes)) {
          let rest = chunk
          while (rest.length > 0) rest = rest.slice(end.protocol.receive(rest))
        }
        expect(observed(end)).toEqual(observed(new Endpoint(role).receive(stream)))
      }),
      { numRuns: 300 },
    )
  })

  test('while the output is blocked only the last pong waits, whatever the stream [J4]', () => {
    fc.assert(
      fc.property(validStream(role), chunkSizes, (stream, sizes) => {
        const end = new Endpoint(role)
        end.output.blocked = true
        end.receive(...cut(stream, sizes))
        end.protocol.unblocked()
        const free = new Endpoint(role).receive(stream)
        // The last frame is the last pong, or the Close, before which a pong that waited is dropped.
        expect(end.sent()).toEqual(free.sent().slice(-1))
        expect(end.log).toEqual(free.log)
      }),
      { numRuns: 200 },
    )
  })
})
