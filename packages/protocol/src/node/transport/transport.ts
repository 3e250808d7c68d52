// The seam between a connection and the world: TCP, TLS, an HTTP/2 stream, any Duplex. One contract suite runs over all
// of them. Rules: `data` is called with bytes that the sink may change and must not keep; `closed` is called exactly
// once and last, whatever happens; nothing here throws for what the peer does.

/** What a transport tells its reader. */
export interface TransportSink {
  /** Bytes in `buffer[start, end)`, valid during the call, to be changed at will (unmasked in place). */
  data(buffer: Uint8Array, start: number, end: number): void
  /** The peer will send nothing more. */
  ended(): void
  /** The transport is gone. `error` says why if it was not by an orderly end. */
  closed(error?: Error): void
}

/**
 * What became of a write: the operating system has all of it, and its memory is free; or it waits, and `wrote` will be called; or the
 * transport had ended before.
 */
export type Written = 'left' | 'waits' | 'refused'

/** Told of a write that was not complete at once. */
export interface Writer {
  /** Called once a write, never before it has returned, with an error if its bytes will not leave; after the transport's end perhaps not. */
  wrote(error?: Error | null): void
}

/** A full-duplex byte stream under a connection. */
export interface Transport {
  /** Starts reading; called again, it only changes who is told. */
  read(sink: TransportSink): void
  /**
   * Writes bytes, never none. They must not change until they have left, unless {@link canReuse} says that they may once
   * {@link buffered} is 0 after the call.
   * @param writer is told of it, unless it has `'left'`
   */
  write(bytes: Uint8Array, writer: Writer): Written
  /** Between the two, writes are held back: they then leave together, and nothing comes between them. */
  cork(): void
  uncork(): void
  /** Stops and starts the calls of `data`; what the peer sends meanwhile waits, and in the end the peer does. */
  pause(): void
  resume(): void
  /** Ends our side once everything written has left. */
  end(): void
  /** Destroys both sides at once. */
  abort(): void
  /** Lets the process end though this is open, once what was written has left. */
  unref(): void
  /** How many bytes were written and not yet taken by the operating system. */
  readonly buffered: number
  /** How many bytes of the write in hand the operating system has not taken, as far as that can be told; else 0. */
  readonly queued: number
  /** Whether the transport is gone, or about to be: nothing more will leave. */
  readonly destroyed: boolean
  /** The peer's address, where there is one; also after the end. */
  readonly remoteAddress: string | undefined
  /** Whether it is a socket, TCP, Unix or TLS: then a proxy may lie between here and the peer. */
  readonly isSocket: boolean
  /** Whether written memory may be used again as soon as `buffered` is 0 after the write. */
  readonly canReuse: boolean
}
