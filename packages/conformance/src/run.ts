// Runs cases against an end, over TCP and over HTTP/2. Rules: a case waits for events only, and its time limit matters only if it
// fails. Small cases run byte by byte (the segmentation of TCP must change nothing, §6.2), over TCP as they are besides.

import {
  type AnyCase,
  type Case,
  type End,
  endsOf,
  type Payload,
  type SentFrame,
  type Step,
  type Transport,
  transportsOf,
} from './case.ts'
import { converse } from './converse.ts'
import { answerFault, requestFault } from './handshake.ts'
import { Http2ClientTarget, Http2ServerTarget } from './http2-targets.ts'
import type { Target } from './target.ts'
import { ClientTarget, ServerTarget } from './targets.ts'
import { encode } from './wire.ts'

/** What became of a case at one end, over one transport. */
export interface Verdict {
  readonly test: AnyCase
  readonly end: End
  readonly over: Transport
  /** What was expected and what came, if it failed. */
  readonly fault: string | undefined
}

export interface RunOptions {
  /** How long a case may take, in ms. */
  readonly timeout?: number
  /** How many cases run at the same time. */
  readonly concurrency?: number
  /** What they run over, as far as they can: both by default. */
  readonly transports?: readonly Transport[]
  /** Called at once for each case that failed. */
  readonly onFault?: (verdict: Verdict) => void
}

type Judge = (test: AnyCase, chunk: number) => Promise<string | undefined>

/** An end, and what its cases run over. */
interface Place {
  readonly end: End
  readonly over: Transport
  readonly judge: Judge
}

const TIMEOUT = 20_000
const CONCURRENCY = 16
/** Cases of up to so many bytes run byte by byte, too. */
const SMALL = 400
/** Others run one at a time, so that they hold nobody up: all share one thread. */
const LARGE = 50_000

/** Runs each case at each end that it is for, over all transports that it is for. */
export async function runCatalogue(cases: readonly AnyCase[], options: RunOptions = {}): Promise<Verdict[]> {
  const { timeout = TIMEOUT, transports = ['tcp', 'http2'] } = options
  const verdicts: Verdict[] = []
  for (const over of transports) {
    const { targets, judge } = over === 'tcp' ? overTcp(timeout) : overHttp2(timeout)
    for (const target of targets) {
      const place = { end: target.end, over, judge: judge(target) }
      verdicts.push(...(await runAt(place, cases, options)))
    }
    for (const target of targets) await target.dispose()
  }
  return verdicts
}

interface Runner {
  readonly targets: readonly Target[]
  readonly judge: (target: Target) => Judge
}

function overTcp(timeout: number): Runner {
  const server = new ServerTarget()
  const client = new ClientTarget()
  const judge =
    (target: Target): Judge =>
    async (test, chunk) => {
      const pace = { chunk, timeout }
      if ('request' in test) return await requestFault(test, server, pace)
      if ('response' in test) return await answerFault(test, client, pace)
      return await converse(test, target.end, await target.open(test), pace)
    }
  return { targets: [server, client], judge }
}

function overHttp2(timeout: number): Runner {
  const judge =
    (target: Target): Judge =>
    async (test, chunk) =>
      await converse(test as Case, target.end, await target.open(test as Case), { chunk, timeout })
  return { targets: [new Http2ServerTarget(), new Http2ClientTarget()], judge }
}

async function runAt(place: Place, cases: readonly AnyCase[], options: RunOptions): Promise<Verdict[]> {
  const { end, over } = place
  const wanted = cases.filter((test) => endsOf(test).includes(end) && transportsOf(test).includes(over))
  const large = wanted.filter((test) => sizeOf(test, end) > LARGE)
  const others = wanted.filter((test) => !large.includes(test))
  return [...(await runSome(place, others, options)), ...(await runSome(place, large, { ...options, concurrency: 1 }))]
}

async function runSome(
  place: Place,
  cases: readonly AnyCase[],
  { concurrency = CONCURRENCY, onFault }: RunOptions,
): Promise<Verdict[]> {
  const { end, over } = place
  const verdicts: Verdict[] = []
  const left = [...cases]
  async function worker(): Promise<void> {
    for (let test = left.shift(); test !== undefined; test = left.shift()) {
      const verdict = { test, end, over, fault: await faultOf(test, place) }
      verdicts.push(verdict)
      if (verdict.fault !== undefined) onFault?.(verdict)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  return verdicts
}

async function faultOf(test: AnyCase, { end, over, judge }: Place): Promise<string | undefined> {
  const chunk = 'chunk' in test ? test.chunk : undefined
  const small = chunk === undefined && sizeOf(test, end) <= SMALL
  try {
    const fault = small && over === 'http2' ? undefined : await judge(test, chunk ?? Number.POSITIVE_INFINITY)
    if (fault !== undefined || !small) return fault
    const bytewise = await judge(test, 1)
    return bytewise && `byte by byte: ${bytewise}`
  } catch (error) {
    return (error as Error).message
  }
}

/** How many bytes the peer sends, before they are compressed. A head that is refused may be so before its end: it is not small. */
export function sizeOf(test: AnyCase, end: End): number {
  if ('request' in test) return 'length' in test.answer ? LARGE : test.request.length
  if ('response' in test) return typeof test.verdict === 'string' ? LARGE : test.response.length
  return test.steps.reduce((size, step) => size + stepSize(step, end), 0)
}

function stepSize(step: Step, end: End): number {
  const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0)
  const times = 'times' in step ? (step.times ?? 1) : 1
  if ('send' in step) return times * sum(step.send.map((frame) => frameSize(frame, end)))
  return 'compress' in step ? times * sum(step.compress.map(({ content }) => payloadSize(content))) : 0
}

/** Large payloads are not made for this. */
function frameSize(frame: SentFrame, end: End): number {
  const { payload } = frame
  return payload !== undefined && 'size' in payload ? payload.size : encode(frame, end).length
}

function payloadSize(payload: Payload): number {
  return 'size' in payload ? payload.size : payload.length
}
