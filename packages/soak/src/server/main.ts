// The server under test.

import { Application } from './application.ts'
import { serve } from './serve.ts'

await serve(new Application())
