import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { page, plainAnswer } from '../../src/demo/page.ts'

async function ask(listener: RequestListener, path: string, method = 'GET') {
  const server = createServer(listener).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const asked = request({ host: '127.0.0.1', port, path, method, agent: false }).end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  return { status: response.statusCode, headers: response.headers, body: await text(response) }
}

test.each([
  ['/', 'text/html', '<!doctype html>'],
  ['/?again', 'text/html', '<!doctype html>'],
  ['/page.css', 'text/css', ':root'],
  ['/page.js', 'text/javascript', 'new WebSocket('],
])('%s', async (path, type, part) => {
  const { status, headers, body } = await ask(page, path)
  expect(status).toBe(200)
  expect(headers['content-type']).toBe(`${type}; charset=utf-8`)
  expect(headers['x-content-type-options']).toBe('nosniff')
  expect(body).toContain(part)
})

test('scripts come from this server only, and none from text', async () => {
  const { headers, body } = await ask(page, '/')
  const policy = String(headers['content-security-policy'])
  expect(policy).toContain("default-src 'none'")
  expect(policy).not.toContain('unsafe')
  expect(body).not.toMatch(/(src|href)="(https?:)?\/\//)
})

test.each(['/nothing', '/../main.ts', '/page/page.js', '//', '/page.js/'])('%s is not there', async (path) => {
  expect(await ask(page, path)).toMatchObject({ status: 404 })
})

test('HEAD has no body, POST is refused', async () => {
  expect(await ask(page, '/', 'HEAD')).toMatchObject({ status: 200, body: '' })
  expect(await ask(page, '/', 'POST')).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } })
})

test('without the page, HTTP is told what is spoken here', async () => {
  expect(await ask(plainAnswer, '/')).toMatchObject({ status: 426, headers: { upgrade: 'websocket' } })
})
