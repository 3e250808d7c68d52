// What a case is: data, no code that runs. Rules:
// - A case says what the peer sends and what the target must answer, frame by frame, and how it ends; the same case is for
//   a server and for a client unless it says otherwise: the runner masks what goes to a server (RFC 6455 §5.1).
// - Nothing in a case waits for time. "Nothing more comes" shows in what comes next: the answer to a later frame, or the
//   end of TCP.

/** Which end of the product is tested. */
export type End = 'server' | 'client'

/** Bytes as they are, or `size` bytes of the value `fill`. */
export type Payload = Uint8Array | { readonly fill: number; readonly size: number }

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

/** A frame that the target must send: always whole, masked as its end has to (§5.1), with the shortest length. */
export type ExpectedFrame =
  | { readonly opcode: 1 | 2 | 9 | 10; readonly payload: Payload }
  /** A Close; its code is compared, its reason is not. `undefined`: an empty one. */
  | { readonly opcode: 8; readonly code: number | undefined }

export type Step =
  | { readonly send: readonly SentFrame[]; readonly times?: number }
  | { readonly expect: readonly ExpectedFrame[]; readonly times?: number }
  /** The peer ends its side of TCP. */
  | { readonly end: true }

/**
 * How a case ends, once its steps are done. `open`: the connection lives; the runner closes it with 1000 and expects that
 * answered. `closed`: both sent Close; a server now ends TCP at once, a client waits for the peer to (§7.1.1). `failed`: the
 * target has failed the connection, and ends TCP (§7.1.7). `lost`: the peer ended TCP without a Close, and the target ends it too.
 */
type Outcome = 'open' | 'closed' | 'failed' | 'lost'

/** What the application of the target learns at the end (§7.1.5). */
export interface Reported {
  readonly code: number
  readonly wasClean: boolean
}

export interface Case {
  /** Unique, and stable: `section/what`. */
  readonly id: string
  /** The section of RFC 6455 (or another standard) that asks for it. */
  readonly rfc: string
  /** The rows of the list of requirements. */
  readonly rows: readonly string[]
  readonly title: string
  readonly steps: readonly Step[]
  readonly outcome: Outcome
  readonly reported?: Reported
  /** Bytes at once; by default a step's are sent whole. Small cases run byte by byte besides. */
  readonly chunk?: number
  readonly ends?: readonly End[]
  /** The target's application: it echoes, or closes with 4001 upon its first message. */
  readonly application?: 'echo' | 'closer'
  /** Limits in place of the default ones. */
  readonly limits?: { readonly maxPayload?: number; readonly maxFragments?: number }
}

/** A section of the catalogue: one file of cases. */
export interface Section {
  readonly name: string
  readonly title: string
  readonly cases: readonly Case[]
}
