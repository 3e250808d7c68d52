// What is measured: the rows of the tables, as data.

import type { Side } from './contestants.ts'
import type { Metric } from './figures.ts'
import { type Job, job, LARGEST } from './job.ts'

export interface Row {
  readonly id: string
  readonly title: string
  readonly side: Side
  /** The figure that the row is about. */
  readonly metric: Metric
  /** Further figures, shown beside it. */
  readonly beside?: readonly Metric[]
  /** What is done; undefined for the codec. */
  readonly job?: Job
  /** The part of the codec that is run. */
  readonly part?: string
  /** The least seconds of a measurement, for what happens at intervals. */
  readonly least?: number
  /** How long the processes work before they are measured, in lengths of a measurement; two by default. */
  readonly warmUp?: number
  /** The ids of contestants that could take part and do not. */
  readonly without?: readonly string[]
  /** In the chart. */
  readonly charted?: boolean
}

export interface Group {
  readonly title: string
  /** What its figures are, in a sentence. */
  readonly text: string
  readonly rows: readonly Row[]
}

const KIB = 1024

function size(bytes: number): string {
  if (bytes < KIB) return `${bytes} B`
  return bytes < KIB * KIB ? `${bytes / KIB} KiB` : `${bytes / KIB / KIB} MiB`
}

interface Variation {
  /** Comes before the numbers in the id. */
  readonly id?: string
  /** Comes after the numbers in the title. */
  readonly title?: string
  readonly rest?: Partial<Job>
  readonly without?: readonly string[]
  readonly charted?: boolean
}

/** Connections × size × messages in flight. */
function echo(connections: number, bytes: number, inFlight: number, variation: Variation = {}): Row {
  const { id = 'echo', title = '', rest = {}, without = [], charted = false } = variation
  return {
    id: `${id}-${connections}x${size(bytes).replace(' ', '')}x${inFlight}`,
    title: `${connections} × ${size(bytes)} × ${inFlight}${title}`,
    side: 'server',
    metric: 'perCpuSecond',
    job: job('echo', connections, bytes, { inFlight, ...rest }),
    without,
    charted,
  }
}

const CHARTED: Variation = { charted: true }
const BORROWED: Variation = { id: 'borrowed', title: ", ours with binary: 'borrowed'", rest: { borrowed: true } }
const ASCII: Variation = { id: 'ascii', title: ', ASCII', rest: { payload: 'ascii' } }
const UNICODE: Variation = { id: 'unicode', title: ', one to four bytes a character', rest: { payload: 'unicode' } }
const FRAGMENTED: Variation = { id: 'fragmented', title: ', in four fragments', rest: { fragments: 4 } }
const SECURE: Variation = { id: 'wss', rest: { secure: true } }
/** As many streams on a session as browsers ask for by default; ws and uWebSockets.js have no HTTP/2. */
const STREAMS = 100
const HTTP2: Variation = {
  id: 'http2',
  title: ', one session of HTTP/2',
  rest: { secure: true, streams: STREAMS },
  without: ['ws', 'uws'],
}
const APART: Variation = { ...HTTP2, id: 'http2-apart', title: ', a session each', rest: { secure: true, streams: 1 } }
const CLEARTEXT_HTTP2: Variation = { ...HTTP2, id: 'h2c', title: ', the same in cleartext', rest: { streams: STREAMS } }
/** node:net compresses nothing. */
const DEFLATE = { id: 'deflate', rest: { payload: 'json', deflate: 'noTakeover' }, without: ['net'] } as const
/** With one compressor for all, uWebSockets.js agrees to none. */
const TAKEOVER: Variation = {
  id: 'takeover',
  title: ', with context takeover',
  rest: { payload: 'json', deflate: 'takeover' },
  without: ['net', 'uws'],
}

function idle(id: string, title: string, connections: number, { rest = {}, without = [] }: Variation = {}): Row {
  const work = job('hold', connections, 0, rest)
  return { id, title, side: 'server', metric: 'bytesPerConnection', job: work, without }
}

function paced(connections: number, bytes: number, perSecond: number): Row {
  return {
    id: `latency-${connections}x${size(bytes).replace(' ', '')}`,
    title: `${connections} × ${size(bytes)}, ${perSecond} a second`,
    side: 'server',
    metric: 'p50',
    beside: ['p99', 'p999'],
    job: job('paced', connections, bytes, { perSecond }),
  }
}

function broadcast(bytes: number, perTurn: number, variation: Variation = CHARTED): Row {
  const { id = 'broadcast', rest = {}, without = [], charted = false } = variation
  return {
    id: `${id}-1000x${perTurn}`,
    title: `${size(bytes)} to 1,000, ${perTurn} a turn`,
    side: 'server',
    metric: 'perCpuSecond',
    job: job('broadcast', 1000, bytes, { perTurn, ...rest }),
    without,
    charted,
  }
}

/** Each topic has `connections / topics` subscribers. It takes that long until the slowest server has sent to all of them. */
function published(connections: number, topics: number, perTurn: number): Row {
  return {
    id: `publish-${connections}x${topics}x${perTurn}`,
    title: `64 B to topics of ${connections / topics}, ${topics} topics, ${connections} connections, ${perTurn} a turn`,
    side: 'server',
    metric: 'perCpuSecond',
    job: job('publish', connections, 64, { topics, perTurn }),
    warmUp: perTurn,
  }
}

function deflateBroadcast(perTurn: number): Row {
  const row = broadcast(KIB, perTurn, { ...DEFLATE, id: 'deflate-broadcast' })
  return { ...row, title: `broadcast, ${row.title}`, warmUp: FIRST_BROADCAST }
}

function received(connections: number, bytes: number, rest: Partial<Job> = {}): Row {
  const text = rest.payload === undefined ? '' : '-text'
  return {
    id: `client-receive-${connections}x${size(bytes).replace(' ', '')}${text}`,
    title: `receive, ${connections} × ${size(bytes)}${text === '' ? '' : ', ASCII'}`,
    side: 'client',
    metric: 'perCpuSecond',
    job: job('burst', connections, bytes, rest),
  }
}

function roundTrips(connections: number, bytes: number, inFlight: number): Row {
  const row = echo(connections, bytes, inFlight, { id: 'client-echo' })
  return { ...row, title: `round trips, ${row.title}`, side: 'client' }
}

function codec(part: string, title: string): Row {
  return { id: `codec-${part}`, title, side: 'codec', metric: 'perSecond', part }
}

/** Each takes part in an interval and a timeout of the same length. */
function alive(connections: number): Row {
  return {
    id: `heartbeat-${connections}`,
    title: `${connections} silent connections, each pinged every ${(2 * HEARTBEAT) / 1000} s`,
    side: 'server',
    metric: 'perCpuSecond',
    beside: ['cpuShare'],
    job: job('alive', connections, 0, { interval: 2 * HEARTBEAT }),
    least: (4 * HEARTBEAT) / 1000,
    without: ['net', 'uws'],
  }
}

/** What the event loop of a server does meanwhile. */
function delayed(id: string, title: string, work: Job): Row {
  const beside = ['loopDelayMax', 'perSecond'] as const
  return { id, title, side: 'server', metric: 'loopDelayP99', beside, job: work, without: DEFLATE.without }
}

/** With a few thousand handshakes a second, or over HTTP/2, the compiler is at work for some seconds, at the cost of what it measures. */
const COMPILED = 3
/** A server that compresses for each connection on its own needs most of a second for its first broadcast. */
const FIRST_BROADCAST = 3
/** Heartbeats of this interval and timeout, in ms: a silent connection is pinged each time that both have passed. */
const HEARTBEAT = 1000
const PER_CPU = 'per second of CPU time that the server used'

export const GROUPS: readonly Group[] = [
  {
    title: 'Echo',
    text: `Binary messages sent back: connections × bytes × messages in flight on each. Messages ${PER_CPU}.`,
    rows: [
      echo(100, 64, 1, CHARTED),
      echo(100, 64, 16, CHARTED),
      echo(100, 64, 100, CHARTED),
      echo(20, KIB, 1),
      echo(20, KIB, 16, CHARTED),
      echo(20, KIB, 100),
      echo(20, 16 * KIB, 1),
      echo(20, 16 * KIB, 16, CHARTED),
      echo(20, 16 * KIB, 100),
      echo(10, 64 * KIB, 4, CHARTED),
      echo(4, KIB * KIB, 2, CHARTED),
      echo(20, KIB, 16, BORROWED),
      echo(10, 64 * KIB, 4, BORROWED),
      echo(4, KIB * KIB, 2, BORROWED),
    ],
  },
  {
    title: 'Echo of text and of fragments',
    text: `The application of every server gets text as a string and sends a string. Messages ${PER_CPU}.`,
    rows: [
      echo(100, 64, 16, ASCII),
      echo(20, KIB, 16, ASCII),
      echo(10, 64 * KIB, 4, ASCII),
      echo(20, KIB, 16, UNICODE),
      echo(20, KIB, 16, FRAGMENTED),
      echo(10, 64 * KIB, 4, FRAGMENTED),
    ],
  },
  {
    title: 'Echo over TLS',
    text: `As above, over wss. Messages ${PER_CPU}.`,
    rows: [
      echo(100, 64, 1, SECURE),
      echo(100, 64, 16, SECURE),
      echo(20, KIB, 16, SECURE),
      echo(10, 64 * KIB, 4, SECURE),
    ],
  },
  {
    title: 'HTTP/2',
    text: `WebSockets as streams of HTTP/2 (RFC 8441), ${STREAMS} on a session, to be held beside the rows above, where each has a socket: over TLS, as browsers do it, and in cleartext. A load that waits for its replies moves the streams of a session in step, so that many messages come in one read: with a session each there is none of that. node:net is node:http2 here, which answers without looking. Messages ${PER_CPU}; memory is the growth of the resident set size from 100 to 2,000 connections.`,
    rows: [
      ...[HTTP2, APART, CLEARTEXT_HTTP2].flatMap((variation) =>
        [1, 16].map((inFlight) => ({ ...echo(100, 64, inFlight, variation), warmUp: COMPILED })),
      ),
      idle('http2-idle', 'one of 2,000 idle streams over TLS', 2_000, HTTP2),
      idle('wss-idle', 'one of 2,000 idle sockets over TLS', 2_000, { ...SECURE, without: ['ws', 'uws'] }),
    ],
  },
  {
    title: 'Latency',
    text: 'Round trips at a moderate, even load that does not wait for replies: 50th, 99th and 99.9th percentile.',
    rows: [paced(100, 64, 10_000), paced(20, KIB, 10_000), paced(10, 64 * KIB, 500)],
  },
  {
    title: 'Broadcast',
    text: `Frames ${PER_CPU}. node:net writes prepared bytes with one \`socket.write\` a connection and turn. Topics: 100 of them get messages in a turn; ws and node:net have topics by hand, a Map of Sets.`,
    rows: [broadcast(64, 1), broadcast(64, 10), published(10_000, 1_000, 1), published(10_000, 1_000, 4)],
  },
  {
    title: 'Compression',
    text: `permessage-deflate of JSON as text, sent back or broadcast: without context takeover at both ends unless it says otherwise. Every message is compressed: no threshold. With context takeover the requests do not refer to those before, the replies do. ours and ws have the same options, uWebSockets.js its shared compressor. Messages ${PER_CPU}; memory is the growth of the resident set size from 100 to 5,000 connections.`,
    rows: [
      echo(100, 100, 16, DEFLATE),
      echo(100, KIB, 16, { ...DEFLATE, charted: true }),
      echo(20, 16 * KIB, 16, DEFLATE),
      echo(100, 100, 16, TAKEOVER),
      echo(100, KIB, 16, TAKEOVER),
      echo(20, 16 * KIB, 16, TAKEOVER),
      deflateBroadcast(1),
      deflateBroadcast(10),
      {
        id: 'deflate-idle',
        title: 'one of 5,000 connections, idle after a message of 1 KiB each',
        side: 'server',
        metric: 'bytesPerConnection',
        job: job('hold', 5_000, KIB, DEFLATE.rest),
        without: DEFLATE.without,
      },
    ],
  },
  {
    title: 'The event loop while messages are compressed',
    text: `How late the server's event loop comes to a timer, by \`perf_hooks.monitorEventLoopDelay\`: 99th percentile / largest, and what was done in a second. Each holds the distance of the samples, 1 ms, and counts once however long it is. All threads of a server share its core. JSON is sent back as text; a bomb inflates to a byte more than ${size(LARGEST)}, the limit of every server here, and whoever sent it is back at once.`,
    rows: [
      delayed(
        'deflate-delay-20x1MiB',
        '20 × 1 MiB of JSON, one in flight each',
        job('echo', 20, KIB * KIB, DEFLATE.rest),
      ),
      delayed(
        'deflate-delay-bombs',
        '100 peers with bombs',
        job('bomb', 100, LARGEST + 1, { payload: 'ascii', deflate: 'noTakeover' }),
      ),
    ],
  },
  {
    title: 'Connections and memory',
    text: 'Resident set size is that of the whole process; an idle connection is its growth from 100 to 10,000 connections, each time after seconds of rest and full garbage collections.',
    rows: [
      {
        id: 'connect',
        title: 'handshakes, each connection then reset',
        side: 'server',
        metric: 'perCpuSecond',
        job: job('connect', 64, 0),
        warmUp: COMPILED,
        charted: true,
      },
      idle('idle', 'one of 10,000 idle connections', 10_000),
      { ...echo(100, 64, 100, { id: 'peak' }), title: 'peak memory, echo 100 × 64 B × 100', metric: 'peakRss' },
    ],
  },
  {
    title: 'Heartbeats',
    text: `Pings to connections that say nothing else, answered, ${PER_CPU}; and the share of a core that this is. ws pings all of its clients from one \`setInterval\`, as its documentation shows.`,
    rows: [alive(1_000), alive(10_000)],
  },
  {
    title: 'Diagnostics channels without a subscriber',
    text: 'The time of a message of 64 B to and fro, both ends in one process and in memory, by that of a copy of the library without a look at any channel; and by that of a second copy as it is, which says what the first figure is worth. The copies take turns of milliseconds.',
    rows: [
      {
        id: 'channels',
        title: 'with channels / the same again',
        side: 'channels',
        metric: 'channelCost',
        beside: ['channelCostAgain'],
        least: 4,
      },
    ],
  },
  {
    title: 'Clients',
    text: 'Clients of one server that sends and answers with prepared bytes. Messages per second of CPU time that the client used.',
    rows: [
      received(10, 64),
      received(10, KIB),
      received(10, KIB, { payload: 'ascii' }),
      received(4, 64 * KIB),
      roundTrips(100, 64, 1),
      roundTrips(20, KIB, 16),
    ],
  },
  {
    title: 'Codec',
    text: 'Parts of the codec alone, on the platform of Node unless it says otherwise. Operations per second.',
    rows: [
      codec('parse-64', 'parse and unmask a frame, 64 B'),
      codec('parse-1024', 'parse and unmask a frame, 1 KiB'),
      codec('parse-65536', 'parse and unmask a frame, 64 KiB'),
      codec('mask-16', 'mask 16 B'),
      codec('mask-64', 'mask 64 B'),
      codec('mask-1024', 'mask 1 KiB'),
      codec('mask-65536', 'mask 64 KiB'),
      codec('mask-1024-portable', 'mask 1 KiB, portable'),
      codec('utf8-check-1024-ascii', 'check UTF-8, 1 KiB of ASCII'),
      codec('utf8-check-1024-unicode', 'check UTF-8, 1 KiB'),
      codec('utf8-validator-1024-unicode', 'check UTF-8 piece by piece, 1 KiB, portable'),
      codec('utf8-decode-1024-ascii', 'decode UTF-8, 1 KiB of ASCII'),
      codec('utf8-decode-1024-unicode', 'decode UTF-8, 1 KiB'),
      codec('header-64', 'write a header, 64 B'),
      codec('header-65536-masked', 'write a header, 64 KiB, masked'),
      codec('encode-64', 'encode a frame, 64 B'),
      codec('encode-1024', 'encode a frame, 1 KiB'),
    ],
  },
]
