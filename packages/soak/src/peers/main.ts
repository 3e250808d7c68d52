// The process of the visitors. Arguments: the server's port, the seed, the number of places.

import { activeResources, leakedSince } from '@ws/testkit'
import { serveParent } from '../child.ts'
import { Crowd } from './crowd.ts'

const [port, seed, size] = process.argv.slice(2).map(Number) as [number, number, number]

await serveParent(() => {
  const before = activeResources()
  const crowd = new Crowd(port, seed, size)
  return {
    commands: {
      begin: () => crowd.begin(),
      tally: () => crowd.tally(),
      finish: () => crowd.finish(),
      /** What is left of clients that are all gone. */
      end: () => leakedSince(before),
    },
  }
})
