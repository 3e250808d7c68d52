// The options of how to reach a server, of `connect` and `bench`.

import type { ConnectOptions } from '@ws/client'
import type { Status } from './terminal.ts'

export interface TargetOptions {
  readonly header?: readonly (readonly [string, string])[] | undefined
  readonly protocol?: readonly string[] | undefined
  /** PEM. */
  readonly ca?: string | undefined
  readonly insecure?: boolean | undefined
}

/** The URL as the URL standard writes it, to be shown: a password in it is nobody's business. */
export function withoutCredentials(url: string): string {
  const shown = new URL(url)
  shown.username = ''
  shown.password = ''
  return shown.href
}

/** The options of `connect()`, after the warning that some need. */
export function targetOptions({ header, protocol, ca, insecure }: TargetOptions, status: Status): ConnectOptions {
  if (insecure) {
    status.warning(
      '--insecure: the certificate of the server is not checked, so anybody on the way can read and change what passes',
    )
  }
  return { headers: header, protocols: protocol, ca, ...(insecure && { rejectUnauthorized: false }) }
}
