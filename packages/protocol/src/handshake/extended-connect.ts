// Judging an extended CONNECT (RFC 8441): how WebSocket is asked for from HTTP/2 on. Rules: the pseudo-headers take the place of
// request line, `Host`, `Upgrade` and `Connection`, and all five are there once; no header may say otherwise. A stack for HTTP/2
// resets most of what is wrong here before it is seen (RFC 9113 §8.1.1): that is not relied on.

import { PROTOCOL_VERSION } from '../constants.ts'
import type { UpgradeHead } from './accept.ts'
import { type HeaderFields, headerLines } from './headers.ts'
import { checkBody, type Rejected, reject } from './reject.ts'

/** RFC 8441 §4. */
const PSEUDO_HEADERS = [':method', ':scheme', ':authority', ':path', ':protocol']

/** Of one hop in HTTP/1.1; in HTTP/2 they make a request malformed (RFC 9113 §8.2.2). */
const CONNECTION_HEADERS = ['connection', 'upgrade', 'keep-alive', 'proxy-connection']

const SCHEME = /^https?$/i
/** No user, and nothing of a path (RFC 9113 §8.3.1). */
const AUTHORITY = /^[^@/?#\s]+$/

/** Whether a request came over HTTP/2 or later: no header of HTTP/1.1 can have such a name, and here all have them. */
export function isExtended(fields: HeaderFields): boolean {
  return fields.has(':method') || fields.has(':protocol')
}

/** @returns why it is none for a WebSocket */
export function checkExtendedConnect(request: UpgradeHead, fields: HeaderFields): Rejected | undefined {
  if (request.method !== 'CONNECT') {
    return reject(405, 'REFUSED_METHOD', `expected method CONNECT; got ${request.method}`, [['allow', 'CONNECT']])
  }
  return checkPseudoHeaders(fields) ?? checkHeaders(fields) ?? checkVersion(fields)
}

function checkPseudoHeaders(fields: HeaderFields): Rejected | undefined {
  for (const name of PSEUDO_HEADERS) {
    const { length } = headerLines(fields, name)
    if (length !== 1) return malformed(`exactly one ${name}; got ${length}`)
  }
  const stray = [...fields.keys()].find((name) => name.startsWith(':') && !PSEUDO_HEADERS.includes(name))
  if (stray !== undefined) return malformed(`no other pseudo-headers than ${PSEUDO_HEADERS.join(', ')}`)
  if (!SCHEME.test(single(fields, ':scheme'))) return malformed(':scheme http or https')
  if (!AUTHORITY.test(single(fields, ':authority'))) return malformed(':authority to be a host, with or without a port')
  if (!single(fields, ':path').startsWith('/')) return malformed(':path to begin with /')
  if (single(fields, ':protocol').toLowerCase() === 'websocket') return undefined
  return reject(501, 'REFUSED_UPGRADE', 'expected :protocol websocket')
}

function checkHeaders(fields: HeaderFields): Rejected | undefined {
  const stray = CONNECTION_HEADERS.find((name) => fields.has(name))
  if (stray !== undefined) return reject(400, 'REFUSED_CONNECTION', `expected no header ${stray}: HTTP/2 has none`)
  const authority = single(fields, ':authority').toLowerCase()
  if (headerLines(fields, 'host').some((host) => host.toLowerCase() !== authority)) {
    return reject(400, 'REFUSED_HOST', 'expected no Host header, or that of :authority')
  }
  return checkBody(fields)
}

/** Another version gets no 426, as that asks for an `Upgrade`. */
function checkVersion(fields: HeaderFields): Rejected | undefined {
  const versions = headerLines(fields, 'sec-websocket-version')
  if (versions.length === 1 && versions[0] === PROTOCOL_VERSION) return undefined
  const given = versions.length > 1 ? 'more than one' : (versions[0] ?? 'none')
  const supported = ['sec-websocket-version', PROTOCOL_VERSION] as const
  return reject(400, 'REFUSED_VERSION', `expected sec-websocket-version: 13; got ${given}`, [supported])
}

function single(fields: HeaderFields, name: string): string {
  return headerLines(fields, name)[0] as string
}

function malformed(expected: string): Rejected {
  return reject(400, 'REFUSED_PSEUDO_HEADER', `expected ${expected}`)
}
