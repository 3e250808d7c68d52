// How many connections there may be, in all and from one address. Rules:
// - Upgrades that wait for their hook count like open connections.
// - A place of an address is held until the request is refused or the socket closed: whoever is refused may ask again at once.
// - Without these options nothing here exists, and no address is looked up.

import type { Duplex } from 'node:stream'
import type { Header, Rejected } from '@ws/protocol'
import type { UpgradeRequest } from '@ws/protocol/node'
import { networkOf } from './address.ts'

/** The options that bound how many there are; Infinity for no bound. */
export interface CapacitySettings {
  readonly maxConnections: number
  readonly maxConnectionsPerAddress: number
  /** How many proxies stand in front. */
  readonly proxies: number
}

/** In seconds: long enough for others to leave, and not so long that nobody would wait. */
const RETRY_AFTER: Header = ['Retry-After', '5']

const FULL: Rejected = {
  valid: false,
  status: 503,
  code: 'REFUSED_FULL',
  message: 'the server is full (its option maxConnections): try again later',
  headers: [RETRY_AFTER],
}

/** @returns undefined if there is no bound */
export function capacityOf(settings: CapacitySettings, count: () => number): Capacity | undefined {
  const { maxConnections, maxConnectionsPerAddress } = settings
  return Math.min(maxConnections, maxConnectionsPerAddress) === Infinity ? undefined : new Capacity(settings, count)
}

export class Capacity {
  readonly #settings: CapacitySettings
  readonly #count: () => number
  /** Places that are taken, by network. */
  readonly #taken = new Map<string, number>()
  /** The network of each stream that has a place. */
  readonly #networks = new WeakMap<Duplex, string>()

  /** @param count how many there are in all, open and waiting */
  constructor(settings: CapacitySettings, count: () => number) {
    this.#settings = settings
    this.#count = count
  }

  /** Takes a place for a request. @returns why there is none */
  enter(request: UpgradeRequest, stream: Duplex): Rejected | undefined {
    const { maxConnections, maxConnectionsPerAddress, proxies } = this.#settings
    if (this.#count() >= maxConnections) return FULL
    if (maxConnectionsPerAddress === Infinity) return undefined
    const network = networkOf(request, proxies)
    const taken = this.#taken.get(network) ?? 0
    if (taken >= maxConnectionsPerAddress) return tooManyFrom(network)
    this.#taken.set(network, taken + 1)
    this.#networks.set(stream, network)
    stream.once('close', () => this.leave(stream))
    return undefined
  }

  /** Gives the place of a stream back, if it has one. */
  leave(stream: Duplex): void {
    const network = this.#networks.get(stream)
    if (network === undefined) return
    this.#networks.delete(stream)
    const left = (this.#taken.get(network) as number) - 1
    if (left > 0) this.#taken.set(network, left)
    else this.#taken.delete(network)
  }
}

function tooManyFrom(network: string): Rejected {
  const place = network === '' ? 'this place' : network
  const message = `too many connections from ${place} (the server's option maxConnectionsPerAddress): try again later`
  return { valid: false, status: 429, code: 'REFUSED_ADDRESS_FULL', message, headers: [RETRY_AFTER] }
}
