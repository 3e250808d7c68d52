import { connect } from '@ws/client'
import { expect, onTestFinished, test } from 'vitest'
import { plainAnswer } from '../../src/demo/page.ts'
import { UpdatesServer } from '../../src/demo/server.ts'

test('pushes what a client sends to every other client, and closes with 1000 after it', async () => {
  const server = await UpdatesServer.listen(0, plainAnswer)
  onTestFinished(() => server.close())
  const [sender, ...others] = await Promise.all([connect(server.url), connect(server.url), connect(server.url)])
  const received = [sender, ...others].map(async (socket) => {
    const messages: unknown[] = []
    for await (const message of socket) messages.push(message)
    return messages
  })
  sender.send('text')
  sender.send(Buffer.from([1, 2]))
  await sender.close(1000)
  await server.close()
  expect(await Promise.all(received)).toEqual([[], ['text', Buffer.from([1, 2])], ['text', Buffer.from([1, 2])]])
  const ends = await Promise.all(others.map((socket) => socket.closed))
  for (const end of ends) expect(end).toMatchObject({ code: 1000, reason: 'the demo is over', wasClean: true })
  expect(server.accepted).toBe(3)
})

test('is only at /updates', async () => {
  const server = await UpdatesServer.listen(0, plainAnswer)
  onTestFinished(() => server.close())
  await expect(connect(server.url.replace('/updates', '/other'))).rejects.toMatchObject({ status: 404 })
  expect(() => server.find('no such key')).toThrow('no open connection')
})
