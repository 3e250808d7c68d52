// Bytes in, lines out. Rules: a line ends with LF or CRLF, the last may do without; what is no UTF-8 cannot be a text
// message, and is told instead of repaired; memory is bounded by the longest line allowed.

import { isUtf8 } from 'node:buffer'
import { Failure } from './exit.ts'

const LF = 0x0a
const CR = 0x0d
/** What a server takes by default (docs/limits.md, `maxPayload`). */
const LONGEST_LINE = 16 * 1024 * 1024

/**
 * @param source of bytes: it is read on only when the last line has been taken
 * @param name for messages: where the lines come from
 * @throws Failure at a line that is too long or no UTF-8
 */
export async function* linesOf(source: AsyncIterable<Buffer>, name: string): AsyncGenerator<string> {
  let parts: Buffer[] = []
  let size = 0
  let number = 1
  const take = (part: Buffer): string => {
    const line = parts.length === 0 ? part : Buffer.concat([...parts, part])
    parts = []
    size = 0
    if (!isUtf8(line))
      throw new Failure(`expected UTF-8 from ${name}; line ${number} is none (--binary sends any bytes)`)
    number++
    return line.toString('utf8', 0, line.at(-1) === CR ? line.length - 1 : line.length)
  }
  for await (const chunk of source) {
    let start = 0
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      yield take(chunk.subarray(start, end))
      start = end + 1
    }
    if (start === chunk.length) continue
    parts.push(chunk.subarray(start))
    size += chunk.length - start
    if (size > LONGEST_LINE)
      throw new Failure(`expected lines of at most 16 MiB from ${name}; line ${number} is longer`)
  }
  if (parts.length > 0) yield take(Buffer.alloc(0))
}
