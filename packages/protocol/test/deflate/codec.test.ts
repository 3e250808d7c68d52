// The codec of permessage-deflate over Node's zlib: the RFC's examples, both takeover modes, every window, and what zlib
// alone would let pass.

import { randomBytes } from 'node:crypto'
import { constants, deflateRawSync } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Role } from '../../src/constants.ts'
import { largestCompressed } from '../../src/deflate/compression.ts'
import type { DeflateParameters } from '../../src/deflate/parameters.ts'
import { hex, utf8 } from '../support/bytes.ts'
import { ENGINES, WaitingCodec } from '../support/compression.ts'

const AGREED: DeflateParameters = {
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
}
const MIB = 1024 * 1024

function text(inflated: Uint8Array | string): string {
  return typeof inflated === 'string' ? `fault ${inflated}` : Buffer.from(inflated).toString()
}

/** What another implementation would send: a flushed stream without its last four bytes. */
function deflated(data: string | Uint8Array, level = 6): Uint8Array {
  return deflateRawSync(data, { level, finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)
}

const JSON_TEXT = JSON.stringify(Array.from({ length: 60 }, (_, id) => ({ id, name: `item ${id}`, price: id * 3.7 })))

const WINDOWS = [8, 9, 10, 11, 12, 13, 14, 15]

describe.each(ENGINES)('%s', (engine) => {
  function codec(
    role: Role,
    agreed: Partial<DeflateParameters> = {},
    maxPayload = 16 * MIB,
    options = {},
  ): WaitingCodec {
    const made = new WaitingCodec(engine, role, { ...AGREED, ...agreed }, maxPayload, options)
    onTestFinished(() => made.close())
    return made
  }

  describe('inflates', () => {
    test.each([
      ['one block [O5]', 'f248cdc9c90700', 'Hello'],
      ['a stored block [O7]', '000500faff48656c6c6f00', 'Hello'],
      ['a block that is marked final [O8]', 'f348cdc9c9070000', 'Hello'],
      ['a block that is marked final, without more', 'f348cdc9c90700', 'Hello'],
      ['two blocks [O10]', 'f24805000000ffffcac9c90700', 'Hello'],
      ['a final block in the middle [O9]', 'f3480500f248cdc9c90700', 'HeHello'],
      ['an empty message [O11]', '00', ''],
      ['an empty payload [O11]', '', ''],
    ])('%s', async (_, payload, expected) => {
      expect(text(await codec('client').inflate(hex(payload)))).toBe(expected)
    })

    test('with the window of the messages before, and after an empty payload or a final block [O6, O9, O11]', async () => {
      const inflater = codec('client')
      for (const [payload, expected] of [
        ['f248cdc9c90700', 'Hello'],
        ['f200110000', 'Hello'],
        ['', ''],
        ['f348cdc9c9070000', 'Hello'],
        ['f200110000', 'Hello'],
      ]) {
        expect(text(await inflater.inflate(hex(payload as string)))).toBe(expected)
      }
    })

    test('without takeover the window is empty: a reference to an earlier message is a fault [O12]', async () => {
      const inflater = codec('client', { serverNoContextTakeover: true })
      expect(text(await inflater.inflate(hex('f248cdc9c90700')))).toBe('Hello')
      expect(await inflater.inflate(hex('f200110000'))).toBe('INVALID_DEFLATE')
    })

    test('a fault leaves the window as it was', async () => {
      const inflater = codec('client')
      expect(text(await inflater.inflate(hex('f248cdc9c90700')))).toBe('Hello')
      expect(await inflater.inflate(hex('ffffff'))).toBe('INVALID_DEFLATE')
      expect(text(await inflater.inflate(hex('f200110000')))).toBe('Hello')
    })
  })

  describe('refuses', () => {
    test.each(['ff', '07', 'f248cd', '000500faff4865'])('%s: invalid or cut short [O14, O15]', async (payload) => {
      expect(await codec('client').inflate(hex(payload))).toBe('INVALID_DEFLATE')
    })

    test.each([false, true])(
      'every message that is cut short, unless it is a whole one by itself; takeover %s [O15]',
      async (takeover) => {
        for (const level of [1, 6, 9]) {
          const payload = deflated(JSON_TEXT, level)
          for (let length = 1; length < payload.length; length++) {
            const inflater = codec('server', { clientNoContextTakeover: !takeover })
            if (takeover) await inflater.inflate(deflated('something before'))
            expect([length, await inflater.inflate(payload.subarray(0, length))]).toEqual([length, 'INVALID_DEFLATE'])
          }
        }
      },
    )

    test('every message of a final block that is cut short, at each byte [O15]', async () => {
      for (const level of [0, 1, 6, 9]) {
        const whole = deflateRawSync(JSON_TEXT, { level })
        const cuts = Array.from({ length: whole.length - 1 }, (_, index) => index + 1)
        const taken: number[] = []
        for (const length of cuts) {
          if ((await codec('server').inflate(whole.subarray(0, length))) !== 'INVALID_DEFLATE') taken.push(length)
        }
        // With the tail this is whole again: the header of an empty stored block.
        expect([level, taken]).toEqual([level, level === 0 ? [1] : []])
        expect(text(await codec('server').inflate(whole))).toBe(JSON_TEXT)
      }
    })

    test('a final stored block that takes our tail for its data, but not data that only looks like it [O15]', async () => {
      expect(await codec('server').inflate(hex('010600f9ff'))).toBe('INVALID_DEFLATE')
      for (const last of ['00 00 ff ff 03 00', '03 00', '01 00 00 ff ff']) {
        const [inflater, message] = [codec('server'), hex(last)]
        for (const payload of [
          deflated(message),
          deflateRawSync(message),
          Buffer.concat([deflateRawSync(message), deflated('')]),
        ]) {
          expect(Buffer.from((await inflater.inflate(payload)) as Uint8Array)).toEqual(Buffer.from(message))
        }
      }
    })

    test('a bomb, at the limit and not afterwards [O13, M1]', async () => {
      const bomb = deflated(Buffer.alloc(100 * MIB))
      expect(bomb.length).toBeLessThan(110_000)
      expect(await codec('server').inflate(bomb)).toBe('MESSAGE_TOO_BIG')
    })

    test.each([0, 1, 999, 1000])('more than %i bytes, over all streams of a message together', async (limit) => {
      const fits = codec('server', {}, limit)
      expect(text(await fits.inflate(deflated('x'.repeat(limit))))).toBe('x'.repeat(limit))
      expect(await codec('server', {}, limit).inflate(deflated('x'.repeat(limit + 1)))).toBe('MESSAGE_TOO_BIG')
      const twice = Buffer.concat([deflateRawSync('x'.repeat(limit)), deflated('x')])
      expect(await codec('server', {}, limit).inflate(twice)).toBe('MESSAGE_TOO_BIG')
    })

    test('a message of nothing but final blocks: each costs a run', async () => {
      const blocks = (count: number) => Buffer.concat(Array.from({ length: count }, () => deflateRawSync('')))
      expect(text(await codec('server').inflate(blocks(64)))).toBe('')
      expect(await codec('server').inflate(blocks(65))).toBe('INVALID_DEFLATE')
    })
  })

  describe('deflates', () => {
    test('only what gets smaller [O17]', async () => {
      expect(await codec('server').deflate(utf8('ab'))).toBe(undefined)
      expect(await codec('server').deflate(new Uint8Array(0))).toBe(undefined)
    })

    test('what was not sent compressed leaves the window as it was [O3]', async () => {
      const [sender, receiver] = [codec('server'), codec('client')]
      const noise = crypto.getRandomValues(new Uint8Array(4096))
      for (const message of [utf8(JSON_TEXT), noise, utf8(JSON_TEXT)]) {
        const payload = await sender.deflate(message)
        if (message === noise) expect(payload).toBe(undefined)
        else expect(text(await receiver.inflate(payload as Uint8Array))).toBe(JSON_TEXT)
      }
    })

    test('with takeover the second of two equal messages is small, without they are equal [N9, N11]', async () => {
      const message = utf8(JSON_TEXT)
      const sizes = async (role: Role, agreed: Partial<DeflateParameters>) => {
        const sender = codec(role, agreed)
        return [await sender.deflate(message), await sender.deflate(message)].map((payload) => payload?.length ?? 0)
      }
      const [first = 0, second = 0] = await sizes('server', {})
      expect(second).toBeLessThan(first / 10)
      for (const role of ['server', 'client'] as const) {
        expect(new Set(await sizes(role, { serverNoContextTakeover: true, clientNoContextTakeover: true })).size).toBe(
          1,
        )
      }
      expect(new Set(await sizes('server', { clientNoContextTakeover: true })).size).toBe(2)
      expect(new Set(await sizes('client', { serverNoContextTakeover: true })).size).toBe(2)
    })

    test('with the level and memory that it is told', async () => {
      const stored = codec('server', {}, MIB, { level: 0, memLevel: 1 })
      expect(await stored.deflate(utf8(JSON_TEXT))).toBe(undefined)
    })
  })

  describe.each(WINDOWS)('a window of 2^%i bytes [N8, N16]', (bits) => {
    test.each([
      [false, 'server'],
      [true, 'server'],
      [false, 'client'],
      [true, 'client'],
    ] as const)(
      'no takeover %s, sent by the %s: what one end sends, the other reads, with no larger window',
      async (off, role) => {
        const agreed =
          role === 'server'
            ? { serverMaxWindowBits: bits, serverNoContextTakeover: off }
            : { clientMaxWindowBits: bits, clientNoContextTakeover: off }
        const sender = codec(role, agreed)
        const receiver = codec(role === 'server' ? 'client' : 'server', agreed)
        const messages = [JSON_TEXT, JSON_TEXT, 'x'.repeat(70_000), JSON_TEXT.repeat(20), 'ab'.repeat(300), JSON_TEXT]
        for (const message of messages) {
          const payload = await sender.deflate(utf8(message))
          if (payload === undefined) throw new Error('not compressed')
          expect(text(await receiver.inflate(payload))).toBe(message)
        }
      },
    )
  })
})

test('largestCompressed covers the worst that zlib makes of what does not compress', async () => {
  for (const size of [0, 1, 127, 1_000, 70_000, 300_000]) {
    const input = randomBytes(size)
    for (const memLevel of [1, 8, 9]) {
      for (const windowBits of [9, 15]) {
        for (const level of [0, 1, 6, 9]) {
          const output = deflateRawSync(input, { memLevel, windowBits, level, finishFlush: constants.Z_SYNC_FLUSH })
          expect(output.length).toBeLessThanOrEqual(largestCompressed(size))
        }
      }
    }
  }
})
