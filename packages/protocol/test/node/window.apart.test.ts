// The receive window and what works in it, against the plain versions; in each mode, loaded anew.

import { expect, onTestFinished, test, vi } from 'vitest'
import { applyMask as plainMask } from '../../src/frame/mask.ts'

/** Loads the module as a process would that was started with this variable. */
async function load(mode?: string): Promise<typeof import('../../src/node/window.ts')> {
  vi.resetModules()
  vi.stubEnv('WS_RECEIVE_WINDOW', mode)
  onTestFinished(() => void vi.unstubAllEnvs())
  return await import('../../src/node/window.ts')
}

const KEY = 0x9a3c_5e71 | 0

function pattern(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, index) => (index * 167 + (index >> 8)) & 0xff)
}

test('unmasking in the window, at every length, place and phase [H1]', async () => {
  const { applyMask, receiveWindow, windowMode } = await load()
  expect(windowMode).toBe('simd')
  for (let start = 0; start < 17; start++) {
    for (let length = 0; length < 70; length++) {
      const bytes = pattern(120)
      receiveWindow.set(bytes)
      const phase = (start + length) % 4
      applyMask(receiveWindow, start, start + length, KEY, phase)
      plainMask(bytes, start, start + length, KEY, phase)
      expect(receiveWindow.compare(bytes, 0, 120, 0, 120)).toBe(0)
    }
  }
})

test.each([0, 1, 255, 256, 257, 1023, 65_535, 65_536, 65_537, 131_072, 200_003])(
  'masking %i bytes elsewhere [H1]',
  async (length) => {
    const { applyMask } = await load()
    const [masked, expected] = [pattern(length + 9), pattern(length + 9)]
    applyMask(masked, 5, 5 + length, KEY, 3)
    plainMask(expected, 5, 5 + length, KEY, 3)
    expect(Buffer.compare(masked, expected)).toBe(0)
  },
)

test('a view into the window is known as such, however it was made; other memory is not', async () => {
  const { isBorrowed, receiveWindow } = await load()
  expect(isBorrowed(receiveWindow.subarray(3, 4))).toBe(true)
  expect(isBorrowed(new Uint8Array(receiveWindow.buffer, receiveWindow.byteOffset, 1))).toBe(true)
  expect(isBorrowed(Buffer.from(receiveWindow))).toBe(false)
})

test('text is known to be ASCII only where that can be told in a moment', async () => {
  const { isKnownAscii, receiveWindow } = await load()
  receiveWindow.write('plain ümläut')
  expect([isKnownAscii(receiveWindow, 0, 6), isKnownAscii(receiveWindow, 0, 8)]).toEqual([true, false])
  expect(isKnownAscii(Buffer.from('plain'), 0, 5)).toBe(false)
})

test('one parse at a time has the window', async () => {
  const { takeWindow, releaseWindow } = await load()
  expect([takeWindow(), takeWindow()]).toEqual([true, false])
  releaseWindow()
  expect(takeWindow()).toBe(true)
})

test('buffer: a window of ordinary memory, masked in JavaScript', async () => {
  const { windowMode, receiveWindow, WINDOW_SIZE, applyMask, isKnownAscii, takeWindow } = await load('buffer')
  expect([windowMode, receiveWindow.length]).toEqual(['buffer', WINDOW_SIZE])
  const bytes = pattern(300)
  receiveWindow.set(bytes)
  applyMask(receiveWindow, 1, 290, KEY, 2)
  plainMask(bytes, 1, 290, KEY, 2)
  expect(receiveWindow.compare(bytes, 0, 300, 0, 300)).toBe(0)
  expect(isKnownAscii(Buffer.from('a'), 0, 1)).toBe(false)
  expect(takeWindow()).toBe(true)
})

test('off: no window, and none to be had', async () => {
  const { windowMode, receiveWindow, takeWindow } = await load('off')
  expect([windowMode, receiveWindow.length, takeWindow()]).toEqual(['off', 0, false])
})

test('simd where there is no WebAssembly: buffer', async () => {
  vi.stubGlobal('WebAssembly', undefined)
  onTestFinished(() => void vi.unstubAllGlobals())
  expect((await load('simd')).windowMode).toBe('buffer')
})

test('anything else: a warning that says what was expected, and the default', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  onTestFinished(() => void warn.mockRestore())
  expect((await load('fast')).windowMode).toBe('simd')
  expect(warn.mock.calls).toEqual([['WS_RECEIVE_WINDOW must be one of simd, buffer, off; got "fast": ignored']])
})

test('an environment that may not be read, as in Deno without --allow-env: the default', async () => {
  const { env } = process
  onTestFinished(() => {
    process.env = env
  })
  const denied = () => {
    throw new Error('Requires env access')
  }
  process.env = new Proxy(env, { get: denied })
  const { environmentChoice } = await import('../../src/node/environment.ts')
  expect(environmentChoice('WS_RECEIVE_WINDOW', ['simd', 'off'])).toBe('simd')
})
