// A slow, obvious decoder, the oracle of the parser and of Protocol: the whole input in, everything that it says out. It
// is written by rules, not by states: for each frame it lists all the rules that are broken, each with the offset of the
// byte that decides it, and takes the earliest. Of rules that one byte breaks, the one listed first counts.

import { isUtf8 } from 'node:buffer'
import type { ErrorCode, Role } from '../../src/index.ts'
import { type InflateRules, ReferenceInflater } from './inflate.ts'

export interface Rules {
  /** Whose decoder this is: a server reads masked frames, a client unmasked ones. */
  readonly role: Role
  readonly maxPayload: number
  readonly maxFragments: number
  /** Of what the peer sends, if permessage-deflate was negotiated: RSV1 then marks a compressed message. */
  readonly deflate?: Omit<InflateRules, 'limit'> | undefined
}

export const DEFAULT_RULES = { maxPayload: 16 * 1024 * 1024, maxFragments: 131_072 }

/** A broken rule; `offset` counts the bytes up to and with the one that decides it. */
export interface Fault {
  readonly code: ErrorCode
  readonly offset: number
}

/** A frame whose length is known. */
export interface Frame {
  readonly first: number
  readonly length: number
  /** What of the payload is there, unmasked. */
  readonly payload: Uint8Array
  readonly payloadStart: number
  /** The offset after the frame; absent while bytes are missing. */
  readonly end: number | undefined
}

export type StreamEvent =
  | readonly ['text', string]
  | readonly ['binary' | 'ping' | 'pong', string]
  | readonly ['close', number, string]

/** The frames of a stream, as the parser is to see them: up to the end of the input or to the first broken rule. */
export function decodeFrames(input: Uint8Array, rules: Rules): { frames: Frame[]; fault: Fault | undefined } {
  const frames: Frame[] = []
  let open: Open = { begun: false, frames: 0, bytes: 0 }
  for (let start = 0; start < input.length; ) {
    const rest = input.subarray(start)
    const fault = earliest(headFaults(rest, open, rules))
    if (fault !== undefined) return { frames, fault: { code: fault.code, offset: start + fault.offset } }
    const frame = cutFrame(input, start)
    if (frame === undefined) break
    frames.push(frame)
    if (frame.end === undefined) break
    start = frame.end
    if (opcodeOf(frame) >= 8) continue
    open =
      (frame.first & 0x80) !== 0
        ? { begun: false, frames: 0, bytes: 0 }
        : {
            begun: true,
            frames: open.frames + 1,
            bytes: open.bytes + frame.length,
            compressed: isCompressed(frame.first, open, rules),
          }
  }
  return { frames, fault: undefined }
}

/** What a stream says, up to its end, its first broken rule, or the Close frame, after which nothing is read. */
export function decodeStream(input: Uint8Array, rules: Rules): { events: StreamEvent[]; fault: Fault | undefined } {
  const { frames, fault } = decodeFrames(input, rules)
  const events: StreamEvent[] = []
  const inflater = rules.deflate && new ReferenceInflater({ ...rules.deflate, limit: rules.maxPayload })
  let message: number[] = []
  let text = false
  let compressed = false
  for (const frame of frames) {
    const opcode = opcodeOf(frame)
    if (opcode >= 8) {
      const broken = opcode === 8 ? earliest(closeFaults(frame)) : undefined
      if (broken !== undefined) return { events, fault: broken }
      if (frame.end === undefined) break
      events.push(controlEvent(opcode, frame.payload))
      if (opcode === 8) return { events, fault: undefined }
      continue
    }
    if (opcode !== 0) {
      message = []
      text = opcode === 1
      compressed = (frame.first & 0x40) !== 0
    }
    const before = message.length
    message = [...message, ...frame.payload]
    const whole = frame.end !== undefined && (frame.first & 0x80) !== 0
    const end = whole ? frame.end : undefined
    const broken =
      text && !compressed ? textFault(Uint8Array.from(message), frame.payloadStart - before, end) : undefined
    if (broken !== undefined) return { events, fault: broken }
    if (end === undefined) continue
    const bytes = compressed ? inflater?.inflate(Uint8Array.from(message)) : Uint8Array.from(message)
    if (bytes === undefined) throw new Error('RSV1 without an agreement')
    if (typeof bytes === 'string') return { events, fault: { code: bytes, offset: end } }
    if (text && !isUtf8(bytes)) return { events, fault: { code: 'INVALID_UTF8', offset: end } }
    events.push(text ? ['text', Buffer.from(bytes).toString()] : ['binary', Buffer.from(bytes).toString('hex')])
  }
  return { events, fault }
}

function opcodeOf(frame: Frame): number {
  return frame.first & 0x0f
}

/** A message in progress: its frames so far. */
interface Open {
  begun: boolean
  frames: number
  bytes: number
  compressed?: boolean
}

function isCompressed(first: number, open: Open, rules: Rules): boolean {
  return rules.deflate !== undefined && (open.begun ? open.compressed === true : (first & 0x40) !== 0)
}

/** What does not compress may grow by an eighth. */
function mostCompressed(size: number): number {
  return size + Math.floor(size / 8) + 64
}

function headFaults(bytes: Uint8Array, open: Open, rules: Rules): Fault[] {
  const faults: Fault[] = []
  const [first = 0, second] = bytes
  const opcode = first & 0x0f
  const fin = (first & 0x80) !== 0
  const control = opcode >= 8
  const compressed = rules.deflate !== undefined && (opcode === 1 || opcode === 2)
  if ((first & (compressed ? 0x30 : 0x70)) !== 0) faults.push({ code: 'RESERVED_BITS', offset: 1 })
  if (![0, 1, 2, 8, 9, 10].includes(opcode)) faults.push({ code: 'RESERVED_OPCODE', offset: 1 })
  if (control && !fin) faults.push({ code: 'FRAGMENTED_CONTROL', offset: 1 })
  if (opcode === 0 && !open.begun) faults.push({ code: 'UNEXPECTED_CONTINUATION', offset: 1 })
  if ((opcode === 1 || opcode === 2) && open.begun) faults.push({ code: 'INTERLEAVED_MESSAGE', offset: 1 })
  if (!control && open.frames + 1 > rules.maxFragments) faults.push({ code: 'TOO_MANY_FRAGMENTS', offset: 1 })
  if (second === undefined) return faults

  const masked = second >= 0x80
  const short = second & 0x7f
  if (rules.role === 'server' && !masked) faults.push({ code: 'MASK_MISSING', offset: 2 })
  if (rules.role === 'client' && masked) faults.push({ code: 'MASK_UNEXPECTED', offset: 2 })
  if (control && short > 125) faults.push({ code: 'CONTROL_TOO_LONG', offset: 2 })
  if (opcode === 8 && short === 1) faults.push({ code: 'CLOSE_PAYLOAD_SIZE', offset: 2 })
  if (control) return faults

  const limit = isCompressed(first, open, rules) ? mostCompressed(rules.maxPayload) : rules.maxPayload
  const size = lengthSize(short)
  const told = bytes.subarray(2, 2 + size)
  if (size === 8 && told.length >= 1 && (told[0] ?? 0) >= 0x80) faults.push({ code: 'LENGTH_TOP_BIT', offset: 3 })
  const least = (known: number): bigint => (size === 0 ? BigInt(short) : integer(told.subarray(0, known), size))
  for (let known = 0; known <= told.length; known++) {
    if (BigInt(open.bytes) + least(known) > BigInt(limit)) {
      faults.push({ code: 'MESSAGE_TOO_BIG', offset: 2 + known })
    }
  }
  if (size === 2 && told.length === 2 && integer(told, 2) < 126n) faults.push({ code: 'LENGTH_NOT_MINIMAL', offset: 4 })
  if (size === 8 && told.length >= 6 && integer(told.subarray(0, 6), 6) === 0n) {
    faults.push({ code: 'LENGTH_NOT_MINIMAL', offset: 8 })
  }
  return faults
}

function lengthSize(short: number): number {
  return short === 126 ? 2 : short === 127 ? 8 : 0
}

/** The integer in network order of which only the first bytes are known, with zeros for the others. */
function integer(known: Uint8Array, size: number): bigint {
  const digits = Buffer.from(known)
    .toString('hex')
    .padEnd(2 * size, '0')
  return BigInt(`0x${digits}`)
}

function cutFrame(input: Uint8Array, start: number): Frame | undefined {
  const [first, second] = input.subarray(start)
  if (first === undefined || second === undefined) return undefined
  const size = lengthSize(second & 0x7f)
  const told = input.subarray(start + 2, start + 2 + size)
  if (told.length < size) return undefined
  const length = size === 0 ? second & 0x7f : Number(integer(told, size))
  const keyStart = start + 2 + size
  const payloadStart = second >= 0x80 ? keyStart + 4 : keyStart
  const key = input.subarray(keyStart, payloadStart)
  const payload = input
    .subarray(payloadStart, payloadStart + length)
    .map((byte, index) => byte ^ (key.length === 4 ? (key[index % 4] ?? 0) : 0))
  const end = payloadStart + length
  return { first, length, payload, payloadStart, end: end <= input.length ? end : undefined }
}

function controlEvent(opcode: number, payload: Uint8Array): StreamEvent {
  const bytes = Buffer.from(payload)
  if (opcode === 9) return ['ping', bytes.toString('hex')]
  if (opcode === 10) return ['pong', bytes.toString('hex')]
  return bytes.length === 0 ? ['close', 1005, ''] : ['close', bytes.readUInt16BE(), bytes.subarray(2).toString()]
}

function closeFaults({ payload, payloadStart, end }: Frame): Fault[] {
  const faults: Fault[] = []
  if (payload.length < 2) return faults
  const code = Buffer.from(payload).readUInt16BE()
  if (!mayBeOnTheWire(code)) faults.push({ code: 'CLOSE_CODE_INVALID', offset: payloadStart + 2 })
  const reason = textFault(payload.subarray(2), payloadStart + 2, end)
  return reason === undefined ? faults : [...faults, reason]
}

/** STANDARDS L2 and L3, as a list. */
export function mayBeOnTheWire(code: number): boolean {
  const listed = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014]
  return listed.includes(code) || (code >= 3000 && code <= 4999)
}

/** The fault of a text that begins at `start` of the stream; `end` is its end, absent if more may follow. */
function textFault(bytes: Uint8Array, start: number, end: number | undefined): Fault | undefined {
  const index = firstImpossible(bytes)
  if (index >= 0) return { code: 'INVALID_UTF8', offset: start + index + 1 }
  return end !== undefined && !isUtf8(bytes) ? { code: 'INVALID_UTF8', offset: end } : undefined
}

/** One of these completes every code point that can still be completed (the table of RFC 3629 §4). */
const COMPLETIONS = [[], ...[0x80, 0x90, 0xa0].flatMap((next) => [[next], [next, 0x80], [next, 0x80, 0x80]])]

/** Whether some valid text begins with these bytes. */
export function beginsText(bytes: Uint8Array): boolean {
  return COMPLETIONS.some((completion) => isUtf8(Uint8Array.from([...bytes, ...completion])))
}

/** The index of the first byte with which the bytes no longer begin any valid text, or −1. */
export function firstImpossible(bytes: Uint8Array): number {
  if (beginsText(bytes)) return -1
  // What begins a text also does so when shortened: halve the range between a good and a bad length.
  let good = 0
  let bad = bytes.length
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    if (beginsText(bytes.subarray(0, middle))) good = middle
    else bad = middle
  }
  return bad - 1
}

function earliest(faults: readonly Fault[]): Fault | undefined {
  return faults.reduce<Fault | undefined>(
    (first, fault) => (first === undefined || fault.offset < first.offset ? fault : first),
    undefined,
  )
}
