// All sections, in the order of the page.

import type { AnyCase, Section } from './case.ts'
import { CLOSING } from './sections/close.ts'
import { BLOCKS } from './sections/compression/blocks.ts'
import { FAULTS } from './sections/compression/faults.ts'
import { COMPRESSED_LIMITS } from './sections/compression/limits.ts'
import { MESSAGES } from './sections/compression/messages.ts'
import { FRAGMENTATION } from './sections/fragmentation.ts'
import { FRAMING } from './sections/framing.ts'
import { ANSWERS } from './sections/handshake/answer.ts'
import { OFFERS } from './sections/handshake/offer.ts'
import { REQUESTS } from './sections/handshake/request.ts'
import { RESPONSES } from './sections/handshake/response.ts'
import { LIMITS } from './sections/limits.ts'
import { PINGS } from './sections/pings.ts'
import { RESERVED } from './sections/reserved.ts'
import { UTF8 } from './sections/utf8.ts'
import { VERDICTS } from './sections/verdicts.ts'

export const SECTIONS: readonly Section[] = [
  FRAMING,
  RESERVED,
  PINGS,
  FRAGMENTATION,
  UTF8,
  CLOSING,
  LIMITS,
  VERDICTS,
  MESSAGES,
  BLOCKS,
  FAULTS,
  COMPRESSED_LIMITS,
  REQUESTS,
  OFFERS,
  RESPONSES,
  ANSWERS,
]

export const CATALOGUE: readonly AnyCase[] = SECTIONS.flatMap(({ cases }) => cases)
