// The WebAssembly module is its text, assembled; and what it computes is what the plain versions compute.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import assembler from 'wabt'
import { loadSimd, SIMD_MODULE, type Simd } from '../../src/node/simd.ts'

test('the bytes in the source are simd.wat, assembled', async () => {
  const text = readFileSync(join(import.meta.dirname, '../../src/node/simd.wat'), 'utf8')
  const { parseWat } = await assembler()
  const module = parseWat('simd.wat', text, { simd: true })
  expect(Buffer.from(module.toBinary({}).buffer).toString('base64')).toBe(SIMD_MODULE)
  module.destroy()
})

test('isAscii: no byte with its top bit set, at every length and place', () => {
  const { memory, isAscii } = loadSimd() as Simd
  const bytes = Buffer.from(memory)
  bytes.fill(0xff, 0, 100)
  for (let start = 7; start < 24; start++) {
    for (let length = 0; length < 50; length++) {
      bytes.fill(0x7f, start, start + length)
      expect(isAscii(start, start + length)).toBe(1)
      for (let at = start; at < start + length; at++) {
        bytes[at] = 0x80
        expect(isAscii(start, start + length)).toBe(0)
        bytes[at] = 0x7f
      }
      bytes.fill(0xff, start, start + length)
    }
  }
})

test('memory cannot grow: views of it stay valid', () => {
  const { memory } = loadSimd() as Simd
  expect(memory.byteLength).toBe(6 * 64 * 1024)
  const again = Buffer.from(SIMD_MODULE, 'base64')
  // The section of memories (5): one, with a maximum (1), of 6 pages at first and 6 at most.
  expect(again.includes(Buffer.from([5, 4, 1, 1, 6, 6]))).toBe(true)
})

test.each(['no WebAssembly', 'no SIMD', 'no address space'])('%s: no module, and no exception', (why) => {
  const Module = why === 'no SIMD' ? failing('Module') : Object
  vi.stubGlobal('WebAssembly', why === 'no WebAssembly' ? undefined : { Module, Instance: failing('Instance') })
  onTestFinished(() => void vi.unstubAllGlobals())
  expect(loadSimd()).toBe(undefined)
})

function failing(name: string) {
  return class {
    constructor() {
      throw new RangeError(`WebAssembly.${name}(): cannot be made`)
    }
  }
}
