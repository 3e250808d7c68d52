// Negotiation of permessage-deflate: offers in, answers out, and the client's verdict on answers.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  acceptOffer,
  checkDeflateAnswer,
  createDeflateOffer,
  type DeflateOptions,
  deflateParameters,
  negotiateOffer,
} from '../../src/deflate/negotiate.ts'
import type { DeflateParameters } from '../../src/deflate/parameters.ts'
import { UsageError } from '../../src/errors.ts'
import { type Extension, formatExtensions, parseExtensions } from '../../src/handshake/headers.ts'

const NOTHING_AGREED: DeflateParameters = {
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
}

function parse(header: string): Extension[] {
  const extensions = parseExtensions([header])
  if (extensions === undefined) throw new Error(`malformed: ${header}`)
  return extensions
}

/** The server's answer as text, `undefined` if it declines. */
function answer(header: string, options?: DeflateOptions): string | undefined {
  const accepted = acceptOffer(parse(header), options)
  return accepted && formatExtensions([accepted.answer])
}

describe('the server', () => {
  test.each([
    ['permessage-deflate', 'permessage-deflate'],
    ['permessage-deflate; server_no_context_takeover', 'permessage-deflate; server_no_context_takeover'],
    ['permessage-deflate; client_no_context_takeover', 'permessage-deflate; client_no_context_takeover'],
    ['permessage-deflate; server_max_window_bits=10', 'permessage-deflate; server_max_window_bits=10'],
    ['permessage-deflate; server_max_window_bits="10"', 'permessage-deflate; server_max_window_bits=10'],
    ['permessage-deflate; server_max_window_bits=15', 'permessage-deflate; server_max_window_bits=15'],
    ['permessage-deflate; server_max_window_bits=8', 'permessage-deflate; server_max_window_bits=8'],
    ['permessage-deflate; client_max_window_bits', 'permessage-deflate'],
    ['permessage-deflate; client_max_window_bits=9', 'permessage-deflate; client_max_window_bits=9'],
    [
      'permessage-deflate ;client_max_window_bits ; server_no_context_takeover',
      'permessage-deflate; server_no_context_takeover',
    ],
    ['x-webkit-deflate-frame, permessage-deflate', 'permessage-deflate'],
  ])('answers %j by %j [N4, N6, N9, N12, N17]', (offer, expected) => {
    expect(answer(offer)).toBe(expected)
  })

  test.each([
    'permessage-deflate; foo',
    'permessage-deflate; foo=1',
    'permessage-deflate; __proto__',
    'permessage-deflate; constructor=1',
    'permessage-deflate; server_no_context_takeover=1',
    'permessage-deflate; client_no_context_takeover=true',
    'permessage-deflate; server_no_context_takeover; server_no_context_takeover',
    'permessage-deflate; client_max_window_bits; client_max_window_bits=10',
    'permessage-deflate; server_max_window_bits',
    'permessage-deflate; Server_no_context_takeover',
    'Permessage-Deflate',
    'permessage-bzip2',
    ...['7', '16', '08', '010', '+9', '0x9', '9.0', '1e1', '-9', '99'].map(
      (bits) => `permessage-deflate; server_max_window_bits=${bits}`,
    ),
    ...['7', '16', '08', '+9'].map((bits) => `permessage-deflate; client_max_window_bits=${bits}`),
  ])('declines %j, and does not fail [N1, N3, F7, D21]', (offer) => {
    expect(answer(offer)).toBe(undefined)
  })

  test('takes the first acceptable offer of several [F6, N13]', () => {
    expect(answer('permessage-deflate; server_max_window_bits=99, permessage-deflate; server_max_window_bits=12')).toBe(
      'permessage-deflate; server_max_window_bits=12',
    )
    expect(answer('permessage-deflate; client_max_window_bits=9, permessage-deflate')).toBe(
      'permessage-deflate; client_max_window_bits=9',
    )
  })

  test('declares what it wants unasked, but not the window of a client that did not offer it [N5, N7, N10]', () => {
    const wanted = {
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
      serverMaxWindowBits: 11,
      clientMaxWindowBits: 10,
    }
    const own = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=11'
    expect(answer('permessage-deflate', wanted)).toBe(own)
    expect(negotiateOffer({ name: 'permessage-deflate', parameters: [] }, wanted)?.parameters).toEqual({
      ...wanted,
      clientMaxWindowBits: 15,
    })
    expect(answer('permessage-deflate; client_max_window_bits', wanted)).toBe(`${own}; client_max_window_bits=10`)
    expect(answer('permessage-deflate; client_max_window_bits=9', wanted)).toBe(`${own}; client_max_window_bits=9`)
  })

  test('uses the smaller window of what is offered and what it wants [N4]', () => {
    const offer = 'permessage-deflate; server_max_window_bits=12'
    expect(answer(offer, { serverMaxWindowBits: 9 })).toBe('permessage-deflate; server_max_window_bits=9')
    expect(answer(offer, { serverMaxWindowBits: 14 })).toBe('permessage-deflate; server_max_window_bits=12')
  })

  test('declines when nothing is offered', () => {
    expect(acceptOffer([])).toBe(undefined)
  })
})

describe('the client', () => {
  test.each<[DeflateOptions | undefined, string]>([
    [undefined, 'permessage-deflate; client_max_window_bits'],
    [{ clientMaxWindowBits: 10 }, 'permessage-deflate; client_max_window_bits=10'],
    [{ serverMaxWindowBits: 9 }, 'permessage-deflate; server_max_window_bits=9; client_max_window_bits'],
    [
      { serverNoContextTakeover: true, clientNoContextTakeover: true },
      'permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits',
    ],
  ])('with %j offers %j', (options, expected) => {
    expect(formatExtensions([createDeflateOffer(options)])).toBe(expected)
  })

  test.each<[string, DeflateOptions, Partial<DeflateParameters>]>([
    ['permessage-deflate', {}, {}],
    ['permessage-deflate; server_no_context_takeover', {}, { serverNoContextTakeover: true }],
    ['permessage-deflate; client_no_context_takeover', {}, { clientNoContextTakeover: true }],
    ['permessage-deflate; server_max_window_bits=9', {}, { serverMaxWindowBits: 9 }],
    ['permessage-deflate; server_max_window_bits=9', { serverMaxWindowBits: 10 }, { serverMaxWindowBits: 9 }],
    ['permessage-deflate; client_max_window_bits=9', {}, { clientMaxWindowBits: 9 }],
    ['permessage-deflate', { clientMaxWindowBits: 10 }, { clientMaxWindowBits: 10 }],
    ['permessage-deflate', { clientNoContextTakeover: true }, { clientNoContextTakeover: true }],
    [
      'permessage-deflate; server_no_context_takeover',
      { serverNoContextTakeover: true },
      { serverNoContextTakeover: true },
    ],
  ])('takes %j to an offer of %j [N5, N8, N10, N11]', (header, options, expected) => {
    expect(checkDeflateAnswer(parse(header), options)).toEqual({ parameters: { ...NOTHING_AGREED, ...expected } })
  })

  test.each<[string, DeflateOptions, string]>([
    ['permessage-deflate; foo', {}, 'an unknown, repeated or invalid parameter: permessage-deflate; foo'],
    [
      'permessage-deflate; server_no_context_takeover=1',
      {},
      'an unknown, repeated or invalid parameter: permessage-deflate; server_no_context_takeover=1',
    ],
    [
      'permessage-deflate; client_max_window_bits',
      {},
      'client_max_window_bits needs a value: permessage-deflate; client_max_window_bits',
    ],
    [
      'permessage-deflate; client_max_window_bits=12',
      { clientMaxWindowBits: 11 },
      'client_max_window_bits must be 11 at most: permessage-deflate; client_max_window_bits=12',
    ],
    [
      'permessage-deflate; server_max_window_bits=12',
      { serverMaxWindowBits: 11 },
      'server_max_window_bits must be 11 at most: permessage-deflate; server_max_window_bits=12',
    ],
    [
      'permessage-deflate',
      { serverMaxWindowBits: 11 },
      'server_max_window_bits must be 11 at most: permessage-deflate',
    ],
    [
      'permessage-deflate',
      { serverNoContextTakeover: true },
      'server_no_context_takeover is missing: permessage-deflate',
    ],
    ['x-foo', {}, 'expected permessage-deflate and nothing else; got x-foo'],
    [
      'permessage-deflate, permessage-deflate',
      {},
      'expected permessage-deflate and nothing else; got permessage-deflate, permessage-deflate',
    ],
    ['permessage-deflate, x-foo', {}, 'expected permessage-deflate and nothing else; got permessage-deflate, x-foo'],
  ])('refuses %j to an offer of %j [N2, N7, N14, N15, C6, C7]', (header, options, fault) => {
    expect(checkDeflateAnswer(parse(header), options)).toEqual({ fault })
  })

  test('an empty list is not an answer', () => {
    expect(checkDeflateAnswer([])).toEqual({ fault: 'expected permessage-deflate and nothing else; got ' })
  })
})

test('what a server answers to a client is what that client takes, and both agree', () => {
  const flags = [true, false]
  const windows = [undefined, 8, 9, 15]
  const choices: DeflateOptions[] = flags.flatMap((serverNoContextTakeover) =>
    flags.flatMap((clientNoContextTakeover) =>
      windows.flatMap((serverMaxWindowBits) =>
        windows.map((clientMaxWindowBits) => ({
          serverNoContextTakeover,
          clientNoContextTakeover,
          serverMaxWindowBits,
          clientMaxWindowBits,
        })),
      ),
    ),
  )
  for (const client of choices) {
    for (const server of choices) {
      const offered = parse(formatExtensions([createDeflateOffer(client)]))
      const accepted = acceptOffer(offered, server)
      if (accepted === undefined) throw new Error('declined')
      const verdict = checkDeflateAnswer(parse(formatExtensions([accepted.answer])), client)
      expect(verdict).toEqual({ parameters: accepted.parameters })
    }
  }
})

describe('options', () => {
  test('none', () => {
    expect(deflateParameters()).toEqual(NOTHING_AGREED)
  })

  test.each([
    [{ serverMaxWindowBits: 7 }, 'option serverMaxWindowBits must be an integer from 8 to 15; got 7'],
    [{ clientMaxWindowBits: 16 }, 'option clientMaxWindowBits must be an integer from 8 to 15; got 16'],
    [{ clientMaxWindowBits: '9' }, 'option clientMaxWindowBits must be an integer from 8 to 15; got "9"'],
    [{ serverNoContextTakeover: 1 }, 'option serverNoContextTakeover must be a boolean; got 1'],
    [{ clientNoContextTakeover: null }, 'option clientNoContextTakeover must be a boolean; got null'],
  ])('%j', (options, message) => {
    expect(() => deflateParameters(options as DeflateOptions)).toThrow(new UsageError(message))
  })
})

describe('whatever both sides want', () => {
  const bits = fc.option(fc.integer({ min: 8, max: 15 }), { nil: undefined })
  const flag = fc.option(fc.boolean(), { nil: undefined })
  const wishes: fc.Arbitrary<DeflateOptions> = fc.record({
    serverNoContextTakeover: flag,
    clientNoContextTakeover: flag,
    serverMaxWindowBits: bits,
    clientMaxWindowBits: bits,
  })

  test('our offer is taken by our server, our client takes its answer, and both have what each asked for [N9]', () => {
    fc.assert(
      fc.property(wishes, wishes, (client, server) => {
        const header = formatExtensions([createDeflateOffer(client)])
        const accepted = acceptOffer(parse(header), server)
        const checked = checkDeflateAnswer(parse(formatExtensions([accepted?.answer as Extension])), client)
        const agreed = accepted?.parameters as DeflateParameters
        // A client may do with less than was agreed of its own side, and say nothing.
        const less = client.clientNoContextTakeover === true
        expect(checked).toEqual({
          parameters: { ...agreed, clientNoContextTakeover: less || agreed.clientNoContextTakeover },
        })
        for (const wish of [client, server]) {
          expect(agreed.serverMaxWindowBits).toBeLessThanOrEqual(wish.serverMaxWindowBits ?? 15)
          expect(agreed.clientMaxWindowBits).toBeLessThanOrEqual(wish.clientMaxWindowBits ?? 15)
          if (wish.serverNoContextTakeover === true) expect(agreed.serverNoContextTakeover).toBe(true)
          if (wish.clientNoContextTakeover === true) expect(agreed.clientNoContextTakeover).toBe(true)
        }
      }),
      { numRuns: 500 },
    )
  })

  test('an answer that widens the window or the context is refused [N2]', () => {
    fc.assert(
      fc.property(fc.integer({ min: 8, max: 14 }), fc.integer({ min: 1, max: 7 }), (bitsAsked, more) => {
        const widened = Math.min(15, bitsAsked + more)
        const answers = [`permessage-deflate; server_max_window_bits=${widened}`, 'permessage-deflate'] as const
        for (const text of answers) {
          expect(checkDeflateAnswer(parse(text), { serverMaxWindowBits: bitsAsked })).toHaveProperty('fault')
        }
        const wide = `permessage-deflate; client_max_window_bits=${widened}`
        expect(checkDeflateAnswer(parse(wide), { clientMaxWindowBits: bitsAsked })).toHaveProperty('fault')
        expect(checkDeflateAnswer(parse('permessage-deflate'), { serverNoContextTakeover: true })).toHaveProperty(
          'fault',
        )
      }),
    )
  })
})
