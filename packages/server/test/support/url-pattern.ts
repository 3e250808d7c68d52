// URLPattern of the platform, which Node has from 24 on; else that of its polyfill.

import { URLPattern as Polyfill } from 'urlpattern-polyfill'

const { URLPattern: Native } = globalThis as { URLPattern?: typeof Polyfill }

export const URLPattern: typeof Polyfill = Native ?? Polyfill
