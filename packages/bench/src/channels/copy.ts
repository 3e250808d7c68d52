// A copy of the library of its own: bundled several times, as it is and without its channels, each with code of its own to compile.

export { connectPair } from '@ws/protocol/node'
