// A page in Chromium as a client. Rules: a page has the origin of the server that it talks to, so the server's default rule
// holds; what the page itself is comes from here, not from that server.

import { launchBrowser } from '@ws/testkit/browser'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { DRIVE_SOURCE } from '../drive.ts'
import type { ClientPeer, Outcome, Plan } from '../plan.ts'

/** What `toString` of a function may call, depending on who compiled it. */
const HELPERS = 'const __name = (value) => value'
const RUN = 'globalThis.run = (plan) => drive(plan, standardChannel(new WebSocket(plan.url, plan.protocols)))'
const SCRIPT = `(() => { ${HELPERS}\n${DRIVE_SOURCE}\n${RUN} })()`

/** Starts the browser. */
export async function chromiumPeer(): Promise<ClientPeer> {
  const browser = await launchBrowser()
  // The browser does not know the authority that signed the server's certificate, and would ask whether a page whose address it
  // did not see may talk to this machine.
  const context = await browser.newContext({ ignoreHTTPSErrors: true, permissions: ['local-network-access'] })
  const pages = new Map<string, Promise<Page>>()
  return { can: ['compress', 'keepMark'], run: (plan) => run(context, pages, plan), dispose: () => close(browser) }
}

async function run(context: BrowserContext, pages: Map<string, Promise<Page>>, plan: Plan): Promise<Outcome> {
  const origin = new URL(plan.url.replace(/^ws/, 'http')).origin
  const opening = pages.get(origin) ?? openPage(context, origin)
  pages.set(origin, opening)
  const page = await opening
  return (await page.evaluate(`run(${JSON.stringify(plan)})`)) as Outcome
}

async function openPage(context: BrowserContext, origin: string): Promise<Page> {
  const page = await context.newPage()
  await page.route(`${origin}/**`, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }))
  await page.goto(`${origin}/`)
  await page.evaluate(SCRIPT)
  return page
}

async function close(browser: Browser): Promise<void> {
  await browser.close()
}
