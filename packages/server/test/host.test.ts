// By which names a server may be asked for.

import { describe, expect, test } from 'vitest'
import { hostRule } from '../src/host.ts'
import { RawClient, SWITCHING } from './support/raw-client.ts'
import { portOf, refused, serve } from './support/servers.ts'

test('by default there is no rule', () => {
  expect(hostRule(undefined)).toBe(undefined)
})

describe('a list', () => {
  const allowed = hostRule(['Example.com', 'localhost:8080', '[::1]', '127.0.0.1'])
  test.each([
    ['example.com', true],
    ['EXAMPLE.com:443', true],
    ['localhost:8080', true],
    ['LocalHost:8080', true],
    ['localhost', false],
    ['localhost:8081', false],
    ['[::1]:9000', true],
    ['127.0.0.1:9000', true],
    ['127.0.0.2', false],
    ['www.example.com', false],
    ['example.com.evil.example', false],
    ['evil.example', false],
    ['example.com/', false],
    ['example.com:80:80', false],
    ['', false],
    [undefined, false],
  ])('%s: %s', (host, verdict) => {
    expect(allowed?.(host)).toBe(verdict)
  })
})

test('[D9] a page whose name was made to resolve to this machine gets 403, though Origin and Host agree', async () => {
  const server = await serve({ hosts: ['localhost', '127.0.0.1'] })
  const port = portOf(server)
  const rebound = `evil.example:${port}`
  const reported = refused(server)
  const victim = await RawClient.connect(port)
  const answer = await victim.refusal({ replace: [`Host: ${rebound}`], add: [`Origin: http://${rebound}`] })
  const message = `host "${rebound}" is none of the server's: see its option hosts`
  expect([answer.status, answer.body]).toEqual([403, `${message}\n`])
  expect(await reported).toMatchObject({ status: 403, code: 'REFUSED_HOST_UNKNOWN', message })
  const own = await RawClient.connect(port)
  expect(
    await own.upgrade({ replace: [`Host: localhost:${port}`], add: [`Origin: http://localhost:${port}`] }),
  ).toEqual(SWITCHING)
})

test('with trustProxy the name is the one that the proxy was asked for', async () => {
  const server = await serve({ hosts: ['example.com'], trustProxy: true })
  const [good, bad] = [await RawClient.connect(portOf(server)), await RawClient.connect(portOf(server))]
  expect(await good.upgrade({ add: ['X-Forwarded-Host: example.com'] })).toEqual(SWITCHING)
  expect((await bad.refusal({ replace: ['Host: example.com'], add: ['X-Forwarded-Host: evil.example'] })).status).toBe(
    403,
  )
})
