// When a page may have a network again: it is online, it is looked at, it is thawed. On Node nothing of this is there.

interface Target {
  addEventListener?(type: string, listener: () => void): void
  removeEventListener?(type: string, listener: () => void): void
}

/** Calls back at such times. @returns what ends it */
export function onWake(wake: () => void): () => void {
  const page = globalThis as Target & { document?: Target & { visibilityState: string } }
  const { document } = page
  const whenVisible = (): void => {
    if (document?.visibilityState === 'visible') wake()
  }
  const sources: readonly (readonly [Target | undefined, string, () => void])[] = [
    [page, 'online', wake],
    [document, 'visibilitychange', whenVisible],
    [document, 'resume', wake],
  ]
  for (const [target, type, listener] of sources) target?.addEventListener?.(type, listener)
  return () => {
    for (const [target, type, listener] of sources) target?.removeEventListener?.(type, listener)
  }
}
