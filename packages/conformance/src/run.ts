// Runs cases against an end. Rules: a case waits for events only, and its time limit matters only if it fails. Small cases
// run twice: as they are, and byte by byte (the segmentation of TCP must change nothing, §6.2).

import { type AnyCase, type End, endsOf, type Payload, type SentFrame, type Step } from './case.ts'
import { converse } from './converse.ts'
import { answerFault, requestFault } from './handshake.ts'
import { ClientTarget, ServerTarget, type Target } from './targets.ts'
import { encode } from './wire.ts'

/** What became of a case at one end. */
export interface Verdict {
  readonly test: AnyCase
  readonly end: End
  /** What was expected and what came, if it failed. */
  readonly fault: string | undefined
}

export interface RunOptions {
  /** How long a case may take, in ms. */
  readonly timeout?: number
  /** How many cases run at the same time. */
  readonly concurrency?: number
  /** Called at once for each case that failed. */
  readonly onFault?: (verdict: Verdict) => void
}

type Judge = (test: AnyCase, chunk: number) => Promise<string | undefined>

const TIMEOUT = 20_000
const CONCURRENCY = 16
/** Cases of up to so many bytes run byte by byte, too. */
const SMALL = 400
/** Others run one at a time, so that they hold nobody up: all share one thread. */
const LARGE = 50_000

/** Runs each case at each end that it is for. */
export async function runCatalogue(cases: readonly AnyCase[], options: RunOptions = {}): Promise<Verdict[]> {
  const { timeout = TIMEOUT } = options
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
  const verdicts = [
    ...(await runAt('server', cases, options, judge(server))),
    ...(await runAt('client', cases, options, judge(client))),
  ]
  await server.dispose()
  await client.dispose()
  return verdicts
}

async function runAt(end: End, cases: readonly AnyCase[], options: RunOptions, judge: Judge): Promise<Verdict[]> {
  const wanted = cases.filter((test) => endsOf(test).includes(end))
  const large = wanted.filter((test) => sizeOf(test, end) > LARGE)
  const others = wanted.filter((test) => !large.includes(test))
  return [
    ...(await runSome(end, others, options, judge)),
    ...(await runSome(end, large, { ...options, concurrency: 1 }, judge)),
  ]
}

async function runSome(
  end: End,
  cases: readonly AnyCase[],
  { concurrency = CONCURRENCY, onFault }: RunOptions,
  judge: Judge,
): Promise<Verdict[]> {
  const verdicts: Verdict[] = []
  const left = [...cases]
  async function worker(): Promise<void> {
    for (let test = left.shift(); test !== undefined; test = left.shift()) {
      const verdict = { test, end, fault: await faultOf(test, end, judge) }
      verdicts.push(verdict)
      if (verdict.fault !== undefined) onFault?.(verdict)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  return verdicts
}

async function faultOf(test: AnyCase, end: End, judge: Judge): Promise<string | undefined> {
  const chunk = 'chunk' in test ? test.chunk : undefined
  try {
    const fault = await judge(test, chunk ?? Number.POSITIVE_INFINITY)
    if (fault !== undefined || chunk !== undefined || sizeOf(test, end) > SMALL) return fault
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
