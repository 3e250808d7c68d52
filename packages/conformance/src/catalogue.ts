// All sections, in the order of the page.

import type { Case, Section } from './case.ts'
import { CLOSING } from './sections/close.ts'
import { FRAGMENTATION } from './sections/fragmentation.ts'
import { FRAMING } from './sections/framing.ts'
import { LIMITS } from './sections/limits.ts'
import { PINGS } from './sections/pings.ts'
import { RESERVED } from './sections/reserved.ts'
import { UTF8 } from './sections/utf8.ts'
import { VERDICTS } from './sections/verdicts.ts'

export const SECTIONS: readonly Section[] = [FRAMING, RESERVED, PINGS, FRAGMENTATION, UTF8, CLOSING, LIMITS, VERDICTS]

export const CATALOGUE: readonly Case[] = SECTIONS.flatMap(({ cases }) => cases)
