// permessage-deflate with every window and takeover, between our ends and those of others. Rules: one end asks (the client in
// its offer, or the server in its answer), the other has its defaults; what was asked must be in the answer as our end sees it,
// and messages whose repetitions lie near and far must come back.

import { CloseCode } from '@ws/protocol'
import { connectOnce, type Meeting } from './judge.ts'
import { type ClientName, product, reduce, type ServerName } from './matrix.ts'
import type { Deflate, Step } from './plan.ts'
import type { World } from './world.ts'

/** Who talks to whom, and which end asks. */
export interface Talk {
  readonly client: Extract<ClientName, 'connect' | 'ws' | 'python'>
  readonly server: Exclude<ServerName, 'ours behind nginx'>
  readonly asker: 'client' | 'server'
}

/** What an end asks for. */
export interface Variant {
  readonly serverNoContextTakeover: boolean
  readonly clientNoContextTakeover: boolean
  readonly serverMaxWindowBits: number
  readonly clientMaxWindowBits: number
}

/** One of the two ends is ours. */
export const TALKS: readonly Talk[] = [
  ...product({ client: ['connect'], server: ['ws', 'python'], asker: ['client', 'server'] } as const),
  ...product({ client: ['ws', 'python'], server: ['ours'], asker: ['client', 'server'] } as const),
]

const LARGEST_WINDOW_BITS = 15
/** zlib has no smaller window than 2^9 for these peers. */
const ALL_WINDOWS = [9, 10, 11, 12, 13, 14, LARGEST_WINDOW_BITS]
const SOME_WINDOWS = [9, LARGEST_WINDOW_BITS]

/** Options in which every two values meet; with all windows, or with the smallest and the largest. */
export function variants(all: boolean): Variant[] {
  const windows = all ? ALL_WINDOWS : SOME_WINDOWS
  const flags = [false, true]
  return reduce(
    product({
      serverNoContextTakeover: flags,
      clientNoContextTakeover: flags,
      serverMaxWindowBits: windows,
      clientMaxWindowBits: windows,
    }),
  )
}

const NUMBERS = Array.from({ length: 1_500 }, (_, index) => (index * index * 7919) % 10_007).join(' ')
const MESSAGES = [
  { type: 'text', unit: NUMBERS, times: 6 },
  { type: 'text', unit: NUMBERS.slice(0, 300), times: 20 },
  { type: 'binary', length: 40_000 },
  { type: 'text', unit: NUMBERS, times: 1 },
] as const
const STEPS: readonly Step[] = [
  ...MESSAGES.flatMap((payload): Step[] => [
    { do: 'send', payload },
    { do: 'receive', payload },
  ]),
  { do: 'close', code: CloseCode.Normal },
]

/** Runs the variants one after the other; yields what was expected and what came, for those that failed. */
export async function faultsOfTalk(world: World, talk: Talk, asked: readonly Variant[]): Promise<string[]> {
  const faults: string[] = []
  for (const variant of asked) {
    try {
      await converse(world, talk, variant)
    } catch (error) {
      faults.push(`${JSON.stringify(variant)}: ${(error as Error).message}`)
    }
  }
  return faults
}

async function converse(world: World, talk: Talk, variant: Variant): Promise<void> {
  const ofClient: Deflate = talk.asker === 'client' ? variant : true
  const listener = await world.listen(talk.server, talk.asker === 'server' ? variant : true)
  try {
    const [client, server] = await Promise.all([world.client(talk.client), world.server(talk.server)])
    const origin = `ws://127.0.0.1:${listener.port}`
    const meeting: Meeting = { client, server, listener, origin, deflate: ofClient, compressed: true }
    const { outcome, report } = await connectOnce({ path: '/echo', steps: STEPS }, meeting)
    checkAnswer(talk, variant, (talk.server === 'ours' ? report : outcome).extensions)
  } finally {
    await listener.close()
  }
}

/** What a client says of its own messages is a hint, and need not be answered (RFC 7692 §7.1.1.2, §7.1.2.2). */
function checkAnswer({ asker }: Talk, variant: Variant, answer: string): void {
  const sides = asker === 'server' ? (['server', 'client'] as const) : (['server'] as const)
  for (const side of sides) {
    const takeover = !answer.includes(`${side}_no_context_takeover`)
    const wanted = variant[`${side}MaxWindowBits`]
    if (takeover && variant[`${side}NoContextTakeover`]) throw new Error(`no ${side}_no_context_takeover in ${answer}`)
    if (windowIn(answer, side) > wanted) throw new Error(`expected a ${side} window of ${wanted} at most in ${answer}`)
  }
}

function windowIn(answer: string, side: 'client' | 'server'): number {
  const [, bits = LARGEST_WINDOW_BITS] = answer.match(new RegExp(`${side}_max_window_bits=(\\d+)`)) ?? []
  return Number(bits)
}
