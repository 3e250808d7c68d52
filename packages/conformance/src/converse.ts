// What is said on an open connection: exactly the expected frames come, in order, then the target ends as expected, and the
// application learns the expected end.

import { once } from 'node:events'
import type { Conversation, End, ExpectedFrame, Payload, Reported, Step } from './case.ts'
import { MessageDeflater } from './compressor.ts'
import { materialize } from './contents.ts'
import { Peer, type ReceivedMessage } from './peer.ts'
import type { Opened } from './target.ts'
import { encode } from './wire.ts'

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

/** How bytes are sent, and how long it may take. */
export interface Pace {
  /** So many bytes at once. */
  readonly chunk: number
  /** In ms. */
  readonly timeout: number
}

/** An open connection. Where the target is another process, nobody can ask how it ended for its application. */
type Said = Omit<Opened, 'closed'> & Partial<Pick<Opened, 'closed'>>

/** Holds a conversation to its end. @returns what was expected and what came, if it fails */
export async function converse(
  test: Conversation,
  end: End,
  { socket, head, closed }: Said,
  { chunk, timeout }: Pace,
): Promise<string | undefined> {
  const peer = new Peer(socket, end, head, test.compression)
  const timer = setTimeout(() => peer.fail(new Error(`nothing came for ${timeout} ms`)), timeout)
  const deflater = test.compression && new MessageDeflater(test.compression.peer)
  try {
    for (const step of test.steps) {
      await take(step, peer, end, chunk, deflater)
      timer.refresh()
    }
    await finish(test, peer, end)
    if (closed !== undefined) checkReport(test, await Promise.race([closed, peer.failed]))
    return undefined
  } catch (error) {
    return (error as Error).message
  } finally {
    clearTimeout(timer)
    peer.destroy()
    if (!socket.closed) await once(socket, 'close')
  }
}

async function take(
  step: Step,
  peer: Peer,
  end: End,
  chunk: number,
  deflater: MessageDeflater | undefined,
): Promise<void> {
  if ('end' in step) return peer.end()
  if ('reset' in step) return peer.reset()
  const times = step.times ?? 1
  if ('expect' in step) {
    for (let time = 0; time < times; time++) {
      for (const frame of step.expect) compare(frame, await peer.next())
    }
    return
  }
  const frames: Uint8Array[] = []
  for (let time = 0; time < times; time++) {
    for (const frame of framesOf(step, deflater)) frames.push(encode(frame, end))
  }
  await peer.write(Buffer.concat(frames), chunk)
}

function framesOf(step: Step, deflater: MessageDeflater | undefined) {
  if ('send' in step) return step.send
  if (!('compress' in step) || deflater === undefined) throw new Error('a case that compresses must say what is agreed')
  return step.compress.flatMap((message) => deflater.frames(message))
}

async function finish(test: Conversation, peer: Peer, end: End): Promise<void> {
  if (test.steps.some((step) => 'reset' in step)) return
  if (test.outcome === 'open') {
    const normal = { opcode: 8, payload: Uint8Array.of(NORMAL >> 8, NORMAL & 0xff) }
    await peer.write(encode(normal, end), Number.POSITIVE_INFINITY)
    compare({ opcode: 8, code: NORMAL }, await peer.next())
  }
  const exchanged = test.outcome === 'open' || test.outcome === 'closed'
  if (exchanged && end === 'client') {
    // The server is the first to end, and here that is the peer (§7.1.1).
    if (!(await peer.quiet())) throw new Error(`expected the client to wait, got ${show(await peer.next())}`)
    peer.end()
  }
  const received = await peer.next()
  if (received !== 'end') throw new Error(`expected the end, got ${show(received)}`)
  peer.end()
  await peer.closed()
}

function checkReport(test: Conversation, { code, wasClean }: Reported): void {
  const expected = reportOf(test)
  if (expected === undefined) return
  if (code === expected.code && wasClean === expected.wasClean) return
  const clean = (value: boolean) => (value ? 'clean' : 'unclean')
  throw new Error(
    `expected that ${expected.code}, ${clean(expected.wasClean)} is reported, got ${code}, ${clean(wasClean)}`,
  )
}

function reportOf({ reported, outcome, steps }: Conversation): Reported | undefined {
  if (reported !== undefined || outcome === 'closed') return reported
  if (outcome === 'open') return { code: NORMAL, wasClean: true }
  if (outcome === 'lost') return { code: ABNORMAL, wasClean: false }
  const close = steps.flatMap((step) => ('expect' in step ? step.expect : [])).at(-1)
  return close?.opcode === 8 && close.code !== undefined ? { code: close.code, wasClean: false } : undefined
}

function compare(expected: ExpectedFrame, received: ReceivedMessage | 'end'): void {
  if (received === 'end' || received.opcode !== expected.opcode || !sameContent(expected, received)) {
    throw new Error(`expected ${showExpected(expected)}, got ${show(received)}`)
  }
  if (expected.opcode === 1 || expected.opcode === 2) checkForm(expected, received)
}

function sameContent(expected: ExpectedFrame, { content }: ReceivedMessage): boolean {
  if (expected.opcode !== 8) return content.equals(materialize(expected.payload))
  if (expected.code === undefined || content.length < 2) return expected.code === undefined && content.length === 0
  const reason = content.subarray(2)
  return content.readUInt16BE(0) === expected.code && Buffer.from(reason.toString()).equals(reason)
}

/** Whether it came compressed or plain as it should, and small enough. */
function checkForm(
  { compressed, atMost }: { readonly payload: Payload; readonly compressed?: boolean; readonly atMost?: number },
  received: ReceivedMessage,
): void {
  if (compressed !== undefined && received.compressed !== compressed) {
    throw new Error(`expected RSV1 ${compressed ? 1 : 0} on ${show(received)}`)
  }
  const { length } = received.payload
  if (atMost !== undefined && length > atMost) throw new Error(`expected ${atMost} bytes at most, got ${length}`)
}

function showExpected(frame: ExpectedFrame): string {
  if (frame.opcode === 8) return `Close ${frame.code ?? 'without a code'}`
  return `${OPCODE_NAMES.get(frame.opcode)} ${showBytes(Buffer.from(materialize(frame.payload)))}`
}

function show(received: ReceivedMessage | 'end'): string {
  if (received === 'end') return 'the end'
  const { opcode, content } = received
  if (opcode !== 8) return `${OPCODE_NAMES.get(opcode)} ${showBytes(content)}`
  if (content.length < 2) return 'Close without a code'
  return `Close ${content.readUInt16BE(0)} '${content.toString('utf8', 2)}'`
}

function showBytes(bytes: Buffer): string {
  const dots = bytes.length > SHOWN_BYTES ? '…' : ''
  return `of ${bytes.length} bytes [${bytes.toString('hex', 0, SHOWN_BYTES)}${dots}]`
}
