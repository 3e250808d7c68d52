// How the program ends: one exit code for each kind of end, told by the code of an error or by the close code. docs/cli.md
// has the table; a test compares the two.

import type { CloseInfo, WebSocketError } from '@ws/client'

/** The exit codes. Signals end a program with 128 and their number, as in a shell. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notConnected: 3,
  refused: 4,
  lost: 5,
  closedWithError: 6,
  interrupted: 130,
  terminated: 143,
} as const

/** One of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** What ends the program with a message, and without a stack. */
export class Failure extends Error {
  readonly exitCode: ExitCode

  constructor(message: string, exitCode: ExitCode = EXIT.failed) {
    super(message)
    this.exitCode = exitCode
  }
}

/** No connection came to be, and nobody has refused one. */
const NOT_CONNECTED: readonly string[] = ['CONNECT_FAILED', 'TLS_FAILED', 'HANDSHAKE_TIMEOUT', 'HANDSHAKE_ABORTED']

/** The exit code for an error of the packages, or of this program. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof Failure) return error.exitCode
  const { code = '', name } = error as Partial<WebSocketError>
  if (code === 'USAGE' || (error instanceof DOMException && name === 'SyntaxError')) return EXIT.usage
  if (NOT_CONNECTED.includes(code)) return EXIT.notConnected
  return code.startsWith?.('HANDSHAKE_') ? EXIT.refused : EXIT.failed
}

/** Normal, Going Away (a server that stops, a page that is left), and a Close without a code (RFC 6455 §7.4.1). */
const GOOD: readonly number[] = [1000, 1001, 1005]

/** The exit code for the end of a connection. */
export function exitCodeOfClose({ code, wasClean }: Pick<CloseInfo, 'code' | 'wasClean'>): ExitCode {
  if (!wasClean) return EXIT.lost
  return GOOD.includes(code) ? EXIT.ok : EXIT.closedWithError
}
