// What wakes a client of a page, on objects like those of a page: an EventTarget each for the window and its document.

import { expect, onTestFinished, test, vi } from 'vitest'
import { onWake } from '../../src/portable/wake.ts'

function page() {
  const window = new EventTarget()
  const document = Object.assign(new EventTarget(), { visibilityState: 'visible' })
  vi.stubGlobal('document', document)
  vi.stubGlobal('addEventListener', window.addEventListener.bind(window))
  vi.stubGlobal('removeEventListener', window.removeEventListener.bind(window))
  onTestFinished(() => {
    vi.unstubAllGlobals()
  })
  return { window, document }
}

test('online, visible again, thawed; not when it is hidden, nor after the end', () => {
  const { window, document } = page()
  let woken = 0
  const end = new AbortController()
  onWake(() => woken++, end.signal)
  window.dispatchEvent(new Event('online'))
  document.dispatchEvent(new Event('visibilitychange'))
  document.dispatchEvent(new Event('resume'))
  expect(woken).toBe(3)
  document.visibilityState = 'hidden'
  document.dispatchEvent(new Event('visibilitychange'))
  expect(woken).toBe(3)
  end.abort()
  document.visibilityState = 'visible'
  window.dispatchEvent(new Event('online'))
  document.dispatchEvent(new Event('visibilitychange'))
  document.dispatchEvent(new Event('resume'))
  expect(woken).toBe(3)
})

test('where there is no page, nothing wakes', () => {
  expect(onWake(() => {}, new AbortController().signal)).toBe(undefined)
})
