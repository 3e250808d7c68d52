// The books of a guest: what is due, and each way in which it may not come.

import { describe, expect, test } from 'vitest'
import { Ledger } from '../src/ledger.ts'
import { stamp } from '../src/messages.ts'

/** A guest that has asked twice and was welcomed with news 7 due. */
function begun() {
  const ledger = new Ledger()
  const asked = [ledger.ask('one'), ledger.ask(Buffer.from([0, 255, 10]))] as const
  ledger.take(stamp('hello', 7, ''))
  return { ledger, asked }
}

const news = (number: number) => stamp('news', number, 'extra')
const bye = (due: number, answered: number) => stamp('bye', due, String(answered))

test('all that was promised: no fault, and each promise is counted', async () => {
  const { ledger, asked } = begun()
  for (const message of [asked[0], news(7), asked[1], news(8), bye(9, 2)]) ledger.take(message)
  await ledger.settled
  ledger.end('1000')
  expect([ledger.faults, ledger.kept]).toEqual([[], 4])
})

describe('a fault', () => {
  type Case = [name: string, messages: (asked: readonly (string | Buffer)[]) => (string | Buffer)[], faults: string[]]
  const CASES: Case[] = [
    ['a reply is lost', ([, b]) => [b as Buffer], ['expected ask 0, got ask 1']],
    ['a reply comes twice', ([a]) => [a as string, a as string], ['expected ask 1, got ask 0']],
    [
      'replies change places',
      ([a, b]) => [b as Buffer, a as string],
      ['expected ask 0, got ask 1', 'expected ask 2, got ask 0'],
    ],
    ['a reply is cut', ([a, b]) => [a as string, b?.slice(0, -1) as Buffer], ['ask 1 is changed']],
    ['news are lost', () => [news(8)], ['expected news 7, got news 8']],
    [
      'the last news are lost',
      ([a, b]) => [a as string, b as Buffer, bye(8, 2)],
      ['expected news up to 8 before bye, got it up to 7'],
    ],
    ['the last reply is lost', ([a]) => [a as string, bye(7, 2)], ['expected 2 replies before bye, got 1']],
    [
      'a message did not reach the server',
      ([a, b]) => [a as string, b as Buffer, bye(7, 1)],
      ['the server got 1 messages of 2'],
    ],
    ['bye comes twice', ([a, b]) => [a as string, b as Buffer, bye(7, 2), bye(7, 2)], ['bye came again']],
    ['hello comes twice', () => [stamp('hello', 7, '')], ['hello came again']],
    ['something else comes', () => ['who are you?'], ['a message that nobody sent, of 12']],
  ]
  test.each(CASES)('%s', (_, messages, faults) => {
    const { ledger, asked } = begun()
    for (const message of messages(asked)) ledger.take(message)
    expect(ledger.faults).toEqual(faults)
  })

  test('the connection ends before bye', async () => {
    const { ledger } = begun()
    ledger.end('1006')
    await ledger.settled
    expect(ledger.faults).toEqual(['lost its connection with 2 replies due: 1006'])
  })

  test('something comes before hello', () => {
    const ledger = new Ledger()
    ledger.take(ledger.ask('one'))
    expect(ledger.faults).toEqual(['expected hello, got ask 0'])
  })
})
