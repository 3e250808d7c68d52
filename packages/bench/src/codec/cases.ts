// The parts of the codec alone, without sockets. Rules: a case does its operation many times a call, so that reading the clock
// does not count; whatever it changes, it changes back or does not read again; results are used, so nothing is optimised away.

import {
  encodeFrame,
  FrameParser,
  type FrameSink,
  Opcode,
  portablePlatform,
  Utf8Validator,
  writeFrameHeader,
} from '@ws/protocol'
import { nodePlatform } from '@ws/protocol/node'
import { job } from '../job.ts'
import { payloadOf, repeat, requestOf } from '../wire.ts'

/** A piece of the codec. */
export interface Case {
  /** How many operations a call does. */
  readonly operations: number
  readonly run: () => void
}

const FIN = 0x80
const KEY = 0x1234abcd
const PARSED = 64 * 1024
const MAX_PAYLOAD = 16 * 1024 * 1024

/** Where results go. */
const sink = { value: 0 }

export const CASES: Readonly<Record<string, () => Case>> = {
  'parse-64': () => parse(64),
  'parse-1024': () => parse(1024),
  'parse-65536': () => parse(65_536),
  'mask-16': () => mask(16),
  'mask-64': () => mask(64),
  'mask-1024': () => mask(1024),
  'mask-65536': () => mask(65_536),
  'mask-1024-portable': () => mask(1024, portablePlatform.applyMask),
  'utf8-check-1024-ascii': () => check('ascii'),
  'utf8-check-1024-unicode': () => check('unicode'),
  'utf8-validator-1024-unicode': validator,
  'utf8-decode-1024-ascii': () => decode('ascii'),
  'utf8-decode-1024-unicode': () => decode('unicode'),
  'header-64': () => header(64, undefined),
  'header-65536-masked': () => header(65_536, KEY),
  'encode-64': () => encode(64),
  'encode-1024': () => encode(1024),
}

/** Parsing unmasks in place, so every other call sees the payload as it was; headers and keys stay. */
function parse(size: number): Case {
  const request = requestOf(job('echo', 1, size))
  const count = Math.ceil(PARSED / request.length)
  const bytes = repeat(request, count)
  const frames: FrameSink = {
    onHeader: () => {},
    onPayload: (_, start, end) => {
      sink.value += end - start
    },
    onFrameEnd: () => {},
    onViolation: (error) => {
      throw error
    },
  }
  const { applyMask } = nodePlatform
  const limits = { maxPayload: MAX_PAYLOAD, maxFragments: 1000, allowRsv1: false }
  const parser = new FrameParser({ role: 'server', ...limits, applyMask }, frames)
  return { operations: count, run: () => void parser.push(bytes, 0, bytes.length) }
}

function mask(size: number, applyMask: typeof nodePlatform.applyMask = nodePlatform.applyMask): Case {
  const bytes = payloadOf(job('echo', 1, size))
  return loop(callsFor(size), () => applyMask(bytes, 0, size, KEY, 0))
}

function check(payload: 'ascii' | 'unicode'): Case {
  const bytes = payloadOf(job('echo', 1, 1024, { payload }))
  return loop(callsFor(bytes.length), () => {
    sink.value += Number(nodePlatform.isUtf8(bytes, 0, bytes.length))
  })
}

function validator(): Case {
  const bytes = payloadOf(job('echo', 1, 1024, { payload: 'unicode' }))
  const state = new Utf8Validator()
  return loop(callsFor(bytes.length), () => {
    sink.value += state.push(bytes, 0, bytes.length)
  })
}

function decode(payload: 'ascii' | 'unicode'): Case {
  const bytes = payloadOf(job('echo', 1, 1024, { payload }))
  return loop(callsFor(bytes.length), () => {
    sink.value += nodePlatform.decodeUtf8(bytes, 0, bytes.length).length
  })
}

function header(length: number, key: number | undefined): Case {
  const target = new Uint8Array(16)
  return loop(10_000, () => {
    sink.value += writeFrameHeader(target, 0, FIN | Opcode.Binary, length, key)
  })
}

function encode(size: number): Case {
  const payload = payloadOf(job('echo', 1, size))
  return loop(callsFor(size), () => {
    sink.value += encodeFrame(FIN | Opcode.Binary, payload, undefined).length
  })
}

/** About a megabyte of work a call. */
function callsFor(size: number): number {
  return Math.ceil((1024 * 1024) / Math.max(size, 256))
}

function loop(operations: number, operation: () => void): Case {
  const run = (): void => {
    for (let left = operations; left > 0; left--) operation()
  }
  return { operations, run }
}
