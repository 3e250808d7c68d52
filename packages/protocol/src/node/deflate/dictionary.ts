// What an inflating stream knows of the bytes before a message: zlib has the option `dictionary` for that. Deno takes the option and
// does nothing with it (seen in 2.9), and messages that refer to those before would be taken for corrupt. There the bytes are fed to the
// stream in front of the message, as a stored block, and what comes out for them is dropped.

import { Buffer } from 'node:buffer'
import { inflateRawSync } from 'node:zlib'
import { storedHead } from './inflater.ts'

const NOTHING: Uint8Array = new Uint8Array(0)
const WORD: Buffer = Buffer.from('window')
/** The word, as a reference to a dictionary that is the word. */
const REFERENCE: Buffer = Buffer.from('KweTAA==', 'base64')

let heeded: boolean | undefined

/** What is to be fed to a stream that was made with `dictionary`: nothing, where zlib has it already. It holds up to 2^15 bytes. */
export function feedFor(dictionary: Uint8Array): Uint8Array {
  if (dictionary.length === 0) return NOTHING
  heeded ??= isHeeded()
  return heeded ? NOTHING : Buffer.concat([Uint8Array.from(storedHead(dictionary.length)), dictionary])
}

/** Asked once a process, when the first message needs it. */
function isHeeded(): boolean {
  try {
    return WORD.equals(inflateRawSync(REFERENCE, { dictionary: WORD }))
  } catch {
    return false
  }
}
