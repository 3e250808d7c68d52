// What the demo shows, as lines of text, and its verdict. Pure. Rule: the verdict compares what the two ends of a connection
// counted independently of each other; it does not take either's word.

import type { Arrived, Counts, Ended, Ending } from './messages.ts'
import type { Handshake } from './wire.ts'

/** One connection, as both of its ends saw it. */
export interface Link {
  /** The client's name. */
  readonly name: string
  readonly handshake: Handshake
  readonly client: Ended
  readonly server: { readonly counts: Counts; readonly ending: Ending }
}

/** The two connections of the demo. */
export interface Links {
  readonly publisher: Link
  readonly subscriber: Link
}

const NORMAL = 1000
const GIB = 2 ** 30
const MIB = 2 ** 20

/** The opening handshake, as it stood on the wire. */
export function handshakeLines({ requestLine, key, expectedAccept, statusLine, accept }: Handshake): string[] {
  return [
    `> ${requestLine}`,
    `> Sec-WebSocket-Key: ${key}`,
    `  expected accept:      ${expectedAccept} = base64(SHA-1(key + GUID))`,
    `< ${statusLine}`,
    `< Sec-WebSocket-Accept: ${accept} (${accept === expectedAccept ? 'as expected' : 'NOT as expected'})`,
  ]
}

/** One sample that has arrived. */
export function sampleLine({ sample, delay }: Arrived): string {
  const { sequence, time, load, usage, memory, rss } = sample
  const used = ((memory.total - memory.free) / GIB).toFixed(2)
  return [
    `#${sequence}`.padEnd(5),
    timeOfDay(new Date(time)),
    `load ${load.map((average) => average.toFixed(2)).join(' ')}`,
    `CPU ${usage.total.toFixed(1).padStart(5)} %`,
    `memory ${used} of ${(memory.total / GIB).toFixed(2)} GiB`,
    `publisher ${(rss / MIB).toFixed(0)} MiB`,
    `${delay} ms on the way`,
  ].join('  ')
}

function timeOfDay(date: Date): string {
  return `${date.toTimeString().slice(0, 8)}.${String(date.getMilliseconds()).padStart(3, '0')}`
}

/** What was sent and received in each direction of each connection: the sender's count, then the receiver's. */
export function countTable({ publisher, subscriber }: Links): string[] {
  const rows = [
    ['sent = received', 'messages', 'frames', 'bytes'],
    ...[publisher, subscriber].flatMap(({ name, client, server }) => [
      [`${name} to server`, ...compare(client.counts, server.counts)],
      [`server to ${name}`, ...compare(server.counts, client.counts)],
    ]),
  ]
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0))) ?? []
  return rows.map(([name = '', ...cells]) =>
    [name.padEnd(widths[0] ?? 0), ...cells.map((cell, index) => cell.padStart(widths[index + 1] ?? 0))].join('   '),
  )
}

function compare(sender: Counts, receiver: Counts): string[] {
  return directions(sender, receiver).map(({ sent, received }) => {
    return `${grouped(sent)} ${sent === received ? '=' : '≠'} ${grouped(received)}`
  })
}

function directions(sender: Counts, receiver: Counts): { what: string; sent: number; received: number }[] {
  return [
    { what: 'messages', sent: sender.messagesOut, received: receiver.messagesIn },
    { what: 'frames', sent: sender.framesOut, received: receiver.framesIn },
    { what: 'bytes', sent: sender.bytesOut, received: receiver.bytesIn },
  ]
}

/** How both ends of a connection saw its end. */
export function endingLine({ name, client, server }: Link): string {
  return `${name} saw ${ending(client.ending)}, server saw ${ending(server.ending)}`
}

function ending({ code, wasClean }: Ending): string {
  return `${code} (${wasClean ? 'clean' : 'not clean'})`
}

/** What went wrong, a line each; none if all is as it should be. */
export function faultsOf(links: Links): string[] {
  const { publisher, subscriber } = links
  const published = publisher.client.counts.messagesOut
  const arrived = subscriber.client.counts.messagesIn
  const faults = [publisher, subscriber].flatMap(linkFaults)
  if (published === 0) faults.push('no sample was sent')
  if (published !== arrived) faults.push(`expected ${published} samples at the subscriber; got ${arrived}`)
  return faults
}

function linkFaults(link: Link): string[] {
  const { name, handshake, client, server } = link
  const faults = client.faults.map((fault) => `${name}: ${fault}`)
  if (handshake.accept !== handshake.expectedAccept) faults.push(`${name}: the accept value is not the expected one`)
  faults.push(...disagreements(`${name} to server`, client.counts, server.counts))
  faults.push(...disagreements(`server to ${name}`, server.counts, client.counts))
  if (![client.ending, server.ending].every(({ code, wasClean }) => code === NORMAL && wasClean)) {
    faults.push(`expected a clean close with ${NORMAL}; ${endingLine(link)}`)
  }
  return faults
}

function disagreements(direction: string, sender: Counts, receiver: Counts): string[] {
  return directions(sender, receiver)
    .filter(({ sent, received }) => sent !== received)
    .map(({ what, sent, received }) => `${direction}: ${sent} ${what} sent, ${received} received`)
}

function grouped(count: number): string {
  return count.toLocaleString('en-US')
}
