// `pnpm demo --watch` and its page, in a real browser.

import { hasBrowser, launchBrowser } from '@ws/testkit/browser'
import { expect, onTestFinished, test } from 'vitest'
import { type Program, startDemo } from '../support/program.ts'

async function watching(port: string): Promise<{ demo: Program; url: string }> {
  const demo = startDemo('--watch', '--port', port)
  const [, url = ''] = await demo.printed(/the live page is at (\S+)/)
  return { demo, url }
}

async function openPage(url: string) {
  const browser = await launchBrowser()
  onTestFinished(() => browser.close())
  const page = await browser.newPage()
  const complaints: string[] = []
  page.on('console', (message) => complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  await page.goto(url)
  const received = () => page.evaluate(() => Number(document.querySelector('#received')?.textContent))
  const state = (name: string) => page.waitForSelector(`html[data-state="${name}"]`)
  const receivedMoreThan = (count: number) =>
    page.waitForFunction((least) => Number(document.querySelector('#received')?.textContent) > least, count)
  return { page, complaints, received, receivedMoreThan, state }
}

test.skipIf(!hasBrowser)('the page draws the samples, and finds the server again', { timeout: 60_000 }, async () => {
  const { demo, url } = await watching('0')
  const { page, complaints, received, receivedMoreThan, state } = await openPage(url)
  await state('open')
  await receivedMoreThan(10)

  const drawn = await page.evaluate(() => ({
    cpu: Number(document.querySelector('#cpu')?.textContent),
    memory: Number(document.querySelector('#memory')?.textContent),
    cores: document.querySelectorAll('#cores li').length,
    loads: document.querySelectorAll('#loads li').length,
    missed: document.querySelector('#missed')?.textContent,
    points: ['#cpu-chart', '#memory-chart'].map(
      (chart) => document.querySelector(`${chart} .line`)?.getAttribute('d')?.split('L').length ?? 0,
    ),
    state: document.querySelector('#state')?.textContent,
  }))
  expect(drawn).toMatchObject({ loads: 3, missed: '0', state: 'Connected' })
  expect(drawn.cpu).toBeGreaterThanOrEqual(0)
  expect(drawn.memory).toBeGreaterThan(0)
  expect(drawn.cores).toBeGreaterThan(0)
  for (const points of drawn.points) expect(points).toBeGreaterThan(10)
  expect(complaints).toEqual([])

  demo.interrupt()
  expect(await demo.exit).toEqual({ code: 0, signal: null })
  expect(demo.errors).toBe('')
  expect(demo.lines.at(-1)).toMatch(/^verdict {4,}all \d+ samples arrived/)
  await state('closed')

  const before = await received()
  const again = await watching(new URL(url).port)
  await state('open')
  await receivedMoreThan(before)
  again.demo.interrupt()
  expect(await again.demo.exit).toEqual({ code: 0, signal: null })
})
