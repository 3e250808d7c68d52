// Help, version, completion.

import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { PROGRAM } from './support/bundle.ts'
import { filesWith } from './support/folder.ts'
import { run } from './support/program.ts'

const COMMANDS = ['connect', 'listen', 'bench', 'completion']

test.each([['--version'], ['-V']])('%s', async (option) => {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8'))
  expect(await run([option])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
})

test('help: on the standard output if it was asked for, on the other if something is missing', async () => {
  const asked = await run(['--help'])
  expect([asked.code, asked.stderr]).toEqual([0, ''])
  for (const command of COMMANDS) expect(asked.stdout).toMatch(new RegExp(`^  ${command} .+`, 'm'))
  expect(asked.stdout).toContain('Exit codes:')
  expect(await run([])).toEqual({ code: 2, stdout: '', stderr: asked.stdout })
})

test.each(COMMANDS)('help of %s: by option and by command', async (command) => {
  const { code, stdout } = await run([command, '--help'])
  expect(code).toBe(0)
  expect(stdout).toMatch(new RegExp(`^Usage: ws-cli ${command} `))
  expect(stdout).toContain('--no-color')
  expect(await run(['help', command])).toMatchObject({ code: 0, stdout })
})

describe('completion', () => {
  /** A shell finds the program by its name. */
  function environment() {
    const { 'ws-cli': program } = filesWith({ 'ws-cli': `#!/bin/sh\nexec '${process.execPath}' '${PROGRAM}' "$@"\n` })
    chmodSync(program, 0o755)
    return { PATH: `${dirname(program)}:${process.env.PATH}`, HOME: dirname(program) }
  }

  function inBash(...words: string[]): string[] {
    const script = `source <(ws-cli completion bash)
      COMP_WORDS=(ws-cli ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}
      _ws_cli; printf '%s\\n' "\${COMPREPLY[@]}"`
    const text = execFileSync('bash', ['-c', script], { env: environment(), encoding: 'utf8' })
    return text.split('\n').filter((line) => line !== '')
  }

  test('bash: commands, their options and nobody else’s, values that are known', () => {
    expect(inBash('')).toEqual(expect.arrayContaining([...COMMANDS, '--version', '--help']))
    expect(inBash('con')).toEqual(['connect'])
    expect(inBash('connect', '--re')).toEqual(['--reconnect'])
    expect(inBash('listen', '--re')).toEqual([])
    expect(inBash('connect', 'ws://a', '--no')).toEqual(['--no-color'])
    expect(inBash('completion', '')).toEqual(expect.arrayContaining(['bash', 'zsh', 'fish']))
    expect(inBash('connect', '--ca', '')).toEqual([]) // bash completes files then
  })

  const has = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0

  test.skipIf(!has('zsh') && !process.env.CI)('zsh', () => {
    // What `_describe` would be given.
    const script = `compdef() { :; }; _files() { print files; }; _describe() { print -l -- \${(P)2}; }
      source <(ws-cli completion zsh)
      words=(ws-cli listen --); CURRENT=3; _ws_cli; words=(ws-cli connect --ca ''); CURRENT=4; _ws_cli`
    const lines = execFileSync('zsh', ['-fc', script], { env: environment(), encoding: 'utf8' }).split('\n')
    expect(lines).toContain('--echo:send each message back')
    expect(lines.slice(-2)).toEqual(['files', ''])
  })

  test.skipIf(!has('fish') && !process.env.CI)('fish', () => {
    const script = "ws-cli completion fish | source; complete -C 'ws-cli listen --ec'; complete -C 'ws-cli ben'"
    const text = execFileSync('fish', ['-N', '-c', script], { env: environment(), encoding: 'utf8' })
    expect(text).toBe(
      '--echo\tsend each message back\nbench\tmeasure an echo server: messages a second, and round trips\n',
    )
  })

  test('another shell', async () => {
    const { code, stderr } = await run(['completion', 'tcsh'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/'tcsh' is invalid for argument 'shell'\. Allowed choices are bash, zsh, fish\./)
  })
})
