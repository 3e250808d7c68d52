// Where a compressed message ends (RFC 7692 §7.2). Rules:
// - The sender took four bytes off the end: the LEN and NLEN of an empty stored block (§7.2.1). Fed behind the payload they
//   must be just that: nothing comes out of them, and behind them a block is complete. So no message that was cut short is
//   taken for a whole one (STANDARDS O15): elsewhere in the stream they would be data, a code or half of a header.
// - A payload may also end with a block that is marked final, and hold more of those, each the end of a DEFLATE stream: inflating
//   goes on behind it with the window so far (§7.2.3.4, §7.2.3.5).

/** What the sender takes off the end of a message. */
export const FLUSH_SIZE = 4

/** The four bytes, and one more, which an engine that stops behind a block leaves alone. */
export const PROBE: Uint8Array = Uint8Array.of(0x00, 0x00, 0xff, 0xff, 0x00)

/** DEFLATE streams within one message: each costs a run of the engine, so a message of nothing else is refused. */
export const MOST_STREAMS = 64

/**
 * Judges an engine that read a payload to its end, then was given {@link PROBE} and told to stop behind a block.
 * @param unread how much of the probe it left: all of it, if a final block came last
 * @param output how many bytes it gave meanwhile
 */
export function endsWell(unread: number, output: number): boolean {
  return output === 0 && (unread === PROBE.length - FLUSH_SIZE || unread === PROBE.length)
}
