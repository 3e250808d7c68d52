// Those who do not behave. Nothing is promised to them, but for the close code that some must get; they must cost the others nothing.

import { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import { constants, deflateRawSync } from 'node:zlib'
import { connect } from '@ws/client'
import { type Compression, encode, Peer, type SentFrame } from '@ws/conformance'
import { pick, type Random } from '@ws/testkit'
import { dial, drop, makeKey, type Opened, open, requestOf } from './dial.ts'
import type { Leave } from './leave.ts'
import type { Surroundings, Visitor } from './visitor.ts'

const FINE = { faults: [] }
const TEXT = 1
const BINARY = 2
const PING = 9
const RSV1 = 4
const MIB = 1024 * 1024
const MAX_PAYLOAD = 16 * MIB
const TOO_BIG = 1009
const COMPRESSED: Compression = { target: { bits: 15, takeover: true }, peer: { bits: 15, takeover: true } }
/** 64 MiB of zeros in 64 KiB, made once. */
const BOMB = deflateRawSync(Buffer.alloc(4 * MAX_PAYLOAD), { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)
const BLOCK = Buffer.alloc(MIB, 'flood ')

type Rudeness = (socket: Socket, surroundings: Surroundings) => Promise<void>

/** After a good handshake; the socket is gone in the end, one way or the other. */
function afterHandshake(act: Rudeness): Visitor {
  return async (surroundings) => {
    const { socket } = await open(surroundings.port)
    try {
      await act(socket, surroundings)
    } finally {
      await drop(socket)
    }
    return FINE
  }
}

/** Comes and goes: before, while and after it has asked, and at once after the answer; also our own client. */
export const leaves: Visitor = async ({ port, random }) => {
  const how = random(5)
  if (how === 0) {
    const socket = await connect(`ws://127.0.0.1:${port}`)
    socket.send('and gone')
    socket.terminate()
    await socket.closed
    return FINE
  }
  if (how === 1) {
    await drop((await open(port)).socket)
    return FINE
  }
  const socket = await dial(port)
  if (how > 2) socket.write(requestOf({}, makeKey()))
  if (how === 4) socket.end()
  await drop(socket)
  return FINE
}

/** Resets TCP: in the middle of a message, of an answer, of anything. */
export const resets: Visitor = afterHandshake(async (socket, { random, leave }) => {
  const bytes = Buffer.concat([some(random), some(random)])
  socket.write(bytes.subarray(0, bytes.length - random(4)))
  if (random(2) === 0) socket.resume()
  await leave.pause(random(20))
  socket.resetAndDestroy()
})

/** Bytes that are no HTTP. */
export const garbage: Visitor = async ({ port, random, leave }) => {
  const socket = await dial(port)
  socket.write(Buffer.from(Array.from({ length: 1 + random(300) }, () => random(256))))
  await ended(socket, leave, random(3_000))
  await drop(socket)
  return FINE
}

/** A request that is not finished, or only after a while, and then by something else. */
export const halfHandshake: Visitor = async ({ port, random, leave }) => {
  const socket = await dial(port)
  const request = requestOf({}, makeKey())
  const cut = random(request.length)
  socket.write(request.slice(0, cut))
  await ended(socket, leave, random(random(4) === 0 ? 12_000 : 2_000))
  if (random(3) === 0) socket.write(request.slice(cut))
  if (random(3) === 0) socket.resetAndDestroy()
  await drop(socket)
  return FINE
}

/** Connected and silent, for longer than most; then it ends TCP without a word. */
export const silent: Visitor = afterHandshake(async (socket, { random, leave }) => {
  await ended(socket, leave, random(10_000))
  socket.end()
  if (random(2) === 0) await ended(socket, leave, 1_000)
})

/** A message is begun, and dribbles or stands still. */
export const halfMessage: Visitor = afterHandshake(async (socket, { random, leave }) => {
  const bytes = encode({ opcode: TEXT, payload: Buffer.alloc(5_000, 'half ') }, 'server')
  for (let at = 0, left = random(20); left > 0 && !leave.called; left--) {
    socket.write(bytes.subarray(at, at + 10))
    at += 10
    await ended(socket, leave, random(200))
  }
})

/** As much as goes out, of messages, pings or empty fragments; it reads the answers, or not. */
export const floods: Visitor = afterHandshake(async (socket, { random, leave }) => {
  const frame: SentFrame = pick(random, [
    { opcode: TEXT, payload: Buffer.from('flood') },
    { opcode: PING, payload: Buffer.alloc(125) },
    { opcode: BINARY, payload: BLOCK.subarray(0, 10_000) },
  ])
  const one = encode(frame, 'server')
  const many = Buffer.concat(Array(Math.ceil(100_000 / one.length)).fill(one))
  if (random(2) === 0) socket.resume()
  for (let left = random(30); left > 0 && !leave.called && socket.writable; left--) {
    if (!socket.write(many)) await drained(socket, leave)
  }
})

/** Asks for much and reads nothing of it: for ever, or for a while. */
export const stalls: Visitor = afterHandshake(async (socket, { random, leave }) => {
  const ask = encode({ opcode: BINARY, payload: BLOCK }, 'server')
  for (let left = random(32); left > 0 && !leave.called && socket.writable; left--) {
    if (!socket.write(ask)) await drained(socket, leave)
  }
  await leave.pause(random(3_000))
  if (random(2) === 0) await ended(socket, leave, 2_000)
  if (random(2) === 0) socket.resetAndDestroy()
})

/** A frame or a sum of fragments past `maxPayload`. */
export const oversize: Visitor = ({ port, random }) => {
  const declared = { payload: BLOCK.subarray(0, random(2_000)), declared: BigInt(MAX_PAYLOAD + 1 + random(MIB)) }
  const first = { opcode: TEXT, payload: Buffer.alloc(10, 'a'), fin: false }
  const frames = random(2) === 0 ? [{ opcode: BINARY, ...declared }] : [first, { opcode: 0, ...declared }]
  return refused(port, frames, undefined, TOO_BIG)
}

/** A little that becomes much. */
export const bomb: Visitor = ({ port }) => {
  return refused(port, [{ opcode: BINARY, rsv: RSV1, payload: BOMB }], COMPRESSED, TOO_BIG)
}

/** Breaks a rule, and then neither answers the Close nor ends TCP. */
export const ignoresClose: Visitor = afterHandshake(async (socket, { random, leave }) => {
  socket.write(encode(random(2) === 0 ? { opcode: 3 } : { opcode: TEXT, wrongMask: true }, 'server'))
  if (random(2) === 0) socket.resume()
  await leave.pause(random(12_000))
})

/** Sends frames upon which the server must close with a code. */
async function refused(port: number, frames: SentFrame[], compression: Compression | undefined, code: number) {
  const opened = await open(port, { compression })
  try {
    opened.socket.write(Buffer.concat(frames.map((frame) => encode(frame, 'server'))))
    const got = await closeCode(opened, compression)
    return { faults: got === code ? [] : [`expected Close ${code}, got ${got}`] }
  } finally {
    await drop(opened.socket)
  }
}

async function closeCode({ socket, head }: Opened, compression: Compression | undefined): Promise<number | string> {
  const peer = new Peer(socket, 'server', head, compression)
  const frame = await peer.next()
  if (frame === 'end') return 'the end of TCP'
  return frame.opcode === 8 && frame.content.length >= 2 ? frame.content.readUInt16BE() : `opcode ${frame.opcode}`
}

/** A whole message. */
function some(random: Random): Uint8Array {
  return encode({ opcode: BINARY, payload: BLOCK.subarray(0, random(100_000)) }, 'server')
}

/** Reads until the server ends, for so many ms at most. */
function ended(socket: Socket, leave: Leave, ms: number): Promise<void> {
  socket.resume()
  return socket.destroyed || socket.readableEnded ? Promise.resolve() : waitFor(socket, ['end', 'close'], leave, ms)
}

function drained(socket: Socket, leave: Leave): Promise<void> {
  return waitFor(socket, ['drain', 'close'], leave, 1_000)
}

async function waitFor(socket: Socket, events: readonly string[], leave: Leave, ms: number): Promise<void> {
  let happened = (): void => {}
  const event = new Promise<void>((resolve) => {
    happened = resolve
  })
  for (const name of events) socket.on(name, happened)
  await leave.pause(ms, event)
  for (const name of events) socket.off(name, happened)
}
