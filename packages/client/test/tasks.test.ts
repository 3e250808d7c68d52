import { expect, test } from 'vitest'
import { afterMicrotasks, nextTask } from '../src/tasks.ts'

test('promise jobs come first, however many follow each other', async () => {
  const order: string[] = []
  const done = new Promise<void>((resolve) => {
    afterMicrotasks(() => {
      order.push('after')
      resolve()
    })
  })
  void (async () => {
    for (let step = 0; step < 20; step++) await null
    order.push('promises')
  })()
  await done
  expect(order).toEqual(['promises', 'after'])
})

test('nextTask is awaited like a promise', async () => {
  const order: string[] = []
  const done = (async () => {
    await nextTask
    order.push('after')
  })()
  for (let step = 0; step < 20; step++) await null
  order.push('promises')
  await done
  expect(order).toEqual(['promises', 'after'])
})
