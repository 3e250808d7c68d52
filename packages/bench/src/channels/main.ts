// What channels of `node:diagnostics_channel` cost that nobody subscribes to. In one process copies of the library take turns, a slice
// of milliseconds each, so that all meet the same machine: it as it is, it once more, and it without a look at any channel. What
// the second kind differs by is what the figure is worth. Rule: several copies of each kind, since the same code compiled twice
// differs by more than what is looked for.

import { Buffer } from 'node:buffer'
import type { ChannelCost } from '../job.ts'
import { run } from '../process/program.ts'
import { median } from '../stats.ts'

type Library = typeof import('./copy.ts')

/** One copy that works, and the time of each of its slices, in ms. */
interface Copy {
  readonly kind: Kind
  readonly slice: () => Promise<number>
  times: number[]
}

/** Kinds of copies, and the file of each; see stage.ts. */
const FILES = { whole: 'whole.js', again: 'whole.js', without: 'without.js' }
type Kind = keyof typeof FILES
const KINDS = Object.keys(FILES) as Kind[]
const COPIES_OF_A_KIND = 10

/** Round trips of a slice, so many of them at once. */
const SLICE = 2_000
const IN_FLIGHT = 100
const MESSAGE: Buffer = Buffer.alloc(64, 'x')

await run(async () => {
  const copies: Copy[] = []
  for (let number = 0; number < COPIES_OF_A_KIND; number++) {
    for (const kind of KINDS) copies.push({ kind, slice: sliceOf(await load(kind, number)), times: [] })
  }
  const measure = async (seconds: number): Promise<ChannelCost> => {
    await takeTurns(copies, seconds / 2)
    for (const copy of copies) copy.times = []
    await takeTurns(copies, seconds)
    const time = timeOf(copies, 'whole')
    return { channelCost: time / timeOf(copies, 'without'), channelCostAgain: time / timeOf(copies, 'again') }
  }
  return { commands: { measure } }
})

/** Every number is a module of its own. Found by name at run time: the bundler would make one program of them. */
async function load(kind: Kind, number: number): Promise<Library> {
  return import(new URL(`${FILES[kind]}?${kind}-${number}`, import.meta.url).href)
}

/** Lets all take turns for so long, and once at least. Who begins changes. */
async function takeTurns(copies: readonly Copy[], seconds: number): Promise<void> {
  const until = performance.now() + seconds * 1000
  for (let first = 0; first === 0 || performance.now() < until; first++) {
    for (let turn = 0; turn < copies.length; turn++) {
      const copy = copies[(first + turn) % copies.length] as Copy
      copy.times.push(await copy.slice())
    }
  }
}

/** What a slice of this kind takes: of each copy in the middle, of all on average. */
function timeOf(copies: readonly Copy[], kind: Kind): number {
  const middles = copies.filter((copy) => copy.kind === kind).map(({ times }) => median(times))
  return middles.reduce((sum, time) => sum + time, 0) / middles.length
}

/** Makes what sends messages to and fro between two connections of a copy, and tells how long it took, in ms. */
function sliceOf({ connectPair }: Library): () => Promise<number> {
  let left = 0
  let done = (): void => {}
  const { client } = connectPair({
    client: {
      handlers: {
        message: (socket, data) => {
          left--
          if (left >= IN_FLIGHT) socket.send(data)
          else if (left === 0) done()
        },
      },
    },
    server: { handlers: { message: (socket, data) => void socket.send(data) } },
  })
  return async () => {
    const start = performance.now()
    left = SLICE
    const answered = new Promise<void>((resolve) => {
      done = resolve
    })
    for (let sent = 0; sent < IN_FLIGHT; sent++) client.send(MESSAGE)
    await answered
    return performance.now() - start
  }
}
