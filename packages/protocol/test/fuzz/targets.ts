// All that is fuzzed.

import { DEFLATE_TARGET } from './deflate.ts'
import { FRAME_TARGETS } from './frames.ts'
import { HANDSHAKE_TARGETS } from './handshake.ts'
import type { Target } from './target.ts'

export const TARGETS: readonly Target[] = [...FRAME_TARGETS, DEFLATE_TARGET, ...HANDSHAKE_TARGETS]
