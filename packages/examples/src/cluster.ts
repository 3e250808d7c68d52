// A server on all cores: `pnpm --filter @ws/examples cluster [port] [workers]`. What one client says, all get, whichever worker they are at.
// SIGHUP replaces the workers one by one, without a connection refused; SIGTERM ends all of them.
//
// The workers share one listening socket (SCHED_NONE): the system gives a connection to whichever of them is free, without a detour
// through the primary, and what waits in its queue when one of them leaves is accepted by the others. That is what makes the restart
// below lose nobody: the successor listens first; the old one then stops listening, lets in who had already reached it, and only
// then asks its clients to come back (1012).

import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { CloseCode, WebSocketServer } from '@ws/server'

const [port = '12016', size = String(availableParallelism())] = process.argv.slice(2)
const LEAVE = { leave: true }
/** The workers that have begun to listen: they hear messages. */
const listening = new Set<Worker>()
let ending = false

if (cluster.isPrimary) await supervise()
else await serve(cluster.worker as Worker)

async function supervise(): Promise<void> {
  cluster.schedulingPolicy = cluster.SCHED_NONE // before the first fork
  cluster.on('message', (from, message) => {
    for (const worker of workers()) if (worker !== from && worker.isConnected()) worker.send(message)
  })
  cluster.once('listening', (_, address) => console.log(`ws://127.0.0.1:${address.port}`))
  await Promise.all(Array.from({ length: Number(size) }, start))
  console.log(`${workers().length} workers`)

  let replacing = Promise.resolve()
  process.on('SIGHUP', () => {
    replacing = replacing.then(replaceAll).catch(report)
  })
  process.once('SIGTERM', () => {
    ending = true
    for (const worker of workers()) void dismiss(worker)
  })
}

async function replaceAll(): Promise<void> {
  for (const old of workers()) {
    if (ending) return
    if (old.isDead()) continue // it crashed, and has its successor
    await start()
    await dismiss(old)
  }
  console.log('all replaced')
}

function workers(): Worker[] {
  return Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined)
}

/** Rejects if the worker cannot listen. */
async function start(): Promise<void> {
  const worker = cluster.fork()
  const ended = once(worker, 'exit').then(([code]) => {
    throw new Error(`a worker ended with code ${code} before it listened`)
  })
  await Promise.race([once(worker, 'listening'), ended])
  listening.add(worker)
  worker.once('exit', (code) => {
    listening.delete(worker)
    if (code !== 0 && !ending) start().catch(report) // it crashed
  })
}

async function dismiss(worker: Worker): Promise<void> {
  if (worker.isDead()) return
  const ended = once(worker, 'exit')
  if (listening.has(worker) && worker.isConnected()) worker.send(LEAVE)
  else worker.process.kill('SIGKILL') // it has no clients yet, and hears nothing
  await ended
}

function report(error: Error): void {
  console.error(error.message)
}

async function serve(worker: Worker): Promise<void> {
  // Service managers signal all processes; what it means for a worker is for the primary to say.
  for (const signal of ['SIGHUP', 'SIGTERM'] as const) process.on(signal, () => {})
  const server = await WebSocketServer.listen(
    { port: Number(port), host: '127.0.0.1' },
    {
      open: (socket) => void socket.send(`worker ${process.pid}`),
      message: (_, data) => {
        const text = String(data)
        server.broadcast(text)
        worker.send({ text }) // to those at the other workers
      },
    },
  )
  const leave = async (): Promise<void> => {
    console.log(`worker ${process.pid} leaves`)
    await server.stopListening()
    await server.close({ timeout: 5_000, code: CloseCode.ServiceRestart, reason: 'a new version' })
    worker.disconnect()
  }
  worker.on('message', (message) => {
    if (message.leave) void leave()
    else server.broadcast(message.text)
  })
}
