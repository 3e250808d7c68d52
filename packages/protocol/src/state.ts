// The one transition table of a connection, after the opening handshake. Rules:
// - Only `transition` yields a new state; a pair that the table does not hold is a bug of ours and throws.
// - The table is the documentation: ARCHITECTURE.md draws its diagram from it (a test compares the two).
// - `Ending` and `Failed` wait for the end of TCP only: from there on nothing that the peer sends is looked at (§7.1.7).

import { ReadyState } from './constants.ts'

/** Where a connection stands (RFC 6455 §7.1). */
export type State =
  /** Data may flow both ways. */
  | 'open'
  /** Our Close is out, the peer's is awaited. */
  | 'local-closing'
  /** The peer's Close came first, our reply is not out yet. */
  | 'remote-closing'
  /** Both Close frames have been exchanged; TCP is still to end. */
  | 'ending'
  /** We failed the connection (§7.1.7); TCP is still to end. */
  | 'failed'
  /** TCP is gone. */
  | 'closed'

/** What moves a connection from one state to the next. */
export type StateEvent = 'send-close' | 'receive-close' | 'fail' | 'transport-closed'

export const TRANSITIONS: Readonly<Record<State, Readonly<Partial<Record<StateEvent, State>>>>> = {
  open: {
    'send-close': 'local-closing',
    'receive-close': 'remote-closing',
    fail: 'failed',
    'transport-closed': 'closed',
  },
  'local-closing': { 'receive-close': 'ending', fail: 'failed', 'transport-closed': 'closed' },
  'remote-closing': { 'send-close': 'ending', fail: 'failed', 'transport-closed': 'closed' },
  ending: { 'transport-closed': 'closed' },
  failed: { 'transport-closed': 'closed' },
  closed: {},
}

/**
 * The state that follows `state` upon `event`.
 * @throws Error if the table has no such transition: that is a fault of this library, never of a peer or a caller.
 */
export function transition(state: State, event: StateEvent): State {
  const next = TRANSITIONS[state][event]
  if (next === undefined) throw new Error(`no transition from '${state}' upon '${event}'`)
  return next
}

/** Folds a state to the public `readyState`. CONNECTING lies before this table: a connection is born open. */
export function readyStateOf(state: State): 1 | 2 | 3 {
  if (state === 'open') return ReadyState.Open
  return state === 'closed' ? ReadyState.Closed : ReadyState.Closing
}
