// What counts the replies of a job's connections.

import { extensionOf } from '../deflate.ts'
import type { Job } from '../job.ts'
import { payloadOf, replyOf } from '../wire.ts'
import { CompressedReplies } from './compressed.ts'
import { type Counter, Expected, Replies } from './replies.ts'

/** Makes the counter of one connection; `firsts` is how many messages are compared without exception, where all are the same bytes. */
export type MakeCounter = (firsts: number) => Counter

export function countersOf(job: Job): MakeCounter {
  const reply = replyOf(job)
  if (extensionOf(job) === undefined) {
    const expected = new Expected(reply)
    return (firsts) => new Replies(expected, firsts)
  }
  const expected = { first: reply[0] as number, message: payloadOf(job), takeover: job.deflate === 'takeover' }
  return () => new CompressedReplies(expected)
}
