import { expect, test } from 'vitest'
import { type EndTurn, takeTurn, takeTurns } from '../src/turns.ts'

/** Takes turns under names and notes who begins, in which order. */
function line(address: string) {
  const begun: string[] = []
  const ends = new Map<string, EndTurn>()
  const take = async (name: string, signal?: AbortSignal): Promise<void> => {
    const end = await takeTurn(address, signal)
    begun.push(name)
    ends.set(name, end)
  }
  return { begun, take, end: (name: string) => ends.get(name)?.() }
}

const microtasks = () => new Promise((resolve) => setImmediate(resolve))

test('[A6] one at a time, in the order of coming', async () => {
  const { begun, take, end } = line('h:1')
  const all = [take('a'), take('b'), take('c')]
  await microtasks()
  expect(begun).toEqual(['a'])
  end('a')
  await microtasks()
  expect(begun).toEqual(['a', 'b'])
  all.push(take('d'))
  end('b')
  await microtasks()
  end('c')
  await Promise.all(all)
  expect(begun).toEqual(['a', 'b', 'c', 'd'])
  end('d')
})

test('addresses do not wait for each other', async () => {
  const ends = await Promise.all([takeTurn('h:2'), takeTurn('h:3')])
  expect(ends).toHaveLength(2)
  for (const end of ends) end()
})

test('a line that has ended begins anew', async () => {
  const first = await takeTurn('h:4')
  first()
  const second = await takeTurn('h:4')
  second()
})

test('who gives up leaves the line at once', async () => {
  const { begun, take, end } = line('h:5')
  const controller = new AbortController()
  const reason = new Error('enough')
  const first = take('a')
  const second = take('b', controller.signal)
  const third = take('c')
  controller.abort(reason)
  await expect(second).rejects.toBe(reason)
  await first
  end('a')
  await third
  expect(begun).toEqual(['a', 'c'])
  end('c')
})

test('a signal that has aborted already takes no turn', async () => {
  const reason = new Error('before')
  await expect(takeTurn('h:6', AbortSignal.abort(reason))).rejects.toBe(reason)
  const end = await takeTurn('h:6')
  end()
})

test('a signal that aborts after the turn began has no effect on the line', async () => {
  const { begun, take, end } = line('h:7')
  const controller = new AbortController()
  await take('a')
  const second = take('b', controller.signal)
  end('a')
  await second
  controller.abort()
  const third = take('c')
  end('b')
  await third
  expect(begun).toEqual(['a', 'b', 'c'])
  end('c')
})

test('[A6] several addresses: nobody shares any of them, and nobody is stuck', async () => {
  const order: string[] = []
  const take = async (name: string, addresses: string[]) => {
    const end = await takeTurns(addresses)
    order.push(name)
    await microtasks()
    order.push(`${name} ends`)
    end()
  }
  await Promise.all([take('a', ['h:8', 'h:9']), take('b', ['h:9', 'h:8', 'h:9']), take('c', ['h:9'])])
  expect(order.filter((_, at) => at % 2 === 0).sort()).toEqual(['a', 'b', 'c'])
  for (let at = 0; at < order.length; at += 2) expect(order[at + 1]).toBe(`${order[at]} ends`)
})

test('who gives up gives back the turns that it has', async () => {
  const controller = new AbortController()
  const second = await takeTurn('h:11')
  const attempt = takeTurns(['h:10', 'h:11'], controller.signal)
  await microtasks()
  controller.abort('enough')
  await expect(attempt).rejects.toBe('enough')
  const first = await takeTurn('h:10')
  first()
  second()
})
