// Runs checks over one pair and says what was wrong. Rules: on every connection both ends must also agree on the subprotocol,
// and on compression that is there exactly if it was wanted; the time limit matters only if a check fails.

import { type Check, CONTRACT } from './contract.ts'
import type { ClientPeer, Deflate, Listener, Outcome, Report, ServerPeer } from './plan.ts'

/** A client and what it talks to. */
export interface Meeting {
  readonly client: ClientPeer
  readonly server: Pick<ServerPeer, 'can'>
  readonly listener: Pick<Listener, 'ended'>
  /** Scheme, host and port. */
  readonly origin: string
  /** What the client is to offer. */
  readonly deflate: Deflate
  /** Whether it must come about. */
  readonly compressed: boolean
}

/** What became of a pair. */
export interface Verdict {
  readonly checks: number
  readonly faults: readonly string[]
}

const TIMEOUT = 25_000
/** How much less there is of what compresses well. */
const COMPRESSED = 10
const PERMESSAGE_DEFLATE = 'permessage-deflate'
let lastId = 0

/** Runs all checks that the pair is capable of, one after the other: browsers hold back who opens many connections at once. */
export async function meet(meeting: Meeting): Promise<Verdict> {
  const checks = CONTRACT.filter((check) => isCapable(check, meeting))
  const faults: string[] = []
  for (const check of checks) {
    const fault = await faultOf(check, meeting)
    if (fault !== undefined) faults.push(fault)
  }
  return { checks: checks.length, faults }
}

function isCapable({ needs = {} }: Check, { client, server }: Meeting): boolean {
  const { client: ofClient = [], server: ofServer = [] } = needs
  return (
    ofClient.every((ability) => client.can.includes(ability)) &&
    ofServer.every((ability) => server.can.includes(ability))
  )
}

/** What was expected and what came, with the check's name, if it failed. */
async function faultOf(check: Check, meeting: Meeting): Promise<string | undefined> {
  const connections = Array.from({ length: check.connections ?? 1 }, () => checkConnection(check, meeting))
  try {
    await Promise.all(connections)
    return undefined
  } catch (error) {
    return `${check.name}: ${(error as Error).message}`
  }
}

async function checkConnection(check: Check, meeting: Meeting): Promise<void> {
  const { outcome, report } = await connectOnce(check, meeting)
  const { protocol = '', volume = 0, client, server } = check
  compareSeen('client', outcome, { ...client, protocol }, meeting)
  compareSeen('server', report, { ...server, protocol }, meeting)
  compareBytes(outcome, volume, meeting.compressed, meeting.compressed)
  compareBytes(report, volume, meeting.compressed && meeting.client.can.includes('compress'), meeting.compressed)
}

/** Runs the check's steps over one connection; throws if one of them failed. */
export async function connectOnce(
  { path, steps, offers = [] }: Pick<Check, 'path' | 'steps' | 'offers'>,
  { client, listener, origin, deflate }: Meeting,
): Promise<{ outcome: Outcome; report: Report }> {
  const id = String(++lastId)
  const plan = { url: `${origin}${path}?id=${id}`, protocols: offers, deflate, steps }
  const outcome = await inTime(client.run(plan), 'the client')
  if (outcome.fault !== undefined) throw new Error(outcome.fault)
  return { outcome, report: await inTime(listener.ended(id), 'the server') }
}

function compareSeen(end: string, seen: Report, expected: Partial<Outcome>, { compressed }: Meeting): void {
  for (const [name, value] of Object.entries(expected)) compare(`${end}: ${name}`, value, seen[name as keyof Report])
  compare(`${end}: extension`, compressed ? PERMESSAGE_DEFLATE : '', seen.extensions.split(';')[0])
}

/** @param inCompressed whether what came was to be compressed */
function compareBytes({ bytes }: Report, volume: number, inCompressed: boolean, outCompressed: boolean): void {
  if (bytes === undefined || volume === 0) return
  compare('compressed messages came', inCompressed, bytes.in < volume / COMPRESSED)
  compare('compressed messages went', outCompressed, bytes.out < volume / COMPRESSED)
}

function compare(what: string, expected: unknown, received: unknown): void {
  if (expected === received) return
  throw new Error(`${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(received)}`)
}

async function inTime<Result>(result: Promise<Result>, who: string): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${who} was not done in ${TIMEOUT} ms`)), TIMEOUT)
  })
  return await Promise.race([result, late]).finally(() => clearTimeout(timer))
}
