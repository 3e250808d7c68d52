import { expect, test } from 'vitest'
import { type EndTurn, takeTurn } from '../src/turns.ts'

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
