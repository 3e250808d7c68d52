// One program, ESM: nobody imports it, so there are no declarations.

import { defineConfig } from 'tsup'
import { library } from '../../tsup.base.ts'

export default defineConfig({ ...library({ main: 'src/main.ts' }, 'tsconfig.json'), format: ['esm'], dts: false })
