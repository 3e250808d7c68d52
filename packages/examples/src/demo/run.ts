// One run of the demo, from the first handshake to the verdict. Rules: the publisher starts when the subscriber is connected,
// and the server closes when the publisher is gone, so no sample can be missed; whatever happens, no process is left behind.

import type { CloseInfo } from '@ws/server'
import type { DemoOptions } from './args.ts'
import { Child } from './child.ts'
import type { Counts, Ended, Opened } from './messages.ts'
import { page, plainAnswer } from './page.ts'
import { complain, say } from './print.ts'
import { countTable, endingLine, faultsOf, handshakeLines, type Link, type Links, sampleLine } from './report.ts'
import { UpdatesServer } from './server.ts'

const TICKS_PER_SECOND = 20
/** With `--watch` one sample a second is printed: the page shows them all. */
const PRINTED_WHILE_WATCHING = TICKS_PER_SECOND

const PUBLISHER = new URL('./publisher.ts', import.meta.url)
const SUBSCRIBER = new URL('./subscriber.ts', import.meta.url)

/**
 * Runs the demo and prints it.
 * @param interrupted ends the run early, in the same good order
 * @returns whether everything was as it should be; rejects if something failed on the way
 */
export async function run(options: DemoOptions, interrupted: AbortSignal): Promise<boolean> {
  const server = await UpdatesServer.listen(options.port, options.watch ? page : plainAnswer)
  const children: Child[] = []
  const start = (name: string, module: URL, ...parameters: string[]): Child => {
    const child = new Child(name, module, server.url, ...parameters)
    children.push(child)
    return child
  }
  announce(server, options)
  try {
    const links = await play(server, options, start, interrupted)
    const exits = await Promise.all(children.map((child) => child.finish()))
    return conclude(links, exits.filter(isText), server.accepted - children.length)
  } finally {
    for (const child of children) child.stop()
    await Promise.all([server.close(), ...children.map((child) => child.finish())])
  }
}

type Start = (name: string, module: URL, ...parameters: string[]) => Child

async function play(
  server: UpdatesServer,
  options: DemoOptions,
  start: Start,
  interrupted: AbortSignal,
): Promise<Links> {
  const subscriber = start('subscriber', SUBSCRIBER)
  const subscription = follow('subscriber', server, await subscriber.opened)
  subscriber.on('arrived', (arrived) => {
    const every = options.watch ? PRINTED_WHILE_WATCHING : 1
    if (arrived.sample.sequence % every === 0) say('subscriber', sampleLine(arrived))
  })

  const publisher = start('publisher', PUBLISHER, String(Math.ceil(options.seconds * TICKS_PER_SECOND)))
  const publication = follow('publisher', server, await publisher.opened)
  interrupted.addEventListener('abort', () => publisher.stop())
  // The subscriber should not end first: it has no reason to. If it does, there is nobody to publish for.
  void subscriber.ended.then(
    () => publisher.stop(),
    () => publisher.stop(),
  )
  if (interrupted.aborted) publisher.stop()

  const published = await publication(publisher)
  await server.close()
  return { publisher: published, subscriber: await subscription(subscriber) }
}

/** Shows how a client connected. @returns what waits for the end of the connection, on both ends */
function follow(name: string, server: UpdatesServer, opened: Opened): (child: Child) => Promise<Link> {
  const { handshake, pid } = opened
  say(name, `process ${pid} is connected; the handshake, as it went over the wire:`, ...handshakeLines(handshake))
  const socket = server.find(handshake.key)
  return async (child) => {
    const [client, ending]: [Ended, CloseInfo] = await Promise.all([child.ended, socket.closed])
    const counts: Counts = socket.stats()
    return { name, handshake, client, server: { counts, ending } }
  }
}

function announce(server: UpdatesServer, { watch }: DemoOptions): void {
  say('server', `process ${process.pid} listens at ${server.url}`)
  if (watch) say('server', `the live page is at ${server.pageUrl} (Ctrl-C ends the demo)`)
}

function conclude(links: Links, exits: readonly string[], others: number): boolean {
  const { publisher, subscriber } = links
  for (const { name, client } of [publisher, subscriber]) say(name, ...client.remarks)
  if (others > 0) say('server', `other connections, of browsers for example: ${others}`)
  say(
    'counts',
    ...countTable(links),
    '(clients counted at their sockets, the server by connection.stats(); bytes of frames)',
  )
  say('close', endingLine(publisher), endingLine(subscriber))
  const faults = [...faultsOf(links), ...exits]
  complain('FAILED', ...faults)
  if (faults.length > 0) return false
  say('verdict', `all ${publisher.client.counts.messagesOut} samples arrived, in order; every count agrees`)
  return true
}

function isText(value: string | undefined): value is string {
  return value !== undefined
}
