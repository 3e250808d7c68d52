// What a case is: data, no code that runs. Rules:
// - A case says what the peer sends and what the target must answer, frame by frame, and how it ends; the same case is for
//   a server and for a client unless it says otherwise: the runner masks what goes to a server (RFC 6455 §5.1).
// - Nothing in a case waits for time. "Nothing more comes" shows in what comes next: the answer to a later frame, or the
//   target's bytes.
// - The end of those is FIN over TCP, END_STREAM over HTTP/2; a reset is RST, or RST_STREAM with CANCEL (RFC 8441 §5).
// - A case goes without compression unless it says what was agreed; then the runner negotiates exactly that.

import type { ErrorCode } from '@ws/protocol'
import type { ConnectionOptions } from '@ws/server'

/** Which end of the product is tested. */
export type End = 'server' | 'client'

/** What carries the bytes of an open connection. */
export type Transport = 'tcp' | 'http2'

/** Kinds of generated data: the first four are text. */
export type Kind = 'prose' | 'json' | 'utf8' | 'repeats' | 'records' | 'random'

/** Bytes as they are, `size` bytes of the value `fill`, or `size` generated ones: the same for the same seed. */
export type Payload =
  | Uint8Array
  | { readonly fill: number; readonly size: number }
  | { readonly kind: Kind; readonly size: number; readonly seed: number }

/** A frame to send, right or wrong (§5.2). What is left out takes the value of a correct single frame. */
export interface SentFrame {
  readonly opcode: number
  readonly payload?: Payload
  readonly fin?: boolean
  /** RSV1–3 as three bits, RSV1 being 4. */
  readonly rsv?: number
  /** Whether the mask bit is wrong for the target. */
  readonly wrongMask?: boolean
  /** The masking key; by default one that no other frame has. */
  readonly key?: number
  /** The form of the length; by default the shortest. */
  readonly form?: 7 | 16 | 64
  /** The length that the header tells; by default that of the payload. */
  readonly declared?: bigint
  /** Only so many bytes of the header are sent, its masking key not counted, and nothing behind them. */
  readonly headerOnly?: number
}

/** A message that the peer compresses with the window that was agreed (RFC 7692 §7.2.1), and sends. */
export interface SentMessage {
  readonly opcode: 1 | 2
  readonly content: Payload
  /** zlib's level: 0 gives stored blocks; 6 by default. */
  readonly level?: number
  /** Only blocks with fixed codes, or only literals and no references; by default as zlib likes. */
  readonly codes?: 'fixed' | 'literals'
  /** Behind so many bytes of content the compressor is flushed: several blocks, with `00 00 ff ff` between. */
  readonly flushEvery?: number
  /** Whether blocks are marked final (§7.2.3.4), each where the compressor is flushed. */
  readonly final?: boolean
  /** The payload is cut into fragments of so many bytes; by default it is one frame. */
  readonly fragment?: number
  /** Whether the message ends with an empty continuation. */
  readonly emptyLast?: boolean
  /** Sent behind each fragment but the last. */
  readonly between?: readonly SentFrame[]
}

/** One direction of permessage-deflate, as agreed (RFC 7692 §7.1). */
export interface Direction {
  /** The window, as a power of two: 8 to 15. */
  readonly bits: number
  /** Whether a message may refer to those before. */
  readonly takeover: boolean
}

/** What is agreed on permessage-deflate in a case. */
export interface Compression {
  /** What the target sends. */
  readonly target: Direction
  /** What the peer sends. */
  readonly peer: Direction
  /** Below so many bytes the target sends plain; 0 by default. */
  readonly threshold?: number
}

/** A frame that the target must send: always whole, masked as its end has to (§5.1), with the shortest length. */
export type ExpectedFrame =
  | {
      readonly opcode: 1 | 2
      /** The content of the message, inflated. */
      readonly payload: Payload
      /** Whether it has RSV1 and is compressed; not told if either is right. */
      readonly compressed?: boolean
      /** How many bytes it may take on the wire. */
      readonly atMost?: number
    }
  | { readonly opcode: 9 | 10; readonly payload: Payload }
  /** A Close; its code is compared, its reason is not. `undefined`: an empty one. */
  | { readonly opcode: 8; readonly code: number | undefined }

export type Step =
  | { readonly send: readonly SentFrame[]; readonly times?: number }
  | { readonly compress: readonly SentMessage[]; readonly times?: number }
  | { readonly expect: readonly ExpectedFrame[]; readonly times?: number }
  /** The peer ends its side. */
  | { readonly end: true }
  /** The peer resets: the last step, and the target can say nothing more. */
  | { readonly reset: true }

/**
 * How a case ends, once its steps are done. `open`: the connection lives; the runner closes it with 1000 and expects that
 * answered. `closed`: both sent Close; a server now ends at once, a client waits for the peer to (§7.1.1). `failed`: the
 * target has failed the connection, and ends (§7.1.7). `lost`: the peer ended without a Close, and the target ends too; or it reset.
 */
type Outcome = 'open' | 'closed' | 'failed' | 'lost'

/** What the application of the target learns at the end (§7.1.5). */
export interface Reported {
  readonly code: number
  readonly wasClean: boolean
}

/** What every case has. */
interface Named {
  /** Unique, and stable: `section/what`. */
  readonly id: string
  /** The section of RFC 6455 (or another standard) that asks for it. */
  readonly rfc: string
  /** The rows of the list of requirements. */
  readonly rows: readonly string[]
  readonly title: string
}

/** What is said on an open connection. */
export interface Conversation {
  readonly steps: readonly Step[]
  readonly outcome: Outcome
  readonly reported?: Reported
  readonly compression?: Compression
}

/** A case about frames: the handshake before it is a right one. */
export interface Case extends Named, Conversation {
  /** Bytes at once; by default a step's are sent whole. Small cases run byte by byte besides. */
  readonly chunk?: number
  readonly ends?: readonly End[]
  /** The target's application: it echoes, or closes with 4001 upon its first message. */
  readonly application?: 'echo' | 'closer'
  /** Limits in place of the default ones. */
  readonly limits?: { readonly maxPayload?: number; readonly maxFragments?: number }
}

/** What is set on the target in a case about the handshake. */
export interface HandshakeOptions {
  readonly perMessageDeflate?: ConnectionOptions['perMessageDeflate']
  /** The subprotocols that the server speaks, or that the client offers. */
  readonly protocols?: readonly string[]
  /** The client fails if the server chooses none of them. */
  readonly requireProtocol?: boolean
  /** The path that the server serves. */
  readonly path?: string
}

interface Handshake extends Named {
  readonly options?: HandshakeOptions
  /** Frames right behind the head, in one write with it. */
  readonly glued?: readonly SentFrame[]
  /** What is said once it is open; by default a message goes to and fro, and a Close. */
  readonly conversation?: Conversation
}

/** What agreed: the values of the headers, `''` for none. */
export interface Agreed {
  readonly protocol: string
  readonly extensions: string
}

/** A request to the server, and the answer that it must get (RFC 6455 §4.2). */
export interface RequestCase extends Handshake {
  /** The whole head, as Latin-1; `{host}` stands for address and port. */
  readonly request: string
  /** Open, or the status of the refusal; several are there if the refusal is that of Node's own parser. */
  readonly answer: Agreed | readonly number[]
}

/** A server's answer to the client, and what the client must make of it (RFC 6455 §4.1). */
export interface ResponseCase extends Handshake {
  /** What the request must have as `Sec-WebSocket-Extensions`, `''` for none. */
  readonly offer?: string
  /** As Latin-1; `{accept}` stands for the right accept value, and see the runner for wrong ones. */
  readonly response: string
  /** Whether the server ends TCP behind it. */
  readonly end?: boolean
  /** Open, or the error's code. */
  readonly verdict: Agreed | ErrorCode
}

export type AnyCase = Case | RequestCase | ResponseCase

/** The ends that a case is for. */
export function endsOf(test: AnyCase): readonly End[] {
  if ('request' in test) return ['server']
  return 'response' in test ? ['client'] : (test.ends ?? ['server', 'client'])
}

/** What a case runs over: the opening handshake of the catalogue is that of HTTP/1.1. */
export function transportsOf(test: AnyCase): readonly Transport[] {
  return 'steps' in test ? ['tcp', 'http2'] : ['tcp']
}

/** A section of the catalogue: cases of one kind. */
export interface Section {
  readonly name: string
  readonly title: string
  readonly cases: readonly AnyCase[]
}
