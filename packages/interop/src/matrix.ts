// Which pairs there are, and a choice of them in which every two values of different factors still meet.

/** Values by the name of their factor. */
type Factors = Readonly<Record<string, readonly (string | number | boolean)[]>>

/** One value of each factor. */
export type Combination<Of extends Factors> = { readonly [Name in keyof Of]: Of[Name][number] }

export const CLIENTS = ['connect', 'WebSocket', 'ws', 'undici', 'built-in', 'python', 'chromium'] as const
export const SERVERS = ['ours', 'ws', 'python', 'ours behind nginx'] as const
export const SCHEMES = ['ws', 'wss'] as const
export const COMPRESSION = ['plain', 'compressed'] as const

export type ClientName = (typeof CLIENTS)[number]
export type ServerName = (typeof SERVERS)[number]

/** One client, one server, and how they talk. */
export interface Pair {
  readonly client: ClientName
  readonly server: ServerName
  readonly scheme: (typeof SCHEMES)[number]
  readonly compression: (typeof COMPRESSION)[number]
}

/** All pairs, also those without our code at either end. */
export const PAIRS: readonly Pair[] = product({
  client: CLIENTS,
  server: SERVERS,
  scheme: SCHEMES,
  compression: COMPRESSION,
})

/** Whether neither end is ours: such a pair shows whether a fault is ours or the contract's. */
export function isControl({ client, server }: Pair): boolean {
  return (server === 'ws' || server === 'python') && client !== 'connect' && client !== 'WebSocket'
}

/** The pair in words. */
export function nameOf({ client, server, scheme, compression }: Pair): string {
  return `${client} to ${server}, ${scheme}, ${compression}`
}

/** Every combination of the factors' values. */
export function product<Of extends Factors>(factors: Of): Combination<Of>[] {
  let combinations: object[] = [{}]
  for (const [name, values] of Object.entries(factors)) {
    combinations = combinations.flatMap((part) => values.map((value) => ({ ...part, [name]: value })))
  }
  return combinations as Combination<Of>[]
}

/** The meetings of two values that a combination has, as texts. */
export function meetingsOf(combination: object): string[] {
  const values = Object.entries(combination).map(([name, value]) => `${name}=${value}`)
  return values.flatMap((value, index) => values.slice(index + 1).map((other) => `${value} ${other}`))
}

/**
 * Chooses from combinations so that every two values that meet in one of them meet in a chosen one: again and again the one
 * with the most meetings that are missing.
 */
export function reduce<Item extends object>(combinations: readonly Item[]): Item[] {
  const missing = new Set(combinations.flatMap(meetingsOf))
  const chosen: Item[] = []
  while (missing.size > 0) {
    const best = bestOf(combinations, missing)
    chosen.push(best)
    for (const meeting of meetingsOf(best)) missing.delete(meeting)
  }
  return chosen
}

function bestOf<Item extends object>(combinations: readonly Item[], missing: ReadonlySet<string>): Item {
  const gain = (item: Item) => meetingsOf(item).filter((meeting) => missing.has(meeting)).length
  return combinations.reduce((best, item) => (gain(item) > gain(best) ? item : best))
}
