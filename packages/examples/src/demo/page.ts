// The live page over HTTP. Rules: only the files listed here can be had; the page may load nothing from elsewhere and talk to
// nobody but this server.

import { readFileSync } from 'node:fs'
import type { RequestListener, ServerResponse } from 'node:http'

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const TEXT = 'text/plain; charset=utf-8'

interface File {
  readonly type: string
  readonly url: URL
}

const FILES: ReadonlyMap<string, File> = new Map([
  ['/', { type: 'text/html; charset=utf-8', url: new URL('./page/page.html', import.meta.url) }],
  ['/page.css', { type: 'text/css; charset=utf-8', url: new URL('./page/page.css', import.meta.url) }],
  ['/page.js', { type: 'text/javascript; charset=utf-8', url: new URL('./page/page.js', import.meta.url) }],
])

/** Serves the page. */
export const page: RequestListener = (request, response) => {
  const file = FILES.get(pathOf(request.url))
  if (file === undefined) return answer(response, 404, TEXT, 'there is only the page at /\n')
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD')
    return answer(response, 405, TEXT, 'expected GET or HEAD\n')
  }
  // Read at each request: whoever changes the page sees it by reloading.
  answer(response, 200, file.type, readFileSync(file.url))
}

/** What is served where there is no page. */
export const plainAnswer: RequestListener = (_request, response) => {
  response.setHeader('Upgrade', 'websocket')
  response.setHeader('Connection', 'Upgrade')
  answer(response, 426, TEXT, 'this is a WebSocket server; --watch gives it a page\n')
}

function pathOf(target = '/'): string {
  return target.split('?', 1).join()
}

function answer(response: ServerResponse, status: number, type: string, body: string | Buffer): void {
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'Content-Security-Policy': CONTENT_SECURITY_POLICY,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-store',
  })
  response.end(body)
}
