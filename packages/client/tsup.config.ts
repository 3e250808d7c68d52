// Two builds of one entry: for Node, and for browsers (condition `browser`), where nothing of Node is there.

import { defineConfig } from 'tsup'
import { library } from '../../tsup.base.ts'

export default defineConfig([
  library({ index: 'src/index.ts' }, 'tsconfig.json'),
  {
    ...library({ browser: 'src/browser/index.ts' }, 'tsconfig.browser.json'),
    platform: 'browser',
    target: 'es2022',
    clean: false, // both write to one folder
    // A page gets of `@ws/protocol` what it needs, from the source: a bundler leaves out unused files more surely than parts of one.
    external: [],
    noExternal: [/^@ws\//],
    esbuildOptions: (options) => {
      options.conditions = ['@ws/source']
    },
  },
])
