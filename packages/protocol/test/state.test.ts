import { describe, expect, test } from 'vitest'
import { readyStateOf, type State, type StateEvent, TRANSITIONS, transition } from '../src/state.ts'

const EVENTS: StateEvent[] = ['send-close', 'receive-close', 'fail', 'transport-closed']

/** One row a state; `—` stands for "cannot happen". Columns as in EVENTS. */
const TABLE: Record<State, [string, string, string, string]> = {
  open: ['local-closing', 'remote-closing', 'failed', 'closed'],
  'local-closing': ['—', 'ending', 'failed', 'closed'],
  'remote-closing': ['ending', '—', 'failed', 'closed'],
  ending: ['—', '—', '—', 'closed'],
  failed: ['—', '—', '—', 'closed'],
  closed: ['—', '—', '—', '—'],
}
const STATES = Object.keys(TABLE) as State[]
const PAIRS = STATES.flatMap((state) =>
  EVENTS.map((event, column) => [state, event, TABLE[state][column] ?? ''] as const),
)

describe('transition', () => {
  test.each(PAIRS.filter(([, , next]) => next !== '—'))('from %s upon %s to %s', (state, event, next) => {
    expect(transition(state, event)).toBe(next)
  })

  test.each(PAIRS.filter(([, , next]) => next === '—'))('from %s upon %s there is none', (state, event) => {
    expect(() => transition(state, event)).toThrow(new Error(`no transition from '${state}' upon '${event}'`))
  })

  test('the table holds nothing else', () => {
    expect(Object.keys(TRANSITIONS)).toEqual(STATES)
    const entries = Object.values(TRANSITIONS).flatMap((row) => Object.keys(row))
    expect(entries.length).toBe(PAIRS.filter(([, , next]) => next !== '—').length)
  })

  test('no state is left for an earlier one, so every connection ends', () => {
    for (const [state, event, next] of PAIRS) {
      if (next !== '—') expect([event, STATES.indexOf(next as State) > STATES.indexOf(state)]).toEqual([event, true])
    }
  })
})

describe('readyStateOf', () => {
  test.each<[State, number]>([
    ['open', 1],
    ['local-closing', 2],
    ['remote-closing', 2],
    ['ending', 2],
    ['failed', 2],
    ['closed', 3],
  ])('%s is %i', (state, ready) => {
    expect(readyStateOf(state)).toBe(ready)
  })
})
