import { describe, expect, test } from 'vitest'
import { parseCommand } from '../src/args.ts'

describe('a wrong argument says what was expected and what came', () => {
  test.each([
    [['--rounds', '0'], 'expected --rounds with a whole number above 0, up to 100; got 0'],
    [['--rounds', '1.5'], 'expected --rounds with a whole number above 0, up to 100; got 1.5'],
    [['--seconds', 'x'], 'expected --seconds with a number above 0, up to 60; got x'],
    [['--seconds', '61'], 'expected --seconds with a number above 0, up to 60; got 61'],
    [['--rounds'], 'expected --rounds with a value; got none'],
    [['--quick=1'], 'expected --quick without a value; got 1'],
    [['--row', '('], 'expected --row with a regular expression; got ('],
    [['--only', 'ours,nobody'], 'expected --only with some of ours,ws,uws,undici,net,window; got nobody'],
    [['--only', 'ours,'], 'expected --only with some of ours,ws,uws,undici,net,window; got nothing'],
    [['--update', '--row', 'echo'], 'expected --update without --row; got both'],
    [['--update', '--quick'], 'expected --update without --quick; got both'],
    [['--compare', 'HEAD', '--only', 'ws'], 'expected --compare without --only; got both'],
    [['--from', 'a.json', '--rounds', '2'], 'expected --from without --rounds; got both'],
    [['echo'], 'expected only options; got echo'],
  ])('%j', (args, message) => {
    expect(parseCommand(args)).toEqual({ kind: 'wrong', message })
  })

  test('an unknown option gets the list of those there are', () => {
    expect(parseCommand(['--fast'])).toEqual({
      kind: 'wrong',
      message:
        'expected one of --rounds, --seconds, --row, --only, --compare, --from, --json, --svg, --update, --quick, --list, --help; got --fast',
    })
  })
})

test('without arguments everything is measured, five rounds of a second', () => {
  const expected = { rounds: 5, seconds: 1, only: ['ours', 'ws', 'uws', 'undici', 'net'], update: false }
  expect(parseCommand([])).toMatchObject({ kind: 'run', options: expected })
  expect(parseCommand(['--'])).toMatchObject({ kind: 'run', options: expected })
})

test('--quick is one short round, unless told otherwise', () => {
  expect(parseCommand(['--quick'])).toMatchObject({ options: { rounds: 1, seconds: 0.2 } })
  expect(parseCommand(['--quick', '--rounds', '3'])).toMatchObject({ options: { rounds: 3, seconds: 0.2 } })
})

test('--list and --help end before anything is measured', () => {
  expect(parseCommand(['--list', '--row', '^codec'])).toMatchObject({ kind: 'list', row: /^codec/i })
  expect(parseCommand(['--help', '--rounds', 'x'])).toEqual({ kind: 'help' })
})
