// The browser's build in a real browser, against our server: what is sent and received, and what becomes of a client when
// the server, the network or the page is away.

import { once } from 'node:events'
import { join } from 'node:path'
import { type WebSocketConnection, WebSocketServer } from '@ws/server'
import { hasBrowser, launchBrowser } from '@ws/testkit/browser'
import { build } from 'esbuild'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type * as client from '../../src/browser/index.ts'

/** What the scripts of a page see. */
declare global {
  var ws: typeof client
  var socket: client.ReconnectingWebSocket
  var seen: unknown[]
}

let browser: Browser
let script: string

beforeAll(async () => {
  if (!hasBrowser) return
  const entry = join(import.meta.dirname, '../../src/browser/index.ts')
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    format: 'iife',
    globalName: 'ws',
    conditions: ['browser', '@ws/source'],
    write: false,
  })
  script = outputFiles[0]?.text ?? ''
  browser = await launchBrowser()
}, 60_000)

afterAll(async () => {
  await browser?.close()
})

/** A server that can go away and come back at its port, and a page of its origin. */
async function opened() {
  const connections: WebSocketConnection[] = []
  const received: unknown[] = []
  const start = async (port: number): Promise<WebSocketServer> => {
    const server = await WebSocketServer.listen({ port, host: '127.0.0.1', protocols: ['a'] })
    server.on('connection', (socket, { url }) => {
      connections.push(socket)
      socket.on('message', (data) => {
        received.push(typeof data === 'string' ? data : [...data])
        if (url === '/echo') socket.send(data)
      })
    })
    return server
  }
  let server = await start(0)
  const { port } = server.address() as { port: number }
  const context: BrowserContext = await browser.newContext({ permissions: ['local-network-access'] })
  const page: Page = await context.newPage()
  onTestFinished(async () => {
    await context.close()
    await server.close({ timeout: 0 })
  })
  const origin = `http://127.0.0.1:${port}`
  await page.route(`${origin}/**`, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }))
  await page.goto(`${origin}/`)
  await page.addScriptTag({ content: script })
  return {
    page,
    context,
    url: `ws://127.0.0.1:${port}`,
    connections,
    received,
    stop: () => server.close({ timeout: 0 }),
    restart: async () => {
      server = await start(port)
    },
    /** Resolves when the page has seen so many events of a type. */
    saw: (type: string, times: number) =>
      // By a timer: a page that was frozen draws nothing for a while.
      page.waitForFunction(
        ([type, times]) => seen.filter((one) => one === type).length >= times,
        [type, times] as const,
        { polling: 20 },
      ),
    sent: async (count: number) => {
      while (received.length < count) await once(connections.at(-1) as WebSocketConnection, 'message')
    },
  }
}

/** Stops the processes of all pages, as the sleep of a machine does. @returns what wakes them */
async function sleep(): Promise<() => void> {
  const cdp = await browser.newBrowserCDPSession()
  const { processInfo } = await cdp.send('SystemInfo.getProcessInfo')
  await cdp.detach()
  const pages = processInfo.flatMap(({ type, id }) => (type === 'renderer' ? [id] : []))
  expect(pages.length).toBeGreaterThan(0)
  for (const id of pages) process.kill(id, 'SIGSTOP')
  return () => {
    for (const id of pages) process.kill(id, 'SIGCONT')
  }
}

/** Makes `socket` in a page, and notes its events. */
async function reconnecting(
  page: Page,
  url: string,
  options: { baseDelay?: number; maxDelay?: number; protocols?: string } = {},
): Promise<void> {
  await page.evaluate(
    ([url, options]) => {
      globalThis.seen = []
      globalThis.socket = new ws.ReconnectingWebSocket(url, options)
      for (const type of ['open', 'reconnecting', 'gaveup', 'error', 'close'])
        socket.addEventListener(type, () => seen.push(type))
      socket.onmessage = ({ data }) => seen.push(data)
    },
    [url, { baseDelay: 10, maxDelay: 100, ...options }] as const,
  )
}

const NEVER = 2_000_000

describe.skipIf(!hasBrowser)('ReconnectingWebSocket', () => {
  test('drop and restart: the connection comes again, and what was sent meanwhile arrives once, in order', async () => {
    const { page, url, connections, received, stop, restart, saw, sent } = await opened()
    await reconnecting(page, url)
    await saw('open', 1)
    expect(await page.evaluate(() => socket.send('1'))).toBe('sent')
    await sent(1)
    connections[0]?.terminate()
    await saw('open', 2)
    expect(await page.evaluate(() => socket.send('2'))).toBe('sent')
    await sent(2)
    await stop()
    await saw('reconnecting', 3)
    expect(await page.evaluate(() => [socket.send('3'), socket.send(new Uint8Array([4])), socket.readyState])).toEqual([
      'queued',
      'queued',
      0,
    ])
    await restart()
    await saw('open', 3)
    await page.evaluate(() => socket.send('5'))
    await sent(5)
    expect(received).toEqual(['1', '2', '3', [4], '5'])
    await page.evaluate(() => socket.close(3000))
    await saw('close', 1)
    expect(await page.evaluate(() => seen.filter((type) => type !== 'reconnecting'))).toEqual([
      'open',
      'open',
      'open',
      'close',
    ])
  })

  test('offline: it connects at once when the page is online again', async () => {
    const { page, context, url, connections, saw } = await opened()
    await reconnecting(page, url, { baseDelay: NEVER, maxDelay: NEVER })
    await saw('open', 1)
    await context.setOffline(true)
    connections[0]?.terminate()
    await saw('reconnecting', 1)
    expect(await page.evaluate(() => navigator.onLine)).toBe(false)
    await context.setOffline(false)
    await saw('open', 2)
    expect(connections).toHaveLength(2)
  })

  test('sleep: the page stands still while the server restarts, and finds it again', async () => {
    const { page, url, received, stop, restart, saw, sent } = await opened()
    await reconnecting(page, url)
    await saw('open', 1)
    const wake = await sleep()
    await stop()
    await restart()
    wake()
    await saw('open', 2)
    await page.evaluate(() => socket.send('awake'))
    await sent(1)
    expect(received).toEqual(['awake'])
  })

  test('a page that is thawed connects at once', async () => {
    const { page, url, connections, saw } = await opened()
    await reconnecting(page, url, { baseDelay: NEVER, maxDelay: NEVER })
    await saw('open', 1)
    connections[0]?.terminate()
    await saw('reconnecting', 1)
    await page.evaluate(() => document.dispatchEvent(new Event('resume'))) // a visible page is never frozen
    await saw('open', 2)
  })

  test('a server that is there, but silent, is left: the heartbeat is made of messages', async () => {
    const { page, url, received, saw } = await opened()
    await page.evaluate((url) => {
      globalThis.seen = []
      const heartbeat = { interval: 20, timeout: 20, message: () => '?' }
      globalThis.socket = new ws.ReconnectingWebSocket(url, { baseDelay: 1, heartbeat })
      socket.onopen = () => seen.push('open')
      socket.onreconnecting = ({ info }) => seen.push((info.cause as client.WebSocketError).code)
    }, url)
    await saw('open', 2)
    expect(await page.evaluate(() => seen.slice(0, 3))).toEqual(['open', 'HEARTBEAT_TIMEOUT', 'open'])
    expect(received[0]).toBe('?')
  })

  test('a code that is final ends it; wrong arguments throw at once', async () => {
    const { page, url, connections, saw } = await opened()
    await reconnecting(page, url, { protocols: 'a' })
    await saw('open', 1)
    expect(await page.evaluate(() => [socket.protocol, socket.url, socket.readyState])).toEqual(['a', `${url}/`, 1])
    connections[0]?.close(1008, 'no')
    await saw('close', 1)
    expect(await page.evaluate(() => seen)).toEqual(['open', 'gaveup', 'close'])
    const thrown = await page.evaluate(() =>
      [
        ['nowhere://'],
        ['ws://localhost', 'a b'],
        ['ws://localhost', { headers: {} }],
        ['ws://localhost', { baseDelay: -1 }],
      ].map((given) => {
        try {
          new ws.ReconnectingWebSocket(...(given as [string]))
        } catch (error) {
          return (error as Error).name
        }
        return undefined
      }),
    )
    expect(thrown).toEqual(['SyntaxError', 'SyntaxError', 'UsageError', 'UsageError'])
  })
})

describe.skipIf(!hasBrowser)('connect()', () => {
  test('text, bytes and a message in parts; an iterator; the end', async () => {
    const { page, url, received } = await opened()
    const result = await page.evaluate(async (url) => {
      const socket = await ws.connect(`${url}/echo`, { protocols: 'a' })
      const told = [socket.protocol, socket.readyState, socket.send('text'), socket.send(new Uint8Array([1, 2]))]
      const parts = async function* () {
        yield 'in '
        yield 'parts'
      }
      const whole = socket.sendStream(parts())
      socket.send('behind')
      await whole
      const messages: unknown[] = []
      for await (const message of socket) {
        messages.push(typeof message === 'string' ? message : [...message])
        if (messages.length === 4) break
      }
      await socket.drained()
      return { told, messages, info: await socket.close(1000, 'done'), after: [socket.readyState, socket.send('late')] }
    }, url)
    expect(result).toEqual({
      told: ['a', 1, true, true],
      messages: ['text', [1, 2], 'in parts', 'behind'],
      info: { code: 1000, reason: expect.any(String), wasClean: true, initiator: 'local' },
      after: [3, false],
    })
    expect(received).toEqual(['text', [1, 2], 'in parts', 'behind'])
  })

  test('a refused handshake, and a connection that is lost', async () => {
    const { page, url, connections, stop } = await opened()
    await page.evaluate(async (url) => {
      globalThis.seen = []
      const socket = await ws.connect(url)
      socket.on('close', ({ code, initiator, cause }) => seen.push(code, initiator, cause?.code))
      seen.push('open')
    }, url)
    connections[0]?.terminate()
    await page.waitForFunction(() => seen.length === 4)
    expect(await page.evaluate(() => seen)).toEqual(['open', 1006, 'transport', 'CONNECTION_LOST'])
    await stop()
    const failed = page.evaluate((url) => ws.connect(url).catch((error) => [error.name, error.code]), url)
    expect(await failed).toEqual(['HandshakeError', 'CONNECT_FAILED'])
  })
})

describe.skipIf(!hasBrowser)('WebSocketStream', () => {
  /** The same in both: what the page sees of an echo, and of the end. */
  const session = async (url: string) => {
    const stream = new ws.WebSocketStream(`${url}/echo`, { protocols: ['a'] })
    const { readable, writable, protocol } = await stream.opened
    const writer = writable.getWriter()
    await writer.write('text')
    await writer.write(new Uint8Array([1, 2]))
    const reader = readable.getReader()
    const read = [(await reader.read()).value, [...((await reader.read()).value as Uint8Array)]]
    stream.close({ closeCode: 3000, reason: 'mine' })
    const failed = await new ws.WebSocketStream('ws://127.0.0.1:1').opened.catch((error) => error)
    return {
      protocol,
      read,
      closeCode: (await stream.closed).closeCode,
      failed: [failed.name, failed instanceof ws.WebSocketStreamError],
      native: 'WebSocketStream' in globalThis,
    }
  }
  const expected = { protocol: 'a', read: ['text', [1, 2]], closeCode: 3000, failed: ['WebSocketError', true] }

  test('the browser’s own, where it has one', async () => {
    const { page, url } = await opened()
    expect(await page.evaluate(session, url)).toEqual({ ...expected, native: true })
  })

  test('ours, where it has none', async () => {
    const { page, url } = await opened()
    await page.evaluate(() => {
      Reflect.deleteProperty(globalThis, 'WebSocketStream')
      Reflect.deleteProperty(globalThis, 'WebSocketError')
    })
    await page.addScriptTag({ content: script })
    expect(await page.evaluate(session, url)).toEqual({ ...expected, native: false })
  })
})
