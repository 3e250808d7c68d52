// What servers report of their connections, kept until it is asked for; who asks first waits.

import type { Report } from './plan.ts'

/** Reports by the id in the connection's URL. */
export class Reports {
  readonly #entries = new Map<string, { promise: Promise<Report>; resolve: (report: Report) => void }>()

  /** How a connection ended, once it has. */
  ended(id: string): Promise<Report> {
    return this.#entry(id).promise
  }

  add(id: string, report: Report): void {
    this.#entry(id).resolve(report)
  }

  #entry(id: string) {
    const found = this.#entries.get(id)
    if (found !== undefined) return found
    let resolve: (report: Report) => void = () => {}
    const promise = new Promise<Report>((settle) => {
      resolve = settle
    })
    const entry = { promise, resolve }
    this.#entries.set(id, entry)
    return entry
  }
}

/** Path and id of a request target. */
export function whereOf(target: string): { path: string; id: string } {
  const { pathname, searchParams } = new URL(target, 'ws://server')
  return { path: pathname, id: searchParams.get('id') ?? '' }
}
