// A vitest setup file: a test file must end with no more sockets, servers, timers and zlib handles than it began with.
// Rules: it is loaded before the test file, so the baseline is taken before anything of that file (or of the runner's
// short reporting timer) exists, and its `afterAll` runs after all of the file's own hooks.

import { afterAll } from 'vitest'
import { activeResources, leakedSince } from './resources.ts'

// Node opens both at first use; a test that prints is no leak.
process.stdout.writable
process.stderr.writable

const baseline = activeResources()

afterAll(async () => {
  const leaked = await leakedSince(baseline)
  if (leaked.length > 0) throw new Error(`This test file leaks: ${leaked.join(', ')}. Close what the tests opened.`)
})
