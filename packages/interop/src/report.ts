// Results as a table on the terminal, and as the page docs/interop.md.

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CONTRACT } from './contract.ts'
import type { Verdict } from './judge.ts'
import { CLIENTS, COMPRESSION, isControl, nameOf, type Pair, SCHEMES, SERVERS } from './matrix.ts'
import type { PairResult, TalkResult } from './run.ts'
import type { Talk } from './variants.ts'

const PAGE = join(import.meta.dirname, '../../../docs/interop.md')
const COLUMNS = SCHEMES.flatMap((scheme) => COMPRESSION.map((compression) => ({ scheme, compression })))
const HEAD = ['client', 'server', ...COLUMNS.map(({ scheme, compression }) => `${scheme}, ${compression}`)]
const TALK_HEAD = ['client', 'server', 'asked by', 'variants']

/** What the names in the tables stand for. */
const LEGEND = {
  connect: '`connect` of `@ws/client`',
  WebSocket: 'the class `WebSocket` of `@ws/client`',
  ws: 'the package `ws`',
  undici: "the package `undici`'s `WebSocket`",
  'built-in': "Node's own `WebSocket` (from Node 22 on)",
  python: "Python's `websockets`",
  chromium: 'a page in a headless Chromium, with the origin of the server',
  ours: '`WebSocketServer` of `@ws/server`',
  'ours behind nginx': 'the same without TLS behind nginx, which ends TLS for wss',
}

/** The failures, one line each. */
export function failuresOf(pairs: readonly PairResult[], talks: readonly TalkResult[]): string[] {
  return [
    ...pairs.flatMap(({ pair, verdict }) => linesOf(nameOf(pair), verdict)),
    ...talks.flatMap(({ talk, verdict }) => linesOf(nameOfTalk(talk), verdict)),
  ]
}

function linesOf(name: string, verdict: Verdict | undefined): string[] {
  return (verdict?.faults ?? []).map((fault) => `${name}: ${fault}`)
}

function nameOfTalk({ client, server, asker }: Talk): string {
  return `${client} to ${server}, options of the ${asker}`
}

/** Why pairs were left out, each reason once. */
export function skippedReasons(results: readonly (PairResult | TalkResult)[]): string[] {
  return [...new Set(results.flatMap(({ skipped }) => skipped ?? []))]
}

/** The table for the terminal. */
export function tableOf(pairs: readonly PairResult[], talks: readonly TalkResult[]): string {
  return `${aligned([HEAD, ...pairRows(pairs)])}\n\n${aligned([TALK_HEAD, ...talkRows(talks)])}`
}

function aligned(rows: readonly string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** A row for each client and server that met. */
function pairRows(results: readonly PairResult[]): string[][] {
  const ends = CLIENTS.flatMap((client) => SERVERS.map((server) => ({ client, server })))
  return ends.flatMap(({ client, server }) => {
    const own = results.filter(({ pair }) => pair.client === client && pair.server === server)
    return own.length === 0 ? [] : [[client, server, ...COLUMNS.map((column) => cellOf(own.find(has(column))))]]
  })
}

function has({ scheme, compression }: Pick<Pair, 'scheme' | 'compression'>): (result: PairResult) => boolean {
  return ({ pair }) => pair.scheme === scheme && pair.compression === compression
}

function talkRows(results: readonly TalkResult[]): string[][] {
  return results.map((result) => [result.talk.client, result.talk.server, `the ${result.talk.asker}`, cellOf(result)])
}

function cellOf(result: PairResult | TalkResult | undefined): string {
  const { verdict } = result ?? {}
  if (verdict === undefined) return 'not run'
  const { checks, faults } = verdict
  return faults.length === 0 ? `${checks} passed` : `${faults.length} of ${checks} FAILED`
}

/** The page, as `pnpm interop --all --update` writes it. */
export function pageOf(pairs: readonly PairResult[], talks: readonly TalkResult[], versions: string): string {
  const isOurs = ({ pair }: PairResult) => !isControl(pair)
  return `${[
    '# Interoperability',
    '',
    '<!-- Written by `pnpm interop --all --update`; do not edit. -->',
    '',
    'One contract runs over every pair of a client and a server, with and without TLS, with and without compression. A cell says how',
    'many checks the pair passed: what an API cannot do (a browser sends no ping) is left out for it. Run it with',
    '`npx -y pnpm@12 interop --all`; `npx -y pnpm@12 test` runs a choice of pairs in which every two values still meet.',
    '',
    `Peers: ${versions}.`,
    '',
    ...Object.entries(LEGEND).map(([name, meaning]) => `- **${name}**: ${meaning}`),
    '',
    '## The contract',
    '',
    'On every connection both ends must see the same subprotocol, and compression exactly if the server was to take it.',
    '',
    ...CONTRACT.map(({ name }) => `- ${name}`),
    '',
    '## Pairs with an end of ours',
    '',
    ...markdown([HEAD, ...pairRows(pairs.filter(isOurs))]),
    '',
    '## Options of compression',
    '',
    'One end asks for context takeover and windows (2^9 to 2^15, each with each), the other has its defaults.',
    '',
    ...markdown([TALK_HEAD, ...talkRows(talks)]),
    '',
    '## Controls',
    '',
    'Pairs without our code show that the contract asks for nothing of our own.',
    '',
    ...markdown([HEAD, ...pairRows(pairs.filter((result) => !isOurs(result)))]),
  ].join('\n')}\n`
}

function markdown([head = [], ...rows]: readonly string[][]): string[] {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
}

/** The page as it is in the repository. */
export async function readPage(): Promise<string> {
  return await readFile(PAGE, 'utf8')
}

export async function writePage(page: string): Promise<void> {
  await writeFile(PAGE, page)
}
