// The catalogue over TCP, at both ends, and the page that tells of it; http2.test.ts runs it over HTTP/2.

import { describe, expect, it } from 'vitest'
import {
  type AnyCase,
  type Case,
  type ExpectedFrame,
  endsOf,
  type RequestCase,
  type ResponseCase,
  type Step,
  transportsOf,
} from '../src/case.ts'
import { CATALOGUE, SECTIONS } from '../src/catalogue.ts'
import { isUpToDate } from '../src/page.ts'
import { failuresOf, pageOf, tableOf } from '../src/report.ts'
import { runCatalogue, type Verdict } from '../src/run.ts'

describe('the catalogue', () => {
  it('has a name of its own for each case, in its section', () => {
    const ids = CATALOGUE.map(({ id }) => id)
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
    const strays = SECTIONS.flatMap(({ name, cases }) => cases.filter(({ id }) => !id.startsWith(`${name}/`)))
    expect(strays.map(({ id }) => id)).toEqual([])
  })

  it('names the requirements of each case', () => {
    expect(CATALOGUE.filter(({ rows }) => rows.length === 0 || rows.some((row) => !/^[A-T]\d+$/.test(row)))).toEqual([])
  })

  it('passes at the server and at the client, over TCP', async () => {
    expect(failuresOf(await runCatalogue(CATALOGUE, { transports: ['tcp'] }))).toEqual([])
  }, 240_000)

  it('has a page that says of all cases that they pass', async () => {
    const passed = CATALOGUE.flatMap((test) =>
      endsOf(test).flatMap((end) => transportsOf(test).map((over) => ({ test, end, over, fault: undefined }))),
    )
    expect(await isUpToDate(pageOf(SECTIONS, passed)), 'run `pnpm conformance --update`').toBe(true)
  })
})

describe('the runner', () => {
  it('fails a case whose answer is another one, or does not come', async () => {
    const echo = caseOf('pings/ping-text') as Case
    const verdicts = await runCatalogue(
      [
        { ...echo, id: 'wrong-answer', steps: [...echo.steps.slice(0, 1), { expect: [{ opcode: 8, code: 1002 }] }] },
        { ...echo, id: 'no-answer', steps: [{ expect: [{ opcode: 10, payload: Uint8Array.of(1) }] }] },
        { ...echo, id: 'wrong-end', outcome: 'failed' },
        { ...echo, id: 'wrong-report', reported: { code: 1001, wasClean: true } },
        { ...echo, id: 'more-came', steps: [...echo.steps.slice(0, 1)] },
      ],
      { timeout: 100 },
    )
    const pong = 'pong of 13 bytes [48656c6c6f2c2077c3b6726c64]'
    expect(faultsAt(verdicts, 'server')).toEqual({
      'wrong-answer': `expected Close 1002, got ${pong}`,
      'no-answer': 'nothing came for 100 ms',
      'wrong-end': 'nothing came for 100 ms',
      'wrong-report': 'expected that 1001, clean is reported, got 1000, clean',
      'more-came': `expected Close 1000, got ${pong}`,
    })
    expect(faultsAt(verdicts, 'client')).toEqual(faultsAt(verdicts, 'server'))
    expect(tableOf(SECTIONS, verdicts).split('\n').at(-1)).toMatch(/^all +0 +0 +0 +0 +0 +0$/)
  })

  it('fails a compressed answer that is none, or not as agreed', async () => {
    const again = caseOf('compression/messages/takeover-used') as Case
    const [compressed, echoes] = again.steps
    const [first, second] = (echoes as { expect: ExpectedFrame[] }).expect as [ExpectedFrame, ExpectedFrame]
    const expecting = (...frames: unknown[]) => [compressed as Step, { expect: frames } as Step]
    const verdicts = await runCatalogue(
      [
        { ...again, id: 'plain', steps: expecting({ ...first, compressed: false }) },
        { ...again, id: 'smaller', steps: expecting(first, { ...second, atMost: 1 }) },
        { ...again, id: 'other-content', steps: expecting({ opcode: 1, payload: Uint8Array.of(1) }) },
        { ...again, id: 'nothing-agreed', compression: undefined } as unknown as Case,
      ],
      { timeout: 1_000 },
    )
    expect(faultsAt(verdicts, 'server')).toEqual({
      plain: expect.stringMatching(/^expected RSV1 0 on text of 4000 bytes /),
      smaller: expect.stringMatching(/^expected 1 bytes at most, got \d+$/),
      'other-content': expect.stringMatching(/^expected text of 1 bytes \[01], got text of 4000 bytes /),
      'nothing-agreed': 'a case that compresses must say what is agreed',
    })
    expect(faultsAt(verdicts, 'client')).toEqual(faultsAt(verdicts, 'server'))
  })

  it('fails a handshake whose answer is another one', async () => {
    const request = caseOf('handshake/request/right') as RequestCase
    const bad = caseOf('handshake/request/key-none') as RequestCase
    const offer = caseOf('handshake/offer/taken-plain') as RequestCase
    const verdicts = await runCatalogue(
      [
        { ...request, id: 'refused', answer: [400, 426] },
        { ...request, id: 'protocol', answer: { protocol: 'a', extensions: '' } },
        { ...bad, id: 'opened', answer: { protocol: '', extensions: '' } },
        { ...bad, id: 'other-status', answer: [426] },
        { ...offer, id: 'extension', answer: { protocol: '', extensions: '' } },
      ],
      { timeout: 1_000 },
    )
    expect(faultsAt(verdicts, 'server')).toEqual({
      refused: 'expected status 400 or 426, got HTTP/1.1 101 Switching Protocols',
      protocol: "expected sec-websocket-protocol 'a', got ''",
      opened: "expected the status line 'HTTP/1.1 101 Switching Protocols', got 'HTTP/1.1 400 Bad Request'",
      'other-status': 'expected status 426, got HTTP/1.1 400 Bad Request',
      extension: "expected extensions '', got 'permessage-deflate'",
    })
    expect(faultsAt(verdicts, 'client')).toEqual({})
  })

  it('fails a client that takes another view of an answer', async () => {
    const right = caseOf('handshake/response/right') as ResponseCase
    const wrong = caseOf('handshake/response/accept-other') as ResponseCase
    const verdicts = await runCatalogue(
      [
        { ...right, id: 'opened', verdict: 'HANDSHAKE_ACCEPT' },
        { ...right, id: 'protocol', verdict: { protocol: 'a', extensions: '' } },
        { ...right, id: 'offer', offer: 'permessage-deflate' },
        { ...wrong, id: 'other-code', verdict: 'HANDSHAKE_UPGRADE' },
        { ...wrong, id: 'refused', verdict: { protocol: '', extensions: '' } },
      ],
      { timeout: 1_000 },
    )
    expect(faultsAt(verdicts, 'client')).toEqual({
      opened: 'expected HANDSHAKE_ACCEPT, the client opened',
      protocol: "expected protocol 'a', got ''",
      offer: "expected extensions 'permessage-deflate', got ''",
      'other-code': expect.stringMatching(/^expected HANDSHAKE_UPGRADE, got HANDSHAKE_ACCEPT: /),
      refused: expect.stringMatching(/^expected that the client opens, got HANDSHAKE_ACCEPT /),
    })
    expect(faultsAt(verdicts, 'server')).toEqual({})
  })
})

/** Over TCP, and over HTTP/2 the same. */
function faultsAt(verdicts: readonly Verdict[], end: string): Record<string, string | undefined> {
  const over = (transport: string) =>
    verdicts.flatMap((verdict) =>
      verdict.end === end && verdict.over === transport ? [[verdict.test.id, verdict.fault] as const] : [],
    )
  const faults = Object.fromEntries(over('tcp'))
  for (const [id, fault] of over('http2'))
    expect(fault?.replace('byte by byte: ', ''), `${id} over HTTP/2`).toEqual(faults[id])
  return faults
}

function caseOf(wanted: string): AnyCase {
  const found = CATALOGUE.find(({ id }) => id === wanted)
  if (found === undefined) throw new Error(`the case ${wanted} is gone`)
  return found
}
