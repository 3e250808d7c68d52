// A page in Chromium that came over HTTP/2 opens its WebSockets on the session that it has (RFC 8441).

import { once } from 'node:events'
import { hasBrowser, launchBrowser } from '@ws/testkit/browser'
import { expect, onTestFinished, test } from 'vitest'
import { http2SecureServer } from './support/http2.ts'
import { portOf, share } from './support/servers.ts'

/** What one WebSocket of the page saw. */
interface Seen {
  echo: string
  extensions: string
  protocol: string
  code: number
  wasClean: boolean
}

test.skipIf(!hasBrowser)('[P1] [P8] [P11] several WebSockets of a page share its one session', async () => {
  const http = await http2SecureServer({}, (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html>')
  })
  const sessions = new Set<unknown>()
  const used = new Set<unknown>()
  http.on('session', (session) => sessions.add(session))
  http.on('stream', (stream, headers) => {
    if (headers[':protocol'] !== undefined) used.add(stream.session)
  })
  const requests: string[] = []
  const server = share(
    http,
    { path: '/:name', protocols: ['chat'], perMessageDeflate: { threshold: 0 } },
    { message: (socket, data) => void socket.send(data) },
  )
  server.on('connection', (_socket, { httpVersion, url, headers }) => {
    requests.push(`${httpVersion} ${url} ${headers.origin}`)
  })
  const browser = await launchBrowser()
  onTestFinished(() => browser.close())
  const context = await browser.newContext({ ignoreHTTPSErrors: true, permissions: ['local-network-access'] })
  const page = await context.newPage()
  const origin = `https://localhost:${portOf(http)}`
  await page.goto(`${origin}/`)
  // Of a page: the tests are compiled without the types of the DOM.
  const open = `(name) => new Promise((resolve, reject) => {
    const socket = new WebSocket('wss://localhost:${portOf(http)}/' + name, ['chat'])
    const seen = {}
    socket.onopen = () => {
      Object.assign(seen, { extensions: socket.extensions, protocol: socket.protocol })
      socket.send(name.repeat(50_000))
    }
    socket.onmessage = ({ data }) => {
      seen.echo = data
      socket.close(4000, 'enough')
    }
    socket.onerror = () => reject(new Error('the WebSocket failed'))
    socket.onclose = ({ code, wasClean }) => resolve(Object.assign(seen, { code, wasClean }))
  })`
  const names = ['a', 'b', 'c', 'd']
  const all = (await page.evaluate(`Promise.all(${JSON.stringify(names)}.map(${open}))`)) as Seen[]
  for (const [index, name] of names.entries()) {
    expect(all[index]).toEqual({
      echo: name.repeat(50_000),
      extensions: expect.stringMatching(/^permessage-deflate/),
      protocol: 'chat',
      code: 4000,
      wasClean: true,
    })
  }
  expect(requests.sort()).toEqual(names.map((name) => `2.0 /${name} ${origin}`))
  // Chromium may open a session that it then does not use.
  expect(used.size).toBe(1)
  expect(sessions.size).toBeLessThanOrEqual(2)
  const kept = page.evaluate(`globalThis.kept = new WebSocket('wss://localhost:${portOf(http)}/e')`)
  const [socket] = await once(server, 'connection')
  await kept
  await page.close()
  // Chromium resets the stream of a page that is left, and its Close need not come before that.
  const { code, cause } = await socket.closed
  if (code !== 1001)
    expect(cause?.message).toBe('the connection was lost: the HTTP/2 stream was reset with code CANCEL')
})
