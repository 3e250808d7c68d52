// Broadcasts, one in each turn of the event loop, however many are asked for at once: the same for every server.

/** Makes a function that asks for one broadcast. */
export function oncePerTurn(broadcast: () => void): () => void {
  let asked = 0
  const turn = (): void => {
    broadcast()
    if (--asked > 0) setImmediate(turn)
  }
  return () => {
    if (++asked === 1) setImmediate(turn)
  }
}

/** Calls `action` so many times. */
export function times(count: number, action: () => void): void {
  for (let left = count; left > 0; left--) action()
}
