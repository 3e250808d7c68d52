// Following redirects (RFC 9110 §15.4), for those who ask for it. Rules:
// - Each hop is an attempt of its own: a fresh key, its own turn, its own way through a proxy.
// - What was meant for one origin (scheme, host and port) is not told another, nor to the first one again afterwards.
// - TLS is never given up, no URL is asked twice, and the number of hops is bounded.
// - What cannot be followed is an error with the answer that led there.

import { type ErrorCode, HandshakeError, UsageError } from '@ws/protocol'
import { textOf } from '@ws/protocol/node'
import { isRedirect } from './answer.ts'
import { IDENTITY_OPTIONS } from './dial-options.ts'
import { type ConnectOptions, makePlan, type Plan } from './plan.ts'
import { parseTarget, show, type Target, withoutCredentials } from './url.ts'

/** The redirects of one call of `connect`. */
export class Redirects {
  readonly #visited = new Set<string>()

  /**
   * Says where to go after an attempt has failed.
   * @throws what the attempt failed with, if that is no redirect or none is wanted; a HandshakeError if it must not be followed
   */
  next(plan: Plan, failure: unknown): Plan {
    if (!plan.followRedirects || !isRedirectAnswer(failure)) throw failure
    const { target } = plan
    this.#visited.add(withoutCredentials(target.url))
    const refuse = (why: string): HandshakeError => {
      const message = `a redirect from ${show(withoutCredentials(target.url))} is not followed: ${why}`
      return new HandshakeError('HANDSHAKE_REDIRECT', message, failure)
    }
    const location = failure.headers?.location
    if (typeof location !== 'string') throw refuse(`expected one Location header; got ${location?.length ?? 'none'}`)
    const next = parseLocation(location, target, refuse)
    if (target.secure && !next.secure) throw refuse(`${show(next.url)} is without TLS`)
    if (this.#visited.has(next.url)) throw refuse(`it leads back to ${show(next.url)}`)
    if (this.#visited.size > plan.maxRedirects) throw refuse(`there were ${plan.maxRedirects} before (maxRedirects)`)
    const sameOrigin = next.origin === target.origin
    if (!sameOrigin && plan.dial.socketPath !== undefined) throw refuse('it leads away from the Unix socket')
    if (!sameOrigin && plan.http2?.session !== undefined) throw refuse('it leads away from the session (option http2)')
    try {
      return planFor(next, plan, sameOrigin)
    } catch (error) {
      throw refuse(textOf(error)) // the environment names a proxy for this scheme that is none
    }
  }
}

function isRedirectAnswer(failure: unknown): failure is HandshakeError {
  const { code, status } = failure as { code?: ErrorCode; status?: number }
  return code === 'HANDSHAKE_STATUS' && isRedirect(status)
}

/** A relative one is of the URL that was asked. Credentials come from the caller alone, so those in it are not used. */
function parseLocation(location: string, target: Target, refuse: (why: string) => HandshakeError): Target {
  try {
    return parseTarget(withoutCredentials(new URL(location, withoutCredentials(target.url)).href))
  } catch (error) {
    throw refuse(`Location is ${show(location)}; ${error instanceof UsageError ? error.message : 'that is no URL'}`)
  }
}

function planFor(next: Target, plan: Plan, sameOrigin: boolean): Plan {
  if (!sameOrigin) return { ...makePlan(next, impersonal(plan.options)), signal: plan.signal }
  const { authorization } = plan.target
  return { ...makePlan({ ...next, authorization }, plan.options), signal: plan.signal }
}

const PERSONAL_HEADERS: readonly unknown[] = ['authorization', 'cookie', 'host', 'proxy-authorization']

/** The options without what was meant for one server. */
function impersonal(options: Plan['options']): ConnectOptions {
  const headers = options.headers.filter(([name]) => !PERSONAL_HEADERS.includes(name.toLowerCase()))
  const nobody = Object.fromEntries(IDENTITY_OPTIONS.map((name) => [name, undefined]))
  return { ...options, ...nobody, headers }
}
