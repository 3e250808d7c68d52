// Cases of the conformance catalogue, as single visits among thousands: conversations that are right, broken rules with the close code
// that each must get, and handshakes with the status that each must get. Left out are those that need a server with other options, and
// the large ones.

import { CATALOGUE, type Case, converse, type RequestCase, readHead, sizeOf } from '@ws/conformance'
import { pick } from '@ws/testkit'
import { dial, drop, open } from './dial.ts'
import type { Visitor } from './visitor.ts'

const LARGEST = 20_000
const PACE = { timeout: 60_000 }
/** Bytes at once; each takes a turn, and a message has to make progress. */
const CHUNKS = [Number.POSITIVE_INFINITY, 40, 7, 1]
const MOST_TURNS = 40

const CASES = CATALOGUE.filter((test): test is Case => 'steps' in test).filter(
  (test) =>
    (test.ends ?? ['server']).includes('server') &&
    test.limits === undefined &&
    test.application === undefined &&
    !test.steps.some(
      (step) => 'expect' in step && step.expect.some((frame) => 'compressed' in frame || 'atMost' in frame),
    ) &&
    sizeOf(test, 'server') <= LARGEST,
)

/** Of a head that is refused before its end, the rest may make the kernel reset the connection, and the answer is lost. */
const LARGEST_HEAD = 4_096

/** Refusals only: what is right is tried by everybody else. */
const REQUESTS = CATALOGUE.filter((test): test is RequestCase => 'request' in test).filter(
  ({ options, answer, request }) => options === undefined && 'length' in answer && request.length <= LARGEST_HEAD,
)

export const catalogueCase: Visitor = async ({ port, random }) => {
  const test = pick(random, CASES)
  const chunks = CHUNKS.filter((chunk) => sizeOf(test, 'server') / chunk <= MOST_TURNS)
  const chunk = test.chunk ?? pick(random, chunks)
  const opened = await open(port, { compression: test.compression })
  const fault = await converse(test, 'server', opened, { ...PACE, chunk })
  return { faults: fault === undefined ? [] : [`${test.id}: ${fault}`] }
}

export const badRequest: Visitor = async ({ port, random }) => {
  const { id, request, answer } = pick(random, REQUESTS)
  const socket = await dial(port)
  try {
    socket.write(request.replaceAll('{host}', `127.0.0.1:${port}`), 'latin1')
    const { first } = await readHead(socket)
    const status = Number(first.split(' ')[1])
    return { faults: (answer as readonly number[]).includes(status) ? [] : [`${id}: expected ${answer}, got ${first}`] }
  } finally {
    await drop(socket)
  }
}
