// One check of the core dropped or bent each: the catalogue must notice every one. Rules: `text` stands exactly once in its
// file of packages/protocol/src, and the mutant differs in what can be seen on the wire. Mutants of compression and of the
// handshake are run on the cases about that only, the others on those about frames: whichever runs, no more is needed.

export interface Mutation {
  readonly file: string
  readonly text: string
  readonly replacement: string
  /** The sections that must notice it: their names begin with one of these. */
  readonly sections: readonly string[]
}

const FRAMES = ['framing', 'reserved', 'pings', 'fragmentation', 'utf8', 'close', 'limits', 'verdicts']
/** The quicker ones first: a run ends at the first failure. */
const COMPRESSION = ['compression/faults', 'compression/blocks', 'compression/limits', 'compression/messages']
const HANDSHAKE = ['handshake/']

function mutate(file: string, text: string, replacement: string): Mutation {
  return { file, text, replacement, sections: sectionsOf(file) }
}

function sectionsOf(file: string): readonly string[] {
  if (HANDSHAKE_FILES.includes(file) || file.startsWith('handshake/')) return HANDSHAKE
  return COMPRESSION_FILES.includes(file) ? COMPRESSION : FRAMES
}

const CHECK = 'frame/check.ts'
const PARSER = 'frame/parser.ts'
const HEADER = 'frame/header.ts'
const CLOSE = 'frame/close-payload.ts'
const UTF8 = 'message/utf8.ts'
const ASSEMBLER = 'message/assembler.ts'
const PROTOCOL = 'protocol.ts'
const PARAMETERS = 'deflate/parameters.ts'
const NEGOTIATE = 'deflate/negotiate.ts'
const EXPANSION = 'deflate/compression.ts'
const MESSAGE_END = 'deflate/message-end.ts'
const WINDOW = 'deflate/window.ts'
const TERMS = 'node/deflate/terms.ts'
const INFLATER = 'node/deflate/inflater.ts'
const INFLATE_APART = 'node/deflate/inflate-apart.ts'
const DEFLATER = 'node/deflate/deflater.ts'
const HEADERS = 'handshake/headers.ts'
const ACCEPT = 'handshake/accept.ts'
const REJECT = 'handshake/reject.ts'
const REQUEST = 'handshake/request.ts'
const KEY = 'handshake/key.ts'
const HANDSHAKE_FILES: readonly string[] = [PARAMETERS, NEGOTIATE]
const COMPRESSION_FILES: readonly string[] = [EXPANSION, MESSAGE_END, WINDOW, TERMS, INFLATER, INFLATE_APART, DEFLATER]

export const MUTATIONS: readonly Mutation[] = [
  mutate(CHECK, '(RSV2 | RSV3)', 'RSV2'),
  mutate(CHECK, '(RSV2 | RSV3)', 'RSV3'),
  mutate(CHECK, '(first & RSV1) !== 0 &&', 'false &&'),
  mutate(CHECK, 'opcode > Opcode.Pong ||', 'false ||'),
  mutate(CHECK, 'opcode > Opcode.Binary && opcode < Opcode.Close', 'false'),
  mutate(CHECK, "(first & FIN) === 0 ? 'FRAGMENTED_CONTROL' : undefined", 'undefined'),
  mutate(CHECK, "fragmented ? undefined : 'UNEXPECTED_CONTINUATION'", 'undefined'),
  mutate(CHECK, "fragmented ? 'INTERLEAVED_MESSAGE' : undefined", 'undefined'),
  mutate(CHECK, "masked !== (role === 'server')", "!masked && role === 'server'"),
  mutate(CHECK, "masked !== (role === 'server')", "masked && role === 'client'"),
  mutate(CHECK, 'length > MAX_CONTROL_PAYLOAD', 'false'),
  mutate(CHECK, 'length > MAX_CONTROL_PAYLOAD', 'length >= MAX_CONTROL_PAYLOAD'),
  mutate(CHECK, 'return length === 1 &&', 'return false &&'),
  mutate(PARSER, 'byte >= SIGN_BIT', 'false'),
  mutate(PARSER, 'bytesLeft === 0 && this.#length < LENGTH_16', 'false'),
  mutate(PARSER, 'return bytesLeft === SHORT_TAIL && this.#length === 0', 'return false'),
  mutate(PARSER, 'this.#messageLength + length > this.#limit', 'length > this.#limit'),
  mutate(PARSER, 'this.#messageLength + length > this.#limit', 'this.#messageLength + length >= this.#limit'),
  mutate(PARSER, '(first & RSV1) === 0 ? this.#maxPayload : this.#maxCompressed', 'this.#maxCompressed'),
  mutate(
    PARSER,
    '(kind !== WHOLE_TEXT && kind !== WHOLE_BINARY) || this.#fragmented ||',
    '(kind !== WHOLE_TEXT && kind !== WHOLE_BINARY) ||',
  ),
  mutate(PARSER, 'if (length < LENGTH_16) return at', ''),
  mutate(PARSER, 'second >= MASK !== masked ||', ''),
  mutate(PARSER, 'until > end ||', ''),
  mutate(PARSER, '|| length > this.#limitOf(first)) return at', ') return at'),
  mutate(PARSER, 'readUint32(buffer, at + 2) !== 0 ||', ''),
  mutate(PARSER, '|| length <= MAX_LENGTH_16) return at', ') return at'),
  mutate(PARSER, 'this.#allowRsv1 ? first & ~RSV1 : first', 'first & ~RSV1'),
  mutate(PARSER, 'return !isControl(this.#first) && this.#messageLength', 'return this.#messageLength'),
  mutate(PARSER, 'if (this.#tooBig(this.#length))', 'if (false)'),
  mutate(PARSER, 'if (this.#tooBig(least))', 'if (left === 0 && this.#tooBig(least))'),
  mutate(PARSER, 'if (this.#tooBig(least))', 'if (false)'),
  mutate(PARSER, 'this.#messageLength += this.#length', ''),
  mutate(PARSER, 'this.#fragmented = (this.#first & FIN) === 0', 'this.#fragmented = false'),
  mutate(PARSER, 'this.#key, this.#length - this.#remaining', 'this.#key, 0'),
  mutate(PARSER, "this.#keyBytesLeft = this.#role === 'server' ? MASKING_KEY_SIZE : 0", 'this.#keyBytesLeft = 0'),
  mutate(HEADER, 'target[at++] = mask | LENGTH_16', 'target[at++] = mask | LENGTH_64'),
  mutate(HEADER, 'key === undefined ? 0 : MASK\n', '0\n'),
  mutate(UTF8, 'byte < 0xc2 ||', 'byte < 0xc0 ||'),
  mutate(UTF8, 'byte > 0xf4) return false', 'byte > 0xf7) return false'),
  mutate(UTF8, 'if (byte === 0xe0)', 'if (byte < 0)'),
  mutate(UTF8, 'if (byte === 0xed)', 'if (byte < 0)'),
  mutate(UTF8, 'if (byte === 0xf0)', 'if (byte < 0)'),
  mutate(UTF8, 'if (byte === 0xf4)', 'if (byte < 0)'),
  mutate(UTF8, 'byte < this.#low ||', 'false ||'),
  mutate(UTF8, '|| byte > this.#high', ''),
  mutate(ASSEMBLER, 'if (this.#midCodePoint()) return undefined', ''),
  mutate(CLOSE, 'code <= LAST_PRIVATE', 'true'),
  mutate(CLOSE, 'code <= CloseCode.BadGateway', 'true'),
  mutate(CLOSE, 'code >= CloseCode.InvalidPayload', 'code >= 1004'),
  mutate(CLOSE, 'code >= CloseCode.Normal &&', ''),
  mutate(CLOSE, 'if (!isUtf8(payload, 2, payload.length))', 'if (false)'),
  mutate(CLOSE, 'return invalid < 0 ? undefined', 'return true ? undefined'),
  mutate(CLOSE, 'if (!isWireCloseCode(code)) return', 'if (false) return'),
  mutate(PROTOCOL, 'if (fault === undefined) return', 'return'),
  mutate(PROTOCOL, "if (this.role === 'server') this.#handler.onEnd()", 'this.#handler.onEnd()'),
  mutate(PROTOCOL, "if (this.role === 'server') this.#handler.onEnd()", ''),
  mutate(PROTOCOL, 'this.#sendClose(payload.subarray(0, 2))', 'this.#sendClose(payload.subarray(0, 0))'),
  mutate(PROTOCOL, "options.role === 'client' ? platform.maskingKey : undefined", 'undefined'),
  mutate(PROTOCOL, "options.role === 'client' ? platform.maskingKey : undefined", 'platform.maskingKey'),
  mutate(PROTOCOL, 'this.unblocked() // one', "if (this.#state !== 'open') return // one"),
  mutate(PROTOCOL, 'if (wasOpen) this.#handler.onClosing()\n    this.#handler.onEnd()', ''),
  mutate(PARAMETERS, '/^(?:[89]|1[0-5])$/', '/^(?:[789]|1[0-5])$/'),
  mutate(PARAMETERS, '/^(?:[89]|1[0-5])$/', '/^(?:[89]|1[0-6])$/'),
  mutate(PARAMETERS, '/^(?:[89]|1[0-5])$/', '/^0?(?:[89]|1[0-5])$/'),
  mutate(PARAMETERS, 'given.has(name) ||', ''),
  mutate(PARAMETERS, 'return value === true\n', 'return true\n'),
  mutate(PARAMETERS, 'return value !== true &&', 'return value === true ||'),
  mutate(PARAMETERS, 'return value === true || WINDOW_BITS', 'return WINDOW_BITS'),
  mutate(PARAMETERS, 'default:\n      return false', 'default:\n      return true'),
  mutate(NEGOTIATE, 'if (accepted !== undefined) return accepted', 'return accepted'),
  mutate(
    NEGOTIATE,
    'given.serverNoContextTakeover || wanted.serverNoContextTakeover',
    'wanted.serverNoContextTakeover',
  ),
  mutate(
    NEGOTIATE,
    'Math.min(given.serverMaxWindowBits ?? LARGEST_WINDOW_BITS, wanted.serverMaxWindowBits)',
    'wanted.serverMaxWindowBits',
  ),
  mutate(NEGOTIATE, 'if (clientMaxWindowBits === undefined) return LARGEST_WINDOW_BITS', ''),
  mutate(NEGOTIATE, 'return Math.min(offered, wanted.clientMaxWindowBits)', 'return wanted.clientMaxWindowBits'),
  mutate(NEGOTIATE, '? unlessLargest(parameters.serverMaxWindowBits)', '? undefined'),
  mutate(NEGOTIATE, '|| more.length > 0 ||', '||'),
  mutate(NEGOTIATE, 'if (wanted.serverNoContextTakeover && !given.serverNoContextTakeover)', 'if (false)'),
  mutate(NEGOTIATE, '(server ?? LARGEST_WINDOW_BITS) > wanted', '(server ?? 0) > wanted'),
  mutate(NEGOTIATE, "if (client === true) return 'client_max_window_bits needs a value'", ''),
  mutate(NEGOTIATE, 'client !== undefined && client > wanted.clientMaxWindowBits', 'false'),
  mutate(EXPANSION, 'size + Math.floor(size / 8) + 64', 'size'),
  mutate(MESSAGE_END, 'return output === 0 && (', 'return ('),
  mutate(MESSAGE_END, 'unread === PROBE.length - FLUSH_SIZE', 'unread < PROBE.length'),
  mutate(WINDOW, '!this.kept || message.length === 0', 'message.length === 0'),
  mutate(WINDOW, 'Math.max(message.length - size, 0)', '0'),
  mutate(TERMS, "role === 'server' ? [server, client]", "role === 'client' ? [server, client]"),
  mutate(INFLATER, "if (size > limit) return 'MESSAGE_TOO_BIG'", "if (size > limit) return 'INVALID_DEFLATE'"),
  mutate(INFLATER, 'if (size > limit) return', 'if (size < 0) return'),
  mutate(INFLATER, 'if (window.total > 0) this.#feed(handle, window.parts)', ''),
  mutate(INFLATER, 'this.#feed(handle, window.parts, scratch.subarray(0, size))', ''),
  mutate(INFLATER, 'if (handle.unread < PROBE.length && window.kept)', 'if (handle.unread < PROBE.length)'),
  mutate(INFLATE_APART, 'if (this.#size > this.#limit) this', 'if (this.#size < 0) this'),
  mutate(INFLATE_APART, 'dictionary.length > 0 && {', 'false && {'),
  mutate(DEFLATER, 'windowBits: Math.max(bits, LEAST_DEFLATE_BITS)', 'windowBits: 15'),
  mutate(DEFLATER, 'const LEAST_DEFLATE_BITS = 9', 'const LEAST_DEFLATE_BITS = 10'),
  mutate(DEFLATER, 'if (!this.#options.takeover) handle.reset()', ''),
  mutate(DEFLATER, 'if (!this.#options.takeover) stream.reset()', ''),
  mutate(DEFLATER, 'if (this.#options.takeover) handle.reset()', ''),
  mutate(HEADERS, "if (token === '') continue", "if (token === '') return undefined"),
  mutate(HEADERS, 'if (!isToken(token)) return undefined', ''),
  mutate(HEADERS, 'return tokens.length === 0 ? undefined : tokens', 'return tokens'),
  mutate(HEADERS, 'return cursor.atEnd && extensions.length > 0 ?', 'return cursor.atEnd ?'),
  mutate(HEADERS, 'return cursor.atEnd && extensions.length > 0 ?', 'return extensions.length > 0 ?'),
  mutate(HEADERS, 'return isToken(value) ? value : undefined', 'return value'),
  mutate(HEADERS, "this.take('\\\\')\n", ''),
  mutate(HEADERS, '(rawHeaders[at - 1] as string).toLowerCase()', 'rawHeaders[at - 1] as string'),
  mutate(HEADERS, 'else lines.push(line)', ''),
  mutate(ACCEPT, "if (request.method !== 'GET')", 'if (false)'),
  mutate(ACCEPT, "version === '0.9' || version === '1.0'", 'false'),
  mutate(ACCEPT, 'if (hosts !== 1)', 'if (hosts === 0)'),
  mutate(REJECT, "length !== '0'", 'false'),
  mutate(REJECT, "&& headerLines(fields, 'transfer-encoding').length === 0", ''),
  mutate(ACCEPT, '/^[ \\t]*websocket[ \\t]*$/i', '/websocket/i'),
  mutate(ACCEPT, '/^[ \\t]*websocket[ \\t]*$/i', '/^[ \\t]*websocket[ \\t]*$/'),
  mutate(ACCEPT, 'if (versions.length > 1) return', 'if (false) return'),
  mutate(ACCEPT, 'if (versions[0] !== PROTOCOL_VERSION)', 'if (Number.parseInt(versions[0] ?? "0") !== 13)'),
  mutate(ACCEPT, 'key === undefined || keys.length > 1 || !isKey(key)', 'key === undefined || !isKey(key)'),
  mutate(ACCEPT, 'if (protocols === undefined) {', 'if (false) {'),
  mutate(ACCEPT, 'if (extensions === undefined) {', 'if (false) {'),
  mutate(ACCEPT, "token.toLowerCase() === 'upgrade'", "token === 'Upgrade'"),
  mutate(REQUEST, 'if (status === 101) return undefined', 'return undefined'),
  mutate(REQUEST, '/^websocket$/i', '/websocket/i'),
  mutate(REQUEST, 'accept.length === 1 && accept[0] === expectedAccept', 'accept[0] === expectedAccept'),
  mutate(
    REQUEST,
    'accept.length === 1 && accept[0] === expectedAccept',
    'accept[0]?.toLowerCase() === expectedAccept.toLowerCase()',
  ),
  mutate(REQUEST, "if (hasUpgradeToken(headerLines(fields, 'connection'))) return undefined", 'return undefined'),
  mutate(REQUEST, 'if (lines.length > 1) return fail(', 'if (false) return fail('),
  mutate(
    REQUEST,
    'protocol.length === 1 && sent.protocols.includes(protocol.join())',
    'sent.protocols.includes(protocol[0] as string)',
  ),
  mutate(KEY, '{22}==$/', '+={0,2}$/'),
  mutate(KEY, '/^[+/0-9A-Za-z]{22}==$/', '/^[+/0-9A-Za-z]{21}[AQgw]==$/'),
]
