// The codec against the slow, obvious inflater: what it sends stays within the agreed window, what it takes is what the
// reference takes, and what that needs of memory is bounded by the limit.

import { constants, deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Role } from '../../src/constants.ts'
import type { DeflateParameters } from '../../src/deflate/parameters.ts'
import { toHex } from '../support/bytes.ts'
import { ENGINES, WaitingCodec } from '../support/compression.ts'
import { ReferenceInflater } from '../support/inflate.ts'
import { ROLES } from '../support/record.ts'

const KIB = 1024
const MIB = KIB * KIB
const WINDOWS = [8, 9, 10, 11, 12, 13, 14, 15]

interface Agreed {
  readonly windowBits: number
  readonly takeover: boolean
}

/** Of what goes the other way, all is otherwise: nothing of it may matter. */
function agreedFor(sender: Role, { windowBits, takeover }: Agreed): DeflateParameters {
  const other = windowBits === 15 ? 9 : 15
  return {
    serverMaxWindowBits: sender === 'server' ? windowBits : other,
    clientMaxWindowBits: sender === 'client' ? windowBits : other,
    serverNoContextTakeover: sender === 'server' ? !takeover : takeover,
    clientNoContextTakeover: sender === 'client' ? !takeover : takeover,
  }
}

const shown = (inflated: Uint8Array | string): string => (typeof inflated === 'string' ? inflated : toHex(inflated))

/** Data that repeats itself, near and far: pieces of a few kinds, some of them long. */
const data = fc
  .array(
    fc.tuple(
      fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 6 }), fc.constantFrom(noise(300), noise(700), noise(5000))),
      fc.constantFrom(1, 1, 2, 50),
    ),
    { maxLength: 6 },
  )
  .map((pieces) =>
    Buffer.concat(pieces.flatMap(([piece, times]) => Array<Uint8Array>(times).fill(piece))).subarray(0, 40_000),
  )

function noise(size: number): Uint8Array {
  let state = size
  return Uint8Array.from({ length: size }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return state >>> 16
  })
}

describe.each(ENGINES)('%s', (engine) => {
  function codec(role: Role, sender: Role, agreed: Agreed, limit = MIB, options = {}): WaitingCodec {
    const made = new WaitingCodec(engine, role, agreedFor(sender, agreed), limit, options)
    onTestFinished(() => made.close())
    return made
  }

  describe.each(ROLES)('what a %s compresses', (role) => {
    test('is inflated by the reference, message after message, with no distance beyond the window [N8, N16]', async () => {
      const settings = fc.record({
        windowBits: fc.constantFrom(...WINDOWS),
        takeover: fc.boolean(),
        level: fc.integer({ min: -1, max: 9 }),
        memLevel: fc.integer({ min: 1, max: 9 }),
      })
      const property = fc.asyncProperty(
        settings,
        fc.array(data, { maxLength: 4 }),
        async ({ level, memLevel, ...agreed }, messages) => {
          const sender = codec(role, role, agreed, MIB, { level, memLevel })
          const reference = new ReferenceInflater({ ...agreed, limit: MIB })
          for (const message of messages) {
            const payload = await sender.deflate(message)
            if (payload !== undefined) expect(shown(reference.inflate(payload))).toBe(toHex(message))
          }
        },
      )
      await fc.assert(property, { numRuns: 60 })
    })

    test.each(WINDOWS)('with a window of 2^%i uses that window, and no more [N8, N16]', async (windowBits) => {
      const agreed = { windowBits, takeover: true }
      const unit = noise(0.375 * 2 ** windowBits)
      const message = Buffer.concat([unit, unit, Buffer.alloc(3 * 2 ** windowBits, 1), unit])
      const [sender, reference] = [codec(role, role, agreed), new ReferenceInflater({ ...agreed, limit: MIB })]
      for (let count = 0; count < 2; count++) {
        const payload = await sender.deflate(message)
        if (payload === undefined) throw new Error('not compressed')
        expect(shown(reference.inflate(payload))).toBe(toHex(message))
        const narrower = new ReferenceInflater({ windowBits: windowBits - 2, takeover: true, limit: MIB })
        expect(narrower.inflate(payload)).toBe('INVALID_DEFLATE')
      }
    })
  })

  describe.each(ROLES)('what a %s inflates', (role) => {
    const peer: Role = role === 'server' ? 'client' : 'server'

    test('is what the reference inflates, of whatever bytes [O5, O8, O9, O12, O13, O14, O15]', async () => {
      const change = fc.record({ at: fc.nat(2000), bit: fc.nat(15) })
      const payload = fc
        .tuple(
          data,
          fc.integer({ min: 0, max: 9 }),
          fc.integer({ min: 0, max: 4 }),
          fc.boolean(),
          fc.array(change, { maxLength: 2 }),
        )
        .map(([message, level, strategy, final, changes]) => {
          const finishFlush = final ? constants.Z_FINISH : constants.Z_SYNC_FLUSH
          const flushed = deflateRawSync(message, { level, strategy, finishFlush })
          const bytes = Uint8Array.from(final ? flushed : flushed.subarray(0, -4))
          // Also one bit too far: that changes nothing.
          for (const { at, bit } of changes) {
            const index = at % (bytes.length + 1)
            bytes[index] = (bytes[index] ?? 0) ^ (1 << bit)
          }
          return bytes
        })
      const agreed = fc.record({ windowBits: fc.constantFrom(...WINDOWS), takeover: fc.boolean() })
      const limits = fc.constantFrom(0, 100, 20_000, MIB)
      const property = fc.asyncProperty(
        agreed,
        limits,
        fc.array(payload, { maxLength: 4 }),
        async (given, limit, payloads) => {
          const receiver = codec(role, peer, given, limit)
          const reference = new ReferenceInflater({ ...given, limit, engine: 'zlib' })
          const strict = new ReferenceInflater({ ...given, limit })
          for (const one of payloads) {
            const seen = shown(await receiver.inflate(Uint8Array.from(one)))
            expect(seen).toBe(shown(reference.inflate(one)))
            const allowed = strict.inflate(one)
            if (typeof allowed !== 'string') expect(seen).toBe(toHex(allowed))
            else if (seen !== allowed) break // a difference that the reference knows: from here on their windows differ
          }
        },
      )
      await fc.assert(property, { numRuns: 100 })
    })

    test('reaches beyond the agreed window within a message, as zlib does, and not into the one before [O16]', async () => {
      const far = Buffer.concat([noise(60), Buffer.alloc(300, 7)])
      const flush = { finishFlush: constants.Z_SYNC_FLUSH }
      const within = deflateRawSync(Buffer.concat([far, noise(60)]), flush).subarray(0, -4)
      const before = deflateRawSync(far, flush).subarray(0, -4)
      const across = deflateRawSync(noise(60), { ...flush, dictionary: far }).subarray(0, -4)
      const receive = async (windowBits: number, ...payloads: Uint8Array[]) => {
        const receiver = codec(role, peer, { windowBits, takeover: true })
        const received: string[] = []
        for (const payload of payloads) received.push(shown(await receiver.inflate(payload)))
        return received
      }
      expect(await receive(8, within)).toEqual([toHex(Buffer.concat([far, noise(60)]))])
      expect(await receive(8, before, across)).toEqual([toHex(far), 'INVALID_DEFLATE'])
      expect(await receive(9, before, across)).toEqual([toHex(far), toHex(noise(60))])
    })

    test('takes memory by the limit, whatever a message would inflate to [O13, M1]', async () => {
      const limit = 100 * KIB
      const bomb = deflateRawSync(Buffer.alloc(20 * MIB), { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)
      const receiver = codec(role, peer, { windowBits: 15, takeover: true }, limit)
      await receiver.inflate(bomb) // what is shared by all is there from now on
      const before = process.memoryUsage().arrayBuffers
      expect(await receiver.inflate(bomb)).toBe('MESSAGE_TOO_BIG')
      // The limit once, and the engine's next piece.
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(limit + 2 * 64 * KIB)
    })
  })
})
