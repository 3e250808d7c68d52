import { expect, test } from 'vitest'
import { HELP, parseCommand } from '../../src/demo/args.ts'

const DEFAULTS = { port: 12010, watch: false, seconds: 5 }

test.each([
  [[], DEFAULTS],
  [['--port', '8080'], { ...DEFAULTS, port: 8080 }],
  [['--port=0'], { ...DEFAULTS, port: 0 }],
  [['--port', '1', '--port', '65535'], { ...DEFAULTS, port: 65535 }],
  [['--seconds', '0.5'], { ...DEFAULTS, seconds: 0.5 }],
  [['--watch'], { ...DEFAULTS, watch: true, seconds: Number.POSITIVE_INFINITY }],
  [['--', '--port', '8080'], { ...DEFAULTS, port: 8080 }],
])('%j', (args, options) => {
  expect(parseCommand(args)).toEqual({ kind: 'run', options })
})

test.each([
  [['--port'], 'expected --port with a number from 0 to 65535; got nothing'],
  [['--port='], 'expected --port with a number from 0 to 65535; got nothing'],
  [['--port', 'http'], 'expected --port with a number from 0 to 65535; got http'],
  [['--port', '65536'], 'expected --port with a number from 0 to 65535; got 65536'],
  [['--port', '-1'], 'expected --port with a number from 0 to 65535; got -1'],
  [['--port', '1e3'], 'expected --port with a number from 0 to 65535; got 1e3'],
  [['--port', '--watch'], 'expected --port with a number from 0 to 65535; got --watch'],
  [['--seconds', '0'], 'expected --seconds with a number above 0, up to 3600; got 0'],
  [['--seconds', 'long'], 'expected --seconds with a number above 0, up to 3600; got long'],
  [['--seconds', '3601'], 'expected --seconds with a number above 0, up to 3600; got 3601'],
  [['--watch=yes'], 'expected --watch without a value; got yes'],
  [['--watch', '--seconds', '5'], 'expected --seconds or --watch; got both'],
  [['--prot', '1'], 'expected --port, --seconds, --watch, --help; got --prot'],
  [['-p', '1'], 'expected --port, --seconds, --watch, --help; got -p'],
  [['--toString'], 'expected --port, --seconds, --watch, --help; got --toString'],
  [['12010'], 'expected only options; got 12010'],
])('%j is wrong', (args, message) => {
  expect(parseCommand(args)).toEqual({ kind: 'wrong', message })
})

test('--help', () => {
  expect(parseCommand(['--help', '--port', '1'])).toEqual({ kind: 'help' })
  for (const name of ['--port', '--seconds', '--watch', '--help']) expect(HELP).toContain(name)
})
