// `pnpm fuzz`: every target in turn, until the time is up. Options: --minutes N or --seconds N (60 s by default), --seed N
// (otherwise by the clock), --target NAME, --input HEX to judge one input. Exits 1 upon a failure, and says how to repeat it.

import { parseArgs } from 'node:util'
import { toHex } from '../support/bytes.ts'
import { type Failure, Fuzzer, faultOf, minimise } from './engine.ts'
import type { Target } from './target.ts'
import { TARGETS } from './targets.ts'

function number(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (text === '' || !Number.isFinite(value) || value < 0) throw new Error(`--${name}: expected a number; got ${text}`)
  return value
}

function chosen(name: string | undefined): readonly Target[] {
  const targets = name === undefined ? TARGETS : TARGETS.filter((target) => target.name === name)
  if (targets.length > 0) return targets
  throw new Error(`--target: expected one of ${TARGETS.map((target) => target.name).join(', ')}; got ${name}`)
}

/** Says what failed and how to see it again. */
function tell({ target, input, shown, message }: Failure): void {
  console.log(`FAILED ${target}: ${message.slice(0, 2000)}`)
  console.log(`  input: ${shown}`)
  console.log(`  again: npx -y pnpm@12 fuzz --target ${target} --input ${toHex(input) || "''"}`)
}

function judgeOne(target: Target, text: string): boolean {
  const input = Uint8Array.from(Buffer.from(text, 'hex'))
  const message = faultOf(target, input)
  if (message === undefined) {
    console.log(`${target.name}: ${target.judge(input)}`)
    return true
  }
  const least = minimise(input, (shorter) => faultOf(target, shorter, 1000) !== undefined)
  tell({ target: target.name, input: least, shown: target.show(least), message })
  return false
}

function fuzz(targets: readonly Target[], seconds: number, seed: number): boolean {
  console.log(`${targets.length} targets for ${seconds} s, seed ${seed}`)
  const fuzzers = targets.map((target, index) => ({ target, fuzzer: new Fuzzer(target, seed + index), spent: 0 }))
  const begin = performance.now()
  for (let now = begin; now < begin + 1000 * seconds; ) {
    // Short turns, so that every target has its share of the time however the run ends.
    const turn = fuzzers.reduce((least, other) => (other.spent < least.spent ? other : least))
    const held = turn.fuzzer.batch()
    turn.spent -= now
    now = performance.now()
    turn.spent += now
    if (!held) break
  }
  const spent = (performance.now() - begin) / 1000
  for (const { target, fuzzer } of fuzzers) {
    console.log(`${target.name.padEnd(22)} ${fuzzer.runs} inputs, ${fuzzer.verdicts.size} verdicts`)
    if (fuzzer.failure !== undefined) tell(fuzzer.failure)
  }
  const runs = fuzzers.reduce((sum, { fuzzer }) => sum + fuzzer.runs, 0)
  const failed = fuzzers.some(({ fuzzer }) => fuzzer.failure !== undefined)
  console.log(
    `${runs} inputs in ${spent.toFixed(1)} s, ${Math.round(runs / spent)} a second: ${failed ? 'FAILED' : 'ok'}`,
  )
  return !failed
}

function main(): boolean {
  const string = { type: 'string' } as const
  const options = { minutes: string, seconds: string, seed: string, target: string, input: string }
  const { values } = parseArgs({ options })
  const targets = chosen(values.target)
  if (values.input !== undefined) return targets.every((target) => judgeOne(target, values.input ?? ''))
  const seconds = 60 * (number('minutes', values.minutes) ?? 0) + (number('seconds', values.seconds) ?? 0)
  const given = values.minutes !== undefined || values.seconds !== undefined
  return fuzz(targets, given ? seconds : 60, number('seed', values.seed) ?? Date.now() % 2 ** 31)
}

process.exitCode = main() ? 0 : 1
