// What the browser has itself, under the names of this package. Absent where there is no browser (a page that is rendered on a
// server loads this too): only its use fails then. (Pure calls,
// since a bundler may not leave out a look at a global object.)

/** The browser's own WebSocket. */
export const WebSocket: typeof globalThis.WebSocket = /* @__PURE__ */ (() => globalThis.WebSocket)()
export type WebSocket = globalThis.WebSocket

/** The browser's own `close` event. */
export const CloseEvent: typeof globalThis.CloseEvent = /* @__PURE__ */ (() => globalThis.CloseEvent)()
export type CloseEvent = globalThis.CloseEvent
