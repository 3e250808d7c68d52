// The program of docs/browsers.md, as it is written there, bundled as a page would be and run in a real browser.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { WebSocketServer } from '@ws/server'
import { hasBrowser, launchBrowser } from '@ws/testkit/browser'
import { build } from 'esbuild'
import { expect, onTestFinished, test } from 'vitest'

const PAGE = readFileSync(join(import.meta.dirname, '../../../../docs/browsers.md'), 'utf8')

function block(language: string): string {
  const [, text = ''] = new RegExp(`^\`\`\`${language}\\n([^]*?)\\n\`\`\`$`, 'm').exec(PAGE) ?? []
  return text
}

async function bundle(contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: import.meta.dirname },
    bundle: true,
    format: 'esm',
    alias: { '@ws/client': join(import.meta.dirname, '../../src/browser/index.ts') },
    conditions: ['browser', '@ws/source'],
    write: false,
  })
  return outputFiles[0]?.text ?? ''
}

test.skipIf(!hasBrowser)('the program prints what the page says', async () => {
  const server = await WebSocketServer.listen({ port: 0, host: '127.0.0.1', protocols: ['chat'] })
  server.on('connection', (socket) => {
    socket.on('message', (text) => (text === 'drop me' ? socket.terminate() : socket.send(text)))
  })
  const browser = await launchBrowser()
  onTestFinished(async () => {
    await browser.close()
    await server.close({ timeout: 0 })
  })
  const context = await browser.newContext({ permissions: ['local-network-access'] })
  const page = await context.newPage()
  const { port } = server.address() as { port: number }
  const origin = `http://127.0.0.1:${port}`
  await page.route(`${origin}/**`, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }))
  await page.goto(`${origin}/`)

  const wanted = block('text').split('\n')
  const printed: string[] = []
  const complete = new Promise<void>((resolve, reject) => {
    page.on('pageerror', reject)
    page.on('console', (message) => {
      printed.push(message.text())
      if (printed.length === wanted.length) resolve()
    })
  })
  await page.addScriptTag({ type: 'module', content: await bundle(block('js')) })
  await complete
  expect(wanted.length).toBeGreaterThan(1)
  expect(printed).toEqual(wanted)
})
