// What holds for every header of the handshake. Rules: the slow, obvious parsers here say the same as those under test; what
// was parsed, written again, parses to the same; the order and case of header names does not matter; work is linear.

import {
  acceptOffer,
  acceptOfferedUpgrade,
  checkDeflateAnswer,
  checkUpgradeRequest,
  checkUpgradeResponse,
  createUpgradeRequest,
  type DeflateOptions,
  type DeflateParameters,
  deflateParameters,
  type Established,
  type Extension,
  formatExtensions,
  type NotEstablished,
  parseExtensions,
  parseTokenList,
  portablePlatform,
  type SentUpgrade,
} from '../../src/index.ts'
import { same, type Target } from './target.ts'

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** One extension: a name, then parameters; what a quoted value holds is checked afterwards. */
const ELEMENT =
  /^[ \t]*([^\s;=",]+)[ \t]*((?:;[ \t]*[^\s;=",]+[ \t]*(?:=[ \t]*(?:[^\s;=",]+|"(?:[^"\\]|\\.)*")[ \t]*)?)*)$/s
const PARAMETER = /;[ \t]*([^\s;=",]+)[ \t]*(?:=[ \t]*([^\s;=",]+|"(?:[^"\\]|\\.)*")[ \t]*)?/gs

/** The elements of a list: between commas that are not within quotes. */
function elements(text: string): string[] {
  return (text.match(/(?:"(?:[^"\\]|\\.)*(?:"|\\?$)|[^,"])+|,/gs) ?? []).filter((part) => part !== ',')
}

/** The grammar of §9.1 once more, by regular expressions: slow, but short enough to be seen to be right. */
export function referenceExtensions(lines: readonly string[]): Extension[] | undefined {
  const filled = elements(lines.join(',')).filter((element) => !/^[ \t]*$/.test(element))
  const extensions = filled.map(referenceExtension)
  return extensions.length === 0 || extensions.includes(undefined) ? undefined : (extensions as Extension[])
}

function referenceExtension(element: string): Extension | undefined {
  const [, name = '', rest = ''] = ELEMENT.exec(element) ?? []
  const parameters = [...rest.matchAll(PARAMETER)].map(([, parameter = '', given]) => {
    const value = given?.startsWith('"') ? given.slice(1, -1).replace(/\\(.)/gs, '$1') : given
    return { name: parameter, value }
  })
  const tokens = [name, ...parameters.flatMap((given) => [given.name, given.value ?? 'none'])]
  return tokens.every((token) => TOKEN.test(token)) ? { name, parameters } : undefined
}

function referenceTokens(lines: readonly string[]): string[] | undefined {
  const tokens = lines
    .flatMap((line) => line.split(','))
    .map((element) => element.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((element) => element !== '')
  return tokens.length > 0 && tokens.every((token) => TOKEN.test(token)) ? tokens : undefined
}

/** Whether RFC 7692 §7.1 has nothing against these parameters. */
function validOffer({ name, parameters }: Extension): boolean {
  const names = parameters.map((given) => given.name)
  const window = /^(8|9|10|11|12|13|14|15)$/
  const valid = parameters.every(
    (given) =>
      (/^(server|client)_no_context_takeover$/.test(given.name) && given.value === undefined) ||
      (/^(server|client)_max_window_bits$/.test(given.name) && window.test(given.value ?? '')) ||
      (given.name === 'client_max_window_bits' && given.value === undefined),
  )
  return name === 'permessage-deflate' && valid && new Set(names).size === names.length
}

/** How often `work` looks at a character: the parsers do so with `charAt` and nothing else. */
function steps(work: () => void): number {
  const { charAt } = String.prototype
  let count = 0
  String.prototype.charAt = function (index) {
    count++
    return charAt.call(this, index)
  }
  try {
    work()
  } finally {
    String.prototype.charAt = charAt
  }
  return count
}

const STEPS_A_CHARACTER = 9

function linear(text: string, work: () => void): void {
  const count = steps(work)
  if (count > STEPS_A_CHARACTER * (text.length + 4)) throw new Error(`${count} steps for ${text.length} characters`)
}

function judgeExtensions(text: string): string {
  const lines = text.split('\n')
  linear(text, () => parseExtensions(lines))
  const parsed = parseExtensions(lines)
  same('extensions', parsed, referenceExtensions(lines))
  same('in one line', parseExtensions([lines.join(',')]), parsed)
  if (parsed === undefined) return 'malformed'
  same('written again', parseExtensions([formatExtensions(parsed)]), parsed)
  return `${parsed.length > 1 ? 'several' : 'one'}, ${judgeOffer(parsed)}, ${judgeAnswer(parsed)}`
}

/** What one side may want: nothing, each thing alone, and all of it. */
const WISHES: readonly DeflateOptions[] = [
  {},
  { serverNoContextTakeover: true },
  { clientNoContextTakeover: true },
  { serverMaxWindowBits: 10 },
  { clientMaxWindowBits: 10 },
  { serverNoContextTakeover: true, clientNoContextTakeover: true, serverMaxWindowBits: 8, clientMaxWindowBits: 9 },
]

/** The parameters of an element by their name. */
class Given {
  readonly #parameters: Extension['parameters']

  constructor({ parameters }: Extension) {
    this.#parameters = parameters
  }

  has(name: string): boolean {
    return this.#parameters.some((given) => given.name === name)
  }

  /** A window that is not given, or has no value, is the largest. */
  window(name: string): number {
    return Number(this.#parameters.find((given) => given.name === name)?.value ?? 15)
  }
}

function judgeOffer(offered: readonly Extension[]): string {
  const taken = offered.find(validOffer)
  for (const wish of WISHES) {
    const accepted = acceptOffer(offered, wish)
    same('an offer is taken', accepted !== undefined, taken !== undefined)
    if (accepted !== undefined && taken !== undefined) judgeAccepted(taken, wish, accepted)
  }
  return taken === undefined ? 'declined' : `taken ${taken.parameters.map((given) => given.name).sort()}`
}

/** Either side's wish is heard; what was offered is never widened; and the client that offered this takes the answer. */
function judgeAccepted(
  taken: Extension,
  wish: DeflateOptions,
  { answer, parameters }: { answer: Extension; parameters: DeflateParameters },
): void {
  const [offer, wanted] = [new Given(taken), deflateParameters(wish)]
  const mayChoose = offer.has('client_max_window_bits')
  same('what is agreed', parameters, {
    serverNoContextTakeover: offer.has('server_no_context_takeover') || wanted.serverNoContextTakeover,
    clientNoContextTakeover: offer.has('client_no_context_takeover') || wanted.clientNoContextTakeover,
    serverMaxWindowBits: Math.min(offer.window('server_max_window_bits'), wanted.serverMaxWindowBits),
    clientMaxWindowBits: mayChoose ? Math.min(offer.window('client_max_window_bits'), wanted.clientMaxWindowBits) : 15,
  })
  const answered = new Given(answer)
  if (!mayChoose) same('our choice of the client window', answered.has('client_max_window_bits'), false)
  same('an answer on the wire', parseExtensions([formatExtensions([answer])]), [answer])
  const client: DeflateOptions = {
    serverNoContextTakeover: offer.has('server_no_context_takeover'),
    clientNoContextTakeover: offer.has('client_no_context_takeover'),
    serverMaxWindowBits: offer.window('server_max_window_bits'),
    clientMaxWindowBits: offer.window('client_max_window_bits'),
  }
  same('the answer', checkDeflateAnswer([answer], client), { parameters })
}

/** What a client that wants this may take from an answer, by §5.1 and §7.1; `undefined` if it must fail. */
function rightAnswer(answered: readonly Extension[], wish: DeflateOptions): DeflateParameters | undefined {
  const [answer] = answered
  if (answer === undefined || answered.length > 1 || !validOffer(answer)) return undefined
  const [given, wanted] = [new Given(answer), deflateParameters(wish)]
  const [server, client] = [given.window('server_max_window_bits'), given.window('client_max_window_bits')]
  const bare = answer.parameters.some(({ name, value }) => name === 'client_max_window_bits' && value === undefined)
  if (bare || (wanted.serverNoContextTakeover && !given.has('server_no_context_takeover'))) return undefined
  if (server > wanted.serverMaxWindowBits) return undefined
  if (given.has('client_max_window_bits') && client > wanted.clientMaxWindowBits) return undefined
  return {
    serverNoContextTakeover: given.has('server_no_context_takeover'),
    clientNoContextTakeover: given.has('client_no_context_takeover') || wanted.clientNoContextTakeover,
    serverMaxWindowBits: server,
    clientMaxWindowBits: Math.min(client, wanted.clientMaxWindowBits),
  }
}

function judgeAnswer(answered: readonly Extension[]): string {
  const right = WISHES.map((wish) => {
    const checked = checkDeflateAnswer(answered, wish)
    const parameters = 'parameters' in checked ? checked.parameters : undefined
    same('what a client takes', parameters, rightAnswer(answered, wish))
    return parameters !== undefined
  })
  return right.includes(true) ? `an answer to ${right.filter((taken) => taken).length} offers` : 'no answer'
}

function judgeTokens(text: string): string {
  const lines = text.split('\n')
  linear(text, () => parseTokenList(lines))
  const parsed = parseTokenList(lines)
  same('tokens', parsed, referenceTokens(lines))
  if (parsed === undefined) return 'malformed'
  same('written again', parseTokenList([parsed.join(', ')]), parsed)
  return parsed.length > 1 ? 'several' : 'one'
}

/** The first line, and the raw headers of the others: `Name: value`. */
function readHead(text: string): { first: string; headers: [string, string][] } {
  const [first = '', ...lines] = text.split('\n')
  return { first, headers: lines.map((line) => [line.split(':')[0] ?? '', line.split(':').slice(1).join(':')]) }
}

/** The same headers with names in other letters and in another order; those of one name keep theirs. */
function rearranged(headers: readonly [string, string][]): string[] {
  const lower = headers.map(([name, value]) => [name.toLowerCase(), value] as const)
  const names = [...new Set(lower.map(([name]) => name))].reverse()
  // toUpperCase is of ASCII only here: a name is Latin-1, and ß or ÿ would become another name.
  const upper = (name: string): string => name.replace(/[a-z]/g, (letter) => letter.toUpperCase())
  return names.flatMap((name) =>
    lower.filter((header) => header[0] === name).flatMap(([, value]) => [upper(name), value]),
  )
}

function judgeRequest(text: string): string {
  const { first, headers } = readHead(text)
  const [method, httpVersion] = first.split(' ')
  const check = (rawHeaders: string[]) => checkUpgradeRequest({ method, httpVersion, rawHeaders })
  linear(text, () => check(headers.flat()))
  const offer = check(headers.flat())
  same('rearranged', check(rearranged(headers)), offer)
  if (!offer.valid) return `${offer.code} ${offer.status}`
  same('bytes of the key', Buffer.from(offer.key ?? '', 'base64').length, 16)
  const { status, headers: answer } = acceptOfferedUpgrade(offer, { protocols: (offered) => offered[0] })
  same(
    'an answer without control characters',
    answer.flat().filter((part) => /[^\x20-\x7e]/.test(part)),
    [],
  )
  return `${status} ${offer.protocols.length > 0 ? 'protocols ' : ''}${offer.extensions.length > 0 ? 'extensions' : ''}`
}

/** Requests that are always the same, for their key is of zeros: one without an offer, and one with each. */
const [SENT, ...SENT_OFFERS] = [undefined, ...WISHES].map((deflate) =>
  createUpgradeRequest(
    { protocols: ['chat', 'superchat'], deflate },
    { ...portablePlatform, randomFill: (target) => void target.fill(0) },
  ),
) as [SentUpgrade, ...SentUpgrade[]]

function judgeResponse(text: string): string {
  const { first, headers } = readHead(text)
  const check = (sent: SentUpgrade, rawHeaders: string[]) =>
    checkUpgradeResponse({ status: Number(first), rawHeaders }, sent)
  const verdicts = [SENT, ...SENT_OFFERS].map((sent) => {
    linear(text, () => check(sent, headers.flat()))
    const answer = check(sent, headers.flat())
    const again = check(sent, rearranged(headers))
    if (answer.established) return judgeEstablished(answer, again, sent, headers)
    same('rearranged', again.established ? 'established' : again.error.code, answer.error.code)
    return answer.error.code
  })
  return [...new Set(verdicts)].join(', ')
}

function judgeEstablished(
  answer: Established,
  again: Established | NotEstablished,
  sent: SentUpgrade,
  headers: readonly [string, string][],
): string {
  same('rearranged', again, answer)
  const values = (name: string) =>
    headers.filter((header) => header[0].toLowerCase() === name).map(([, value]) => value)
  same('the accept value', trimmed(values('sec-websocket-accept')), [sent.expectedAccept])
  same('the subprotocol', ['', 'chat', 'superchat'].includes(answer.protocol), true)
  const extensions = values('sec-websocket-extensions')
  if (extensions.length === 0) {
    same('without extensions', [answer.extensions, answer.deflate], ['', undefined])
    return `established ${answer.protocol}`.trim()
  }
  same('the extensions', [answer.extensions], trimmed(extensions))
  const right = rightAnswer(referenceExtensions(extensions) ?? [], sent.deflate ?? {})
  same('an answer to an offer', [sent.deflate !== undefined, right], [true, answer.deflate])
  return `established${answer.protocol === '' ? '' : ` ${answer.protocol}`}, compressed`
}

const trimmed = (values: readonly string[]): string[] => values.map((value) => value.trim())

const HEADERS =
  'Host: h|Upgrade: websocket|Connection: Upgrade|Sec-WebSocket-Version: 13|Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==|' +
  `Sec-WebSocket-Accept: ${SENT.expectedAccept}|Sec-WebSocket-Protocol: chat|Sec-WebSocket-Extensions: permessage-deflate|` +
  'Content-Length: 0|Transfer-Encoding: chunked|__proto__: x|constructor: y|GET 1.1|101'
const GRAMMAR =
  ',|;|=|"|\\|, |; |="|"; |\t| |\n|\\"|a|__proto__|constructor|permessage-deflate|server_max_window_bits=|10|8|08|15|16|' +
  '; client_max_window_bits|; server_no_context_takeover|; client_no_context_takeover|; server_max_window_bits=9|' +
  '; client_max_window_bits="12"|, permessage-deflate|\0|\x7f|\x80|\xff'

const ANSWERS =
  '\nSec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_max_window_bits=9|' +
  '\nSec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=8; server_no_context_takeover|' +
  '; server_no_context_takeover; server_max_window_bits=8; client_max_window_bits=9|; client_max_window_bits=8'

const words = (list: string): Uint8Array[] =>
  list.split('|').map((word) => Uint8Array.from(Buffer.from(word, 'latin1')))
const HEADER_WORDS = [...words(HEADERS).map((word) => Uint8Array.of(0x0a, ...word)), ...words(GRAMMAR)]

function target(name: string, judge: (text: string) => string, pieces: readonly Uint8Array[]): Target {
  return {
    name,
    corpus: name,
    words: pieces,
    judge: (input) => judge(Buffer.from(input).toString('latin1')),
    show: (input) => JSON.stringify(Buffer.from(input).toString('latin1')),
  }
}

export const HANDSHAKE_TARGETS: readonly Target[] = [
  target('extensions', judgeExtensions, words(GRAMMAR)),
  target('tokens', judgeTokens, words(GRAMMAR)),
  target('request', judgeRequest, HEADER_WORDS),
  target('response', judgeResponse, [...HEADER_WORDS, ...words(ANSWERS)]),
]
