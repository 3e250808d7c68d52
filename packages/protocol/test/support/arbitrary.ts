// Streams for property tests: valid ones, mutated ones, arbitrary ones; and ways to cut them into chunks.

import fc from 'fast-check'
import type { Role } from '../../src/index.ts'
import { concat, utf8 } from './bytes.ts'
import { type FrameSpec, frame, SAMPLE_KEY } from './encode.ts'

const key = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255))

/** Mostly a few bytes, so that many frames fit a stream; now and then a 16-bit length. */
const bytes = fc.oneof(
  { weight: 8, arbitrary: fc.uint8Array({ maxLength: 12 }) },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 120, maxLength: 135 }) },
)
const text = fc.string({ unit: 'binary', maxLength: 12 }).map(utf8)
const small = fc.uint8Array({ maxLength: 10 })

const control: fc.Arbitrary<FrameSpec> = fc.record({ opcode: fc.constantFrom(9, 10), payload: small })

/** A message in any number of fragments, control frames between them. */
const message: fc.Arbitrary<FrameSpec[]> = fc
  .tuple(
    fc.oneof(fc.tuple(fc.constant(1), text), fc.tuple(fc.constant(2), bytes)),
    fc.array(fc.tuple(fc.nat(20), fc.option(control)), { maxLength: 4 }),
  )
  .map(([[opcode, payload], fragments]) => {
    const cuts = fragments.map(([cut]) => Math.min(cut, payload.length)).sort((a, b) => a - b)
    const edges = [0, ...cuts, payload.length]
    return edges.slice(1).flatMap((end, index): FrameSpec[] => {
      const fin = index === cuts.length
      const piece = { fin, opcode: index === 0 ? opcode : 0, payload: payload.subarray(edges[index], end) }
      const after = fragments[index]?.[1] ?? null
      return after === null ? [piece] : [piece, after]
    })
  })

const close: fc.Arbitrary<FrameSpec> = fc.oneof(
  fc.constant({ opcode: 8 }),
  fc
    .tuple(fc.constantFrom(1000, 1001, 1003, 1011, 1014, 3000, 4999), text)
    .map(([code, reason]) => ({ opcode: 8, payload: concat(Uint8Array.from([code >> 8, code & 0xff]), reason) })),
)

function encodeAll(role: Role, specs: readonly FrameSpec[], keys: readonly (readonly number[])[]): Uint8Array {
  const keyOf = (index: number) => (role === 'server' ? (keys[index % keys.length] ?? SAMPLE_KEY) : undefined)
  return concat(...specs.map((spec, index) => frame({ key: keyOf(index), ...spec })))
}

/** A stream without a fault, with or without a Close and something behind it. */
export function validStream(role: Role): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(
      fc.array(fc.oneof(message, fc.array(control, { minLength: 1, maxLength: 2 })), { maxLength: 5 }),
      fc.option(close),
      fc.uint8Array({ maxLength: 6 }),
      fc.array(key, { minLength: 1, maxLength: 3 }),
    )
    .map(([groups, last, behind, keys]) => {
      const stream = encodeAll(role, last === null ? groups.flat() : [...groups.flat(), last], keys)
      return last === null ? stream : concat(stream, behind)
    })
}

/** A valid stream with a few bytes changed, added or taken away. */
export function mutatedStream(role: Role): fc.Arbitrary<Uint8Array> {
  const mutation = fc.record({
    at: fc.nat(400),
    kind: fc.constantFrom('set', 'flip', 'insert', 'delete', 'cut'),
    byte: fc.nat(255),
  })
  return fc.tuple(validStream(role), fc.array(mutation, { minLength: 1, maxLength: 3 })).map(([stream, mutations]) => {
    const mutated = [...stream]
    for (const { at, kind, byte } of mutations) {
      const index = at % (mutated.length + 1)
      if (kind === 'set') mutated.splice(index, 1, byte)
      else if (kind === 'flip') mutated.splice(index, 1, (mutated[index] ?? 0) ^ (1 << (byte & 7)))
      else if (kind === 'insert') mutated.splice(index, 0, byte)
      else if (kind === 'delete') mutated.splice(index, 1)
      else mutated.splice(index)
    }
    return Uint8Array.from(mutated)
  })
}

/** Frames whose every field is arbitrary, also the length told and its form; they reach deeper than random bytes. */
function wildStream(role: Role): fc.Arbitrary<Uint8Array> {
  const spec = fc
    .record({
      fin: fc.boolean(),
      rsv: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(7) }),
      opcode: fc.oneof(
        { weight: 9, arbitrary: fc.constantFrom(0, 0, 1, 2, 8, 9, 10) },
        { weight: 1, arbitrary: fc.nat(15) },
      ),
      payload: fc.oneof(bytes, text),
      form: fc.constantFrom<7 | 16 | 64>(7, 7, 7, 16, 64),
      declared: fc.option(fc.oneof(fc.nat(200), fc.maxSafeNat()), { freq: 6 }),
    })
    .map(({ declared, ...rest }): FrameSpec => {
      const told = BigInt(declared ?? rest.payload.length)
      const form = told > 125n && rest.form === 7 ? 16 : rest.form
      return { ...rest, declared: form === 16 ? told & 0xffffn : told, form }
    })
  return fc.tuple(fc.array(spec, { maxLength: 5 }), key).map(([specs, one]) => encodeAll(role, specs, [one]))
}

/** Any bytes at all, and the three kinds of stream above. */
export function anyStream(role: Role): fc.Arbitrary<Uint8Array> {
  return fc.oneof(
    { weight: 3, arbitrary: validStream(role) },
    { weight: 4, arbitrary: mutatedStream(role) },
    { weight: 3, arbitrary: wildStream(role) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }) },
  )
}

/** Limits so low that streams like these reach them, and the defaults. */
export const limits: fc.Arbitrary<{ maxPayload: number; maxFragments: number }> = fc.record({
  maxPayload: fc.oneof(fc.constant(16 * 1024 * 1024), fc.nat(140)),
  maxFragments: fc.oneof(fc.constant(131_072), fc.integer({ min: 1, max: 4 })),
})

/** The sizes of the chunks that a stream comes in; the last one repeats until the stream is used up. */
export const chunkSizes: fc.Arbitrary<number[]> = fc.oneof(
  fc.constantFrom<number[]>([1], [2], [3], [7], [Number.MAX_SAFE_INTEGER]),
  fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 10 }),
)

export function cut(stream: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = []
  let at = 0
  for (let index = 0; at < stream.length; index++) {
    const size = sizes[Math.min(index, sizes.length - 1)] ?? stream.length
    chunks.push(stream.slice(at, at + size))
    at += size
  }
  return chunks
}
