// When a page may have a network again: it is online, it is looked at, it is thawed. On Node nothing of this is there.

interface Page {
  addEventListener?(type: string, listener: () => void, options: { signal: AbortSignal }): void
  readonly document?: Page & { readonly visibilityState: string }
}

/** Calls back at such times, until `signal` aborts. */
export function onWake(wake: () => void, signal: AbortSignal): void {
  const page = globalThis as Page
  const { document } = page
  const ifVisible = (): void => {
    if (document?.visibilityState === 'visible') wake()
  }
  page.addEventListener?.('online', wake, { signal })
  document?.addEventListener?.('visibilitychange', ifVisible, { signal })
  document?.addEventListener?.('resume', wake, { signal })
}
