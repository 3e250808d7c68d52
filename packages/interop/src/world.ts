// The peers of a run: started when first needed, ended together. Rules: a peer that this machine does not have is a reason to
// leave its pairs out, but never in CI, where it fails.

import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Certificates, makeCertificates } from '@ws/testkit'
import { hasBrowser } from '@ws/testkit/browser'
import type { Meeting } from './judge.ts'
import type { ClientName, Pair, ServerName } from './matrix.ts'
import { chromiumPeer } from './peers/chromium.ts'
import { NGINX, type ReverseProxy, startNginx } from './peers/nginx.ts'
import { connectPeer, ourServer, ourStandardPeer } from './peers/ours.ts'
import { PYTHON, pythonPeer } from './peers/python.ts'
import { standardPeer } from './peers/standard.ts'
import { wsClient, wsServer } from './peers/ws.ts'
import type { ClientPeer, Deflate, Listener, ListenOptions, ServerPeer } from './plan.ts'
import { makeTempFolder, type TempFolder } from './temp.ts'

const HOST = '127.0.0.1'
const inCi = process.env.CI !== undefined

/** Why a peer cannot be had here; `undefined` if it can. */
export function missingReason(name: ClientName | ServerName): string | undefined {
  if (name === 'built-in') return 'WebSocket' in globalThis ? undefined : 'this Node has no WebSocket of its own'
  if (inCi) return undefined
  if (name === 'chromium') return hasBrowser ? undefined : 'there is no /usr/bin/chromium'
  if (name === 'python') return hasPython() ? undefined : `${PYTHON} has no websockets`
  if (name === 'ours behind nginx') return existsSync(NGINX) ? undefined : `there is no ${NGINX}`
  return undefined
}

let python: boolean | undefined

function hasPython(): boolean {
  python ??= importsWebsockets()
  return python
}

function importsWebsockets(): boolean {
  try {
    execFileSync(PYTHON, ['-c', 'import websockets.legacy.server'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Why a pair is left out here; `undefined` if it is not. */
export function skipReason({ client, server }: Pair): string | undefined {
  return missingReason(client) ?? missingReason(server)
}

type Disposable = { dispose(): Promise<void> }

export class World {
  readonly #certificates: Certificates
  readonly #folder: TempFolder
  readonly #started = new Map<string, Promise<unknown>>()
  readonly #disposables: Disposable[] = []

  private constructor(certificates: Certificates, folder: TempFolder) {
    this.#certificates = certificates
    this.#folder = folder
  }

  static async create(): Promise<World> {
    const certificates = await makeCertificates()
    return new World(certificates, await makeTempFolder(certificates))
  }

  /** The two sides of a pair, ready. */
  async meeting({ client, server, scheme, compression }: Pair): Promise<Meeting> {
    const compressed = compression === 'compressed'
    const options = { secure: scheme === 'wss', deflate: compressed }
    const [clientPeer, place] = await Promise.all([this.client(client), this.#place(server, options)])
    return { client: clientPeer, ...place, deflate: compressed, compressed }
  }

  client(name: ClientName): Promise<ClientPeer> {
    return this.#once(`client ${name}`, () => this.#startClient(name))
  }

  server(name: Exclude<ServerName, 'ours behind nginx'>): Promise<ServerPeer> {
    return this.#once(`server ${name}`, async () => {
      if (name === 'python') return (await this.#python()).server
      return name === 'ours' ? ourServer(this.#certificates) : wsServer(this.#certificates)
    })
  }

  /** A server with options of its own. The caller closes the listener. */
  async listen(name: Exclude<ServerName, 'ours behind nginx'>, deflate: Deflate): Promise<Listener> {
    return await (await this.server(name)).listen({ secure: false, deflate })
  }

  /** Ends everything, servers last. */
  async dispose(): Promise<void> {
    await Promise.allSettled(this.#started.values())
    const faults: unknown[] = []
    for (const disposable of this.#disposables.reverse())
      await disposable.dispose().catch((fault) => faults.push(fault))
    await this.#folder.dispose()
    if (faults.length > 0) throw new AggregateError(faults, 'peers that did not end well')
  }

  async #startClient(name: ClientName): Promise<ClientPeer> {
    switch (name) {
      case 'connect':
        return connectPeer(this.#certificates)
      case 'WebSocket':
        return ourStandardPeer(this.#certificates)
      case 'ws':
        return wsClient(this.#certificates)
      case 'undici':
      case 'built-in':
        return this.#keep(standardPeer(name, this.#folder.pem.ca))
      case 'python':
        return (await this.#python()).client
      case 'chromium':
        return this.#keep(await chromiumPeer())
    }
  }

  #python(): Promise<ReturnType<typeof pythonPeer>> {
    return this.#once('python', async () => {
      const peer = pythonPeer(this.#folder.pem)
      this.#keep(peer.client)
      return peer
    })
  }

  async #place(name: ServerName, options: ListenOptions): Promise<Pick<Meeting, 'server' | 'listener' | 'origin'>> {
    if (name === 'ours behind nginx') return await this.#placeBehindNginx(options)
    const listener = await this.#listener(name, options)
    return { server: await this.server(name), listener, origin: originOf(options.secure, listener.port) }
  }

  async #placeBehindNginx({
    secure,
    deflate,
  }: ListenOptions): Promise<Pick<Meeting, 'server' | 'listener' | 'origin'>> {
    const listener = await this.#listener('ours', { secure: false, deflate })
    const { routes } = await this.#nginx()
    const route = routes.find((one) => one.secure === secure && one.upstream === listener.port)
    return { server: await this.server('ours'), listener, origin: originOf(secure, route?.port ?? 0) }
  }

  #nginx(): Promise<ReverseProxy> {
    return this.#once('nginx', async () => {
      const listeners = [false, true].map((deflate) => this.#listener('ours', { secure: false, deflate }))
      const upstreams = (await Promise.all(listeners)).map(({ port }) => port)
      return this.#keep(await startNginx(join(this.#folder.path, 'nginx'), this.#folder.pem, upstreams))
    })
  }

  #listener(name: Exclude<ServerName, 'ours behind nginx'>, options: ListenOptions): Promise<Listener> {
    return this.#once(`listener ${name} ${JSON.stringify(options)}`, async () => {
      const listener = await (await this.server(name)).listen(options)
      this.#keep({ dispose: () => listener.close() })
      return listener
    })
  }

  #keep<Kept extends Disposable>(disposable: Kept): Kept {
    this.#disposables.push(disposable)
    return disposable
  }

  #once<Result>(key: string, start: () => Promise<Result>): Promise<Result> {
    const found = this.#started.get(key) ?? start()
    this.#started.set(key, found)
    return found as Promise<Result>
  }
}

function originOf(secure: boolean, port: number): string {
  return `${secure ? 'wss' : 'ws'}://${HOST}:${port}`
}
