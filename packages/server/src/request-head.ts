// The head of the one request that a port of our own is there for, read without Node's HTTP parser, which takes longer than all the rest of a
// handshake in JavaScript. Pure. Rules: what is read here means what Node would have read, and whatever could mean anything else to
// anybody (a body, a folded line, a bare CR or LF, a tab, bytes past ASCII, a name of unusual letters) is not read here: Node's parser
// answers for it. So nothing is refused here, and nothing is forgiven. (Tabs: `Connection: Upgrade<tab>` is an upgrade by RFC 9110, and
// none to Node.)

/** A request line and its headers. */
export interface RequestHead {
  /** Path and query, as sent. */
  readonly target: string
  /** `[name, value, name, value, …]`, as Node has them. */
  readonly rawHeaders: readonly string[]
  /** How many bytes it took, the empty line included. */
  readonly length: number
}

/** RFC 9112 §3 and §5, with the target in origin form: part of what these allow. */
const HEAD = /^GET (\/[!-~]*) HTTP\/1\.1\r\n((?:[A-Za-z0-9-]+:[ -~]*\r\n)+)\r\n/

/** Says of a body, or changes how the request is to be read (RFC 9112 §6, RFC 9110 §10.1). */
const FRAMING = /^(?:content-length|transfer-encoding|expect|te|trailer)$/i

/** @param text what was read first, a character a byte @returns undefined for all that is not the head of such a request, and whole */
export function readRequestHead(text: string): RequestHead | undefined {
  const match = HEAD.exec(text)
  if (match === null) return undefined
  const [{ length }, target, lines] = match as unknown as [string, string, string]
  const rawHeaders: string[] = []
  for (let start = 0; start < lines.length; ) {
    const colon = lines.indexOf(':', start)
    const end = lines.indexOf('\r', colon)
    const name = lines.slice(start, colon)
    if (FRAMING.test(name)) return undefined
    rawHeaders.push(name, lines.slice(colon + 1, end).trim())
    start = end + 2
  }
  return { target, rawHeaders, length }
}
