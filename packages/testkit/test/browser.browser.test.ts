// The browser starts, runs a script of a page, and is gone when it is closed.

import { expect, test } from 'vitest'
import { hasBrowser, launchBrowser } from '../src/browser.ts'

test.skipIf(!hasBrowser)('Chromium runs a page that has the browser’s own WebSocket', async () => {
  const browser = await launchBrowser()
  const page = await browser.newPage()
  expect(await page.evaluate('typeof WebSocket')).toBe('function')
  await browser.close()
})
