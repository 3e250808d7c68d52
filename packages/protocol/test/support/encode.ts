// A slow, obvious encoder of frames, right or wrong ones: it shares nothing with the encoder under test.

import type { Role } from '../../src/index.ts'
import { utf8 } from './bytes.ts'

/** A frame as RFC 6455 §5.2 draws it. What is left out takes the value of a correct single frame. */
export interface FrameSpec {
  readonly fin?: boolean
  /** RSV1–3 as three bits, RSV1 being 4. */
  readonly rsv?: number
  readonly opcode: number
  readonly payload?: Uint8Array | string
  /** Four octets; without a key the frame is not masked. */
  readonly key?: readonly number[] | undefined
  /** The form of the length; by default the shortest. */
  readonly form?: 7 | 16 | 64
  /** The length that the header tells; by default that of the payload. */
  readonly declared?: bigint
}

/** The masking key of the RFC's examples (§5.7). */
export const SAMPLE_KEY: readonly number[] = [0x37, 0xfa, 0x21, 0x3d]

export function frame(spec: FrameSpec): Uint8Array {
  const { fin = true, rsv = 0, opcode, payload = '', key } = spec
  const bytes = typeof payload === 'string' ? utf8(payload) : payload
  const declared = spec.declared ?? BigInt(bytes.length)
  const form = spec.form ?? (declared <= 125n ? 7 : declared <= 65535n ? 16 : 64)
  const mask = key === undefined ? '0' : '1'
  const length7 = form === 7 ? bits(declared, 7) : form === 16 ? bits(126n, 7) : bits(127n, 7)
  const more = form === 7 ? '' : bits(declared, form)
  const head = (fin ? '1' : '0') + bits(BigInt(rsv), 3) + bits(BigInt(opcode), 4) + mask + length7 + more
  const masked = key === undefined ? bytes : bytes.map((byte, index) => byte ^ (key[index % 4] ?? 0))
  return Uint8Array.from([...octets(head), ...(key ?? []), ...masked])
}

function bits(value: bigint, width: number): string {
  return value.toString(2).padStart(width, '0')
}

function octets(text: string): number[] {
  return (text.match(/.{8}/g) ?? []).map((octet) => Number.parseInt(octet, 2))
}

/** The frames that the peer of `role` sends: masked towards a server, plain towards a client (§5.1). */
export class Peer {
  readonly #key: readonly number[] | undefined

  constructor(role: Role) {
    this.#key = role === 'server' ? SAMPLE_KEY : undefined
  }

  frame(spec: FrameSpec): Uint8Array {
    return frame({ key: this.#key, ...spec })
  }

  text(payload: Uint8Array | string, fin = true): Uint8Array {
    return this.frame({ opcode: 1, payload, fin })
  }

  binary(payload: Uint8Array | string, fin = true): Uint8Array {
    return this.frame({ opcode: 2, payload, fin })
  }

  continuation(payload: Uint8Array | string, fin: boolean): Uint8Array {
    return this.frame({ opcode: 0, payload, fin })
  }

  ping(payload: Uint8Array | string = ''): Uint8Array {
    return this.frame({ opcode: 9, payload })
  }

  pong(payload: Uint8Array | string = ''): Uint8Array {
    return this.frame({ opcode: 10, payload })
  }

  /** A Close with a code and a reason, or an empty one. */
  close(code?: number, reason: Uint8Array | string = ''): Uint8Array {
    if (code === undefined) return this.frame({ opcode: 8 })
    const text = typeof reason === 'string' ? utf8(reason) : reason
    return this.frame({ opcode: 8, payload: Uint8Array.from([code >> 8, code & 0xff, ...text]) })
  }
}
