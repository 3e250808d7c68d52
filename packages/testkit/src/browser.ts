// A real browser for the tests of pages and of wire compatibility: Debian's Chromium, driven by playwright-core. On a
// machine without it such tests are skipped, but never in CI, where a missing browser is a failure.

import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const CHROMIUM = '/usr/bin/chromium'

/** Whether browser tests are to run; use as `test.skipIf(!hasBrowser)`. */
export const hasBrowser: boolean = process.env.CI !== undefined || existsSync(CHROMIUM)

/** Starts Chromium without a window; `close()` it. The flags keep it from looking for hosts of its own. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      // Tests may run as root, where Chromium's sandbox does not start.
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}
