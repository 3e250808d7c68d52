// One check of the core dropped or bent each: the catalogue must notice every one. Rules: `text` stands exactly once in its
// file of packages/protocol/src, and the mutant differs in what can be seen on the wire.

export interface Mutation {
  readonly file: string
  readonly text: string
  readonly replacement: string
}

function mutate(file: string, text: string, replacement: string): Mutation {
  return { file, text, replacement }
}

const CHECK = 'frame/check.ts'
const PARSER = 'frame/parser.ts'
const HEADER = 'frame/header.ts'
const CLOSE = 'frame/close-payload.ts'
const UTF8 = 'message/utf8.ts'
const ASSEMBLER = 'message/assembler.ts'
const PROTOCOL = 'protocol.ts'

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
  mutate(PARSER, 'this.#messageLength + length > this.#maxPayload', 'length > this.#maxPayload'),
  mutate(PARSER, 'this.#messageLength + length > this.#maxPayload', 'this.#messageLength + length >= this.#maxPayload'),
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
  mutate(ASSEMBLER, 'if (this.#midCodePoint) return undefined', ''),
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
]
