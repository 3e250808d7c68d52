// Runs cases against an end. Rules: a case passes if exactly the expected frames came, in order, then TCP ended as expected,
// and the application learnt the expected end; a case waits for events only, and its time limit matters only if it fails.
// Small cases run twice: as they are, and byte by byte (the segmentation of TCP must change nothing, §6.2).

import { once } from 'node:events'
import type { Case, End, ExpectedFrame, Reported, SentFrame, Step } from './case.ts'
import { Peer } from './peer.ts'
import { ClientTarget, ServerTarget, type Target } from './targets.ts'
import { encode, materialize, type ReceivedFrame } from './wire.ts'

/** What became of a case at one end. */
export interface Verdict {
  readonly test: Case
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

const TIMEOUT = 20_000
const CONCURRENCY = 16
/** Cases of up to so many bytes run byte by byte, too. */
const SMALL = 400
const LARGE = 500_000
const NORMAL = 1000
const ABNORMAL = 1006
const OPCODE_NAMES = new Map([
  [1, 'text'],
  [2, 'binary'],
  [8, 'Close'],
  [9, 'ping'],
  [10, 'pong'],
])
const SHOWN_BYTES = 16

/** Runs each case at each end that it is for. */
export async function runCatalogue(cases: readonly Case[], options: RunOptions = {}): Promise<Verdict[]> {
  const verdicts: Verdict[] = []
  for (const target of [new ServerTarget(), new ClientTarget()]) {
    const wanted = cases.filter((test) => test.ends === undefined || test.ends.includes(target.end))
    verdicts.push(...(await runAt(target, wanted, options)))
    await target.dispose()
  }
  return verdicts
}

async function runAt(target: Target, cases: readonly Case[], options: RunOptions): Promise<Verdict[]> {
  const { concurrency = CONCURRENCY } = options
  const large = cases.filter((test) => sizeOf(test, target.end) > LARGE)
  const others = cases.filter((test) => !large.includes(test))
  return [
    ...(await runSome(target, others, options, concurrency)),
    ...(await runSome(target, large, options, 1)), // one after the other: a time limit is for one case
  ]
}

async function runSome(
  target: Target,
  cases: readonly Case[],
  { timeout = TIMEOUT, onFault }: RunOptions,
  concurrency: number,
): Promise<Verdict[]> {
  const verdicts: Verdict[] = []
  const left = [...cases]
  async function worker(): Promise<void> {
    for (let test = left.shift(); test !== undefined; test = left.shift()) {
      const verdict = { test, end: target.end, fault: await faultOf(test, target, timeout) }
      verdicts.push(verdict)
      if (verdict.fault !== undefined) onFault?.(verdict)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  return verdicts
}

async function faultOf(test: Case, target: Target, timeout: number): Promise<string | undefined> {
  const fault = await runOnce(test, target, test.chunk ?? Number.POSITIVE_INFINITY, timeout)
  if (fault !== undefined || test.chunk !== undefined || sizeOf(test, target.end) > SMALL) return fault
  const bytewise = await runOnce(test, target, 1, timeout)
  return bytewise && `byte by byte: ${bytewise}`
}

function sizeOf(test: Case, end: End): number {
  let size = 0
  for (const step of test.steps) {
    if ('send' in step) size += (step.times ?? 1) * step.send.reduce((sum, frame) => sum + sizeOfFrame(frame, end), 0)
  }
  return size
}

function sizeOfFrame(frame: SentFrame, end: End): number {
  const { payload } = frame
  return payload !== undefined && 'size' in payload ? payload.size : encode(frame, end).length
}

async function runOnce(test: Case, target: Target, chunk: number, timeout: number): Promise<string | undefined> {
  const opened = await target.open(test)
  const peer = new Peer(opened.socket, target.end, opened.head)
  const timer = setTimeout(() => peer.fail(new Error(`nothing came for ${timeout} ms`)), timeout)
  try {
    for (const step of test.steps) await take(step, peer, target.end, chunk)
    await finish(test, peer, target.end)
    checkReport(test, await Promise.race([opened.closed, peer.failed]))
    return undefined
  } catch (error) {
    return (error as Error).message
  } finally {
    clearTimeout(timer)
    peer.destroy()
    if (!opened.socket.closed) await once(opened.socket, 'close')
  }
}

async function take(step: Step, peer: Peer, end: End, chunk: number): Promise<void> {
  if ('end' in step) return peer.end()
  const times = step.times ?? 1
  if ('send' in step) {
    const frames: Uint8Array[] = []
    for (let time = 0; time < times; time++) frames.push(...step.send.map((frame) => encode(frame, end)))
    return await peer.write(Buffer.concat(frames), chunk)
  }
  for (let time = 0; time < times; time++) {
    for (const frame of step.expect) compare(frame, await peer.next())
  }
}

async function finish(test: Case, peer: Peer, end: End): Promise<void> {
  if (test.outcome === 'open') {
    const normal = { opcode: 8, payload: Uint8Array.of(NORMAL >> 8, NORMAL & 0xff) }
    await peer.write(encode(normal, end), Number.POSITIVE_INFINITY)
    compare({ opcode: 8, code: NORMAL }, await peer.next())
  }
  const exchanged = test.outcome === 'open' || test.outcome === 'closed'
  if (exchanged && end === 'client') {
    // The server is the first to end TCP, and here that is the peer (§7.1.1).
    if (!(await peer.quiet())) throw new Error(`expected the client to wait, got ${show(await peer.next())}`)
    peer.end()
  }
  const received = await peer.next()
  if (received !== 'end') throw new Error(`expected the end of TCP, got ${show(received)}`)
  peer.end()
}

function checkReport(test: Case, { code, wasClean }: Reported): void {
  const expected = reportOf(test)
  if (expected === undefined) return
  if (code === expected.code && wasClean === expected.wasClean) return
  const clean = (value: boolean) => (value ? 'clean' : 'unclean')
  throw new Error(
    `expected that ${expected.code}, ${clean(expected.wasClean)} is reported, got ${code}, ${clean(wasClean)}`,
  )
}

function reportOf({ reported, outcome, steps }: Case): Reported | undefined {
  if (reported !== undefined || outcome === 'closed') return reported
  if (outcome === 'open') return { code: NORMAL, wasClean: true }
  if (outcome === 'lost') return { code: ABNORMAL, wasClean: false }
  const close = steps.flatMap((step) => ('expect' in step ? step.expect : [])).at(-1)
  return close?.opcode === 8 && close.code !== undefined ? { code: close.code, wasClean: false } : undefined
}

function compare(expected: ExpectedFrame, received: ReceivedFrame | 'end'): void {
  if (received === 'end' || received.opcode !== expected.opcode || !sameContent(expected, received)) {
    throw new Error(`expected ${showExpected(expected)}, got ${show(received)}`)
  }
}

function sameContent(expected: ExpectedFrame, { payload }: ReceivedFrame): boolean {
  if (expected.opcode !== 8) return payload.equals(materialize(expected.payload))
  if (expected.code === undefined || payload.length < 2) return expected.code === undefined && payload.length === 0
  const reason = payload.subarray(2)
  return payload.readUInt16BE(0) === expected.code && Buffer.from(reason.toString()).equals(reason)
}

function showExpected(frame: ExpectedFrame): string {
  if (frame.opcode === 8) return `Close ${frame.code ?? 'without a code'}`
  return `${OPCODE_NAMES.get(frame.opcode)} ${showBytes(Buffer.from(materialize(frame.payload)))}`
}

function show(received: ReceivedFrame | 'end'): string {
  if (received === 'end') return 'the end of TCP'
  const { opcode, payload } = received
  if (opcode !== 8) return `${OPCODE_NAMES.get(opcode)} ${showBytes(payload)}`
  if (payload.length < 2) return 'Close without a code'
  return `Close ${payload.readUInt16BE(0)} '${payload.toString('utf8', 2)}'`
}

function showBytes(bytes: Buffer): string {
  const dots = bytes.length > SHOWN_BYTES ? '…' : ''
  return `of ${bytes.length} bytes [${bytes.toString('hex', 0, SHOWN_BYTES)}${dots}]`
}
