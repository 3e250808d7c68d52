// The encoder and the strict decoder of the runner, against the examples of RFC 6455 §5.7.

import { expect, it } from 'vitest'
import { encode, FrameReader } from '../src/wire.ts'

const hello = Buffer.from('Hello')

it('encodes the examples of the RFC', () => {
  expect(hexOf(encode({ opcode: 1, payload: hello }, 'client'))).toBe('810548656c6c6f')
  expect(hexOf(encode({ opcode: 1, payload: hello, key: 0x37fa213d }, 'server'))).toBe('818537fa213d7f9f4d5158')
  expect(hexOf(encode({ opcode: 2, payload: { fill: 0, size: 256 }, headerOnly: 4 }, 'client'))).toBe('827e0100')
  expect(hexOf(encode({ opcode: 2, declared: 65_536n, headerOnly: 10 }, 'server'))).toBe('82ff0000000000010000')
})

it('gives each frame another masking key', () => {
  const keys = new Set(Array.from({ length: 10_000 }, () => hexOf(encode({ opcode: 9 }, 'server').subarray(2))))
  expect(keys.size).toBe(10_000)
})

it('reads frames in any chunks', () => {
  const reader = new FrameReader('client')
  for (const byte of Buffer.from('818537fa213d7f9f4d5158', 'hex')) {
    expect(reader.next()).toBeUndefined()
    reader.push(Buffer.of(byte))
  }
  expect(reader.next()).toEqual({ opcode: 1, compressed: false, payload: hello, key: 0x37fa213d })
  expect(reader.pending).toBe(0)
})

it('takes RSV1 on messages where compression was agreed on', () => {
  const reader = new FrameReader('server', true)
  reader.push(Buffer.from('c107f248cdc9c90700', 'hex'))
  expect(reader.next()).toMatchObject({ opcode: 1, compressed: true, payload: Buffer.from('f248cdc9c90700', 'hex') })
  reader.push(Buffer.from('c900', 'hex'))
  expect(() => reader.next()).toThrow('a reserved bit is set (§5.2)')
})

it.each([
  ['a masked frame of a server', 'server', '818537fa213d7f9f4d5158', 'the mask bit is wrong (§5.1)'],
  ['an unmasked frame of a client', 'client', '810548656c6c6f', 'the mask bit is wrong (§5.1)'],
  ['a length in too long a form', 'server', '827e0001ff', 'the length is not minimal (§5.2)'],
  ['a reserved bit', 'server', 'c100', 'a reserved bit is set (§5.2)'],
  ['a fragment', 'server', '0100', 'a fragment, where a whole frame was due'],
  ['a control frame that is too long', 'server', '897e0080', 'a control frame of over 125 bytes (§5.5)'],
  ['a reserved opcode', 'server', '8300', 'opcode 3'],
] as const)('refuses %s', (_, target, digits, message) => {
  const reader = new FrameReader(target)
  reader.push(Buffer.from(digits, 'hex').subarray(0))
  reader.push(Buffer.alloc(4))
  expect(() => reader.next()).toThrow(message)
})

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
