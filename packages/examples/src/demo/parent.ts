// A child's side of the tie to its parent. Rules: a child ends when its work has, when it is told to stop, or when its parent
// is gone, so none is left behind; a Ctrl-C reaches all processes of a terminal, and only the parent decides what it means.

import { type Ended, type Report, STOP } from './messages.ts'

/**
 * Does a child's work and tells the parent how it ended.
 * @param work gets a signal that aborts when it is to come to its end
 */
export async function asChild(work: (stop: AbortSignal) => Promise<Ended>): Promise<void> {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})
  process.on('message', (message) => {
    if (message === STOP) stop.abort()
  })
  process.on('disconnect', leave)
  if (!process.connected) leave()
  await report(await ending(work, stop.signal))
  process.off('disconnect', leave)
  process.disconnect()
}

/** Tells the parent something; resolves once it has left. */
export function report(what: Report): Promise<void> {
  return new Promise((resolve) => process.send?.(what, undefined, undefined, () => resolve()))
}

async function ending(work: (stop: AbortSignal) => Promise<Ended>, stop: AbortSignal): Promise<Report> {
  try {
    return await work(stop)
  } catch (error) {
    return { kind: 'failed', message: error instanceof Error ? error.message : String(error) }
  }
}

function leave(): never {
  process.exit(1)
}
