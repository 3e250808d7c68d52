// The core's handshake functions, bound to Node's SHA-1 and randomness.

import * as accept from '../handshake/accept.ts'
import * as key from '../handshake/key.ts'
import * as request from '../handshake/request.ts'
import { nodePlatform } from './platform.ts'

/** {@link key.generateKey} with Node's randomness. */
export function generateKey(): string {
  return key.generateKey(nodePlatform)
}

/** {@link key.acceptKey} with Node's SHA-1. */
export function acceptKey(text: string): string {
  return key.acceptKey(text, nodePlatform)
}

/** {@link accept.acceptUpgrade} with Node's SHA-1. */
export function acceptUpgrade(
  head: accept.UpgradeHead,
  options?: accept.AcceptOptions,
): accept.Accepted | accept.Rejected {
  return accept.acceptUpgrade(head, options, nodePlatform)
}

/** {@link accept.acceptOfferedUpgrade} with Node's SHA-1. */
export function acceptOfferedUpgrade(offer: accept.UpgradeOffer, options?: accept.AcceptOptions): accept.Accepted {
  return accept.acceptOfferedUpgrade(offer, options, nodePlatform)
}

/** {@link request.createUpgradeRequest} with Node's randomness and SHA-1. */
export function createUpgradeRequest(options?: request.UpgradeRequestOptions): request.SentUpgrade {
  return request.createUpgradeRequest(options, nodePlatform)
}
