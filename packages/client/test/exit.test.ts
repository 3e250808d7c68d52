// A program that is done ends, whatever the server does with a connection that is closing. The closeTimeout of these programs is some
// weeks, so only what is tested here can end them.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import { pathToFileURL } from 'node:url'
import { makeCertificates } from '@ws/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { closeFrame, FrameReader, frame } from './support/frames.ts'
import { http2Peer } from './support/http2-peer.ts'
import { peer } from './support/peer.ts'
import { type Exchange, rawServer, switching } from './support/raw-server.ts'

const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
const CLIENT = new URL('../src/index.ts', import.meta.url).href

/** Runs a program to its end. @returns its exit code and what it printed */
async function run(url: string, body: string, ca = ''): Promise<[code: number, output: string]> {
  const program = `
    import { connect, ReconnectingWebSocket, WebSocket } from '${CLIENT}'
    const url = '${url}'
    const options = { closeTimeout: 2 ** 31 - 1, ${ca === '' ? '' : `ca: process.env.CA`} }
    ${body}`
  const nodeOptions = ['--conditions=@ws/source', '--import', TSX, '--input-type=module', '-e', program]
  const child = spawn(process.execPath, nodeOptions, { env: { ...process.env, CA: ca } })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)))
  const [code] = await once(child, 'close')
  return [code, output.trim()]
}

/** A server that opens and never closes; `then` is called after the 101. */
function silent(then: (socket: Socket) => void = () => {}, tls?: object) {
  const answer = ({ socket, accept }: Exchange): void => {
    socket.write(switching(accept))
    then(socket)
  }
  return rawServer(answer, tls)
}

const told = 'code: 1006, wasClean: false, cause: CLOSE_TIMEOUT'
const PRINT = `console.log(\`code: \${info.code}, wasClean: \${info.wasClean}, cause: \${info.cause?.code}\`)`

describe('a server that never answers the Close', () => {
  test('close(), and nobody waits', async () => {
    const { url } = await silent()
    expect(await run(url, 'const socket = await connect(url, options); void socket.close(1000)')).toEqual([0, ''])
  })

  test('who waits is told', async () => {
    const { url } = await silent()
    expect(
      await run(url, `const socket = await connect(url, options); const info = await socket.close(); ${PRINT}`),
    ).toEqual([0, told])
  })

  test('over TLS', async () => {
    const { ca, server } = await makeCertificates()
    const { url } = await silent(() => {}, server)
    const body = `const socket = await connect(url, options); const info = await socket.close(); ${PRINT}`
    expect(await run(url, body, ca)).toEqual([0, told])
  })

  test('the class', async () => {
    const { url } = await silent()
    const body = `const socket = new WebSocket(url, options)
      socket.onopen = () => socket.close()
      socket.onclose = ({ code, wasClean }) => console.log(code, wasClean, socket.failure.code)`
    expect(await run(url, body)).toEqual([0, '1006 false CLOSE_TIMEOUT'])
  })

  test('the class that connects again, with a heartbeat made of messages', async () => {
    const { url } = await silent()
    const body = `const heartbeat = { interval: 2 ** 31 - 1, message: () => '' }
      const socket = new ReconnectingWebSocket(url, { ...options, heartbeat })
      socket.onopen = () => socket.close()
      socket.onclose = ({ code, wasClean }) => console.log(code, wasClean, socket.failure.code)`
    expect(await run(url, body)).toEqual([0, '1006 false CLOSE_TIMEOUT'])
  })

  test('the same, which waits for that end only to connect again', async () => {
    const { url } = await silent()
    const body = `const holding = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
      const socket = new ReconnectingWebSocket(url, { ...options, heartbeat: false })
      socket.onopen = () => {
        socket.reconnect()
        const waiting = holding()
        socket.close()
        socket.onclose = () => setImmediate(() => console.log(waiting, holding()))
      }`
    expect(await run(url, body)).toEqual([0, '1 0'])
  })

  test('while something else goes on, the connection has its time', async () => {
    const server = await silent(async (socket) => {
      await new FrameReader(socket).next()
      socket.write(closeFrame(1000))
      socket.end()
    })
    const body = `const socket = await connect(url, options)
      const other = setTimeout(() => {}, 2 ** 31 - 1)
      const info = await socket.close(1000); ${PRINT}
      clearTimeout(other)`
    expect(await run(server.url, body)).toEqual([0, 'code: 1000, wasClean: true, cause: undefined'])
  })
})

test('both Closes have been exchanged, and the server does not end TCP: a clean end', async () => {
  const { url } = await silent((socket) => void socket.write(closeFrame(1000)))
  const body = `const socket = await connect(url, options); const info = await socket.closed; ${PRINT}`
  expect(await run(url, body)).toEqual([0, 'code: 1000, wasClean: true, cause: undefined'])
})

test('a server that answers: the end is clean, and everything has left', async () => {
  const lengths: number[] = []
  const opened = (connection: { on(name: 'message', listener: (data: string | Buffer) => void): void }) =>
    connection.on('message', (data) => lengths.push(data.length))
  const { url } = await peer({ opened: opened as never })
  const body = `const socket = await connect(url, { ...options, perMessageDeflate: false })
    for (let i = 0; i < 40; i++) socket.send(Buffer.alloc(100_000))
    const info = await socket.close(1000); ${PRINT}`
  expect(await run(url, body)).toEqual([0, 'code: 1000, wasClean: true, cause: undefined'])
  expect(lengths).toEqual(Array(40).fill(100_000))
})

describe('over HTTP/2', () => {
  const closing =
    'const socket = await connect(url, { ...options, http2: true }); const info = await socket.close(1000); '

  test('a session without streams holds nobody up', async () => {
    const { url } = await http2Peer()
    expect(await run(url, closing + PRINT)).toEqual([0, 'code: 1000, wasClean: true, cause: undefined'])
  })

  const silently = () => http2Peer({ answer: (stream) => stream.respond({ ':status': 200 }) })

  test('nor does a stream that never ends, and who waits for it is told', async () => {
    const { url } = await silently()
    expect(await run(url, closing + PRINT)).toEqual([0, told])
  })

  test('nor does one that nobody waits for', async () => {
    const { url } = await silently()
    const body = 'const socket = await connect(url, { ...options, http2: true }); void socket.close()'
    expect(await run(url, body)).toEqual([0, ''])
  })

  test('another stream that is open does', async () => {
    const { url } = await http2Peer({
      answer: (stream, { ':path': path }) => {
        stream.respond({ ':status': 200 })
        if (path !== '/open') return
        stream.once('data', () => setImmediate(() => setImmediate(() => stream.end(frame(0x81, 'late')))))
      },
    })
    const body = `const both = ['/open', '/closing'].map((path) => connect(url + path, { ...options, http2: true }))
      const [open, closing] = await Promise.all(both)
      void closing.close()
      open.send('go on')
      for await (const message of open) console.log(message)`
    expect(await run(url, body)).toEqual([0, 'late'])
  })
})

test('an open connection keeps the process alive', async () => {
  const { url } = await silent((socket) => {
    // Long after an otherwise empty event loop would have ended the process.
    setImmediate(() => setImmediate(() => socket.end(Buffer.concat([Buffer.from('810161', 'hex'), closeFrame(1000)]))))
  })
  const body = `const socket = await connect(url, options); for await (const message of socket) console.log(message)`
  expect(await run(url, body)).toEqual([0, 'a'])
})
