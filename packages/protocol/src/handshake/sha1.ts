// SHA-1 (RFC 3174) in plain TypeScript, for the portable platform: it hashes sixty bytes once a connection. It is the
// oracle of the native one. The handshake uses it to prove that the server understood, not to keep a secret (§10.8).

const BLOCK = 64
const STEPS = 80
const WORD = 4
const LENGTH_FIELD = 8
const DIGEST = 20

/** The SHA-1 digest of `data`: 20 bytes. */
export function sha1(data: Uint8Array): Uint8Array {
  const message = pad(data)
  const state = new DataView(new ArrayBuffer(DIGEST))
  ;[0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0].forEach((word, index) => {
    state.setUint32(index * WORD, word)
  })
  const schedule = new DataView(new ArrayBuffer(STEPS * WORD))
  for (let at = 0; at < message.byteLength; at += BLOCK) {
    expand(schedule, message, at)
    compress(state, schedule)
  }
  return new Uint8Array(state.buffer)
}

/** The data, a one bit, zeros, and the length in bits, up to a whole number of blocks. */
function pad(data: Uint8Array): DataView {
  const size = Math.ceil((data.length + 1 + LENGTH_FIELD) / BLOCK) * BLOCK
  const padded = new Uint8Array(size)
  padded.set(data)
  padded[data.length] = 0x80
  const view = new DataView(padded.buffer)
  view.setBigUint64(size - LENGTH_FIELD, BigInt(data.length) * 8n)
  return view
}

function expand(schedule: DataView, message: DataView, at: number): void {
  const word = (step: number): number => schedule.getUint32(step * WORD)
  for (let step = 0; step < STEPS; step++) {
    const next =
      step < 16
        ? message.getUint32(at + step * WORD)
        : rotate(word(step - 3) ^ word(step - 8) ^ word(step - 14) ^ word(step - 16), 1)
    schedule.setUint32(step * WORD, next)
  }
}

function compress(state: DataView, schedule: DataView): void {
  let a = state.getUint32(0)
  let b = state.getUint32(4)
  let c = state.getUint32(8)
  let d = state.getUint32(12)
  let e = state.getUint32(16)
  for (let step = 0; step < STEPS; step++) {
    const next = (rotate(a, 5) + mix(step, b, c, d) + e + schedule.getUint32(step * WORD)) >>> 0
    e = d
    d = c
    c = rotate(b, 30)
    b = a
    a = next
  }
  ;[a, b, c, d, e].forEach((value, index) => {
    state.setUint32(index * WORD, state.getUint32(index * WORD) + value)
  })
}

/** The function and the constant of each of the four rounds of twenty steps. */
function mix(step: number, b: number, c: number, d: number): number {
  if (step < 20) return ((b & c) | (~b & d)) + 0x5a827999
  if (step < 40) return (b ^ c ^ d) + 0x6ed9eba1
  if (step < 60) return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc
  return (b ^ c ^ d) + 0xca62c1d6
}

function rotate(value: number, bits: number): number {
  return ((value << bits) | (value >>> (32 - bits))) >>> 0
}
