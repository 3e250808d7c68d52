// Two entries: the pure core, and the core with Node's sockets.

import { defineConfig } from 'tsup'
import { library } from '../../tsup.base.ts'

export default defineConfig(library({ index: 'src/index.ts', 'node/index': 'src/node/index.ts' }, 'tsconfig.node.json'))
