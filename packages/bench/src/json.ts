// JSON as applications send it: records of one shape with values that differ. It is the same in every process.

const SYMBOLS = ['ACME', 'GLOBEX', 'HOOLI', 'INITECH', 'UMBRELLA', 'WONKA', 'STARK', 'TYRELL']
/** Fills what no whole record fits into: longer than a record. */
const NOTE =
  'Prices are the last ones of the day before, in euros; sizes are in pieces, and cancelled orders are left out. '
/** Any seed does: a generator of the textbook, so that the values do not repeat. */
const SEED = 12_345

/** The text of one JSON value of exactly `size` characters, all of them ASCII. @throws RangeError if that is too short */
export function jsonOf(size: number): string {
  const random = randomNumbers(SEED)
  const trades: string[] = []
  let left = size - textOf(trades, '').length
  if (left < 0) throw new RangeError(`expected a size of ${size - left} or more; got ${size}`)
  for (;;) {
    const trade = JSON.stringify(tradeOf(random))
    const length = trade.length + (trades.length > 0 ? 1 : 0)
    if (length > left) return textOf(trades, NOTE.slice(0, left))
    trades.push(trade)
    left -= length
  }
}

function textOf(trades: readonly string[], note: string): string {
  return `{"trades":[${trades.join(',')}],"note":${JSON.stringify(note)}}`
}

function tradeOf(random: (below: number) => number): object {
  return {
    id: 10_000 + random(90_000),
    symbol: SYMBOLS[random(SYMBOLS.length)],
    side: random(2) === 0 ? 'buy' : 'sell',
    price: random(100_000) / 100,
    size: 100 * (1 + random(50)),
  }
}

function randomNumbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}
