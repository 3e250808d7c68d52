// "Sans-I/O" is a compile error, not a promise: in the projects of the pure core nothing of Node or of a browser is in
// sight. One snippet per thing that must not be there, compiled with the very options of each project.

import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'

const PROTOCOL = join(import.meta.dirname, '../../packages/protocol')

const IMPURE = [
  'export const bytes: Uint8Array = Buffer.alloc(1)',
  'export const id: number = process.pid',
  'setTimeout(() => {}, 1)',
  'setInterval(() => {}, 1)',
  'setImmediate(() => {})',
  'queueMicrotask(() => {})',
  'console.log(1)',
  "new URL('ws://localhost/')",
  'new TextDecoder()',
  'new TextEncoder()',
  'crypto.getRandomValues(new Uint8Array(1))',
  'new AbortController()',
  'performance.now()',
  'export const x: unknown = globalThis.Buffer',
  "import 'node:http'; import { request } from 'node:http'; request('')",
]
const PURE = 'export const sum = (bytes: Uint8Array): number => bytes.reduce((a, b) => a + b, 0)'

/** Compiles snippets as files of a project; yields which of them have an error. */
function failing(project: string, snippets: string[]): string[] {
  const config = ts.getParsedCommandLineOfConfigFile(
    join(PROTOCOL, project),
    {},
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: (diagnostic) => {
        throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n'))
      },
    },
  )
  if (config === undefined) throw new Error(`no such project: ${project}`)
  const options = { ...config.options, composite: false, noEmit: true }
  const sources = new Map(snippets.map((text, index) => [join(PROTOCOL, 'src', `snippet-${index}.ts`), text]))
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists } = host
  host.fileExists = (name) => sources.has(name) || fileExists(name)
  host.getSourceFile = (name, target, ...rest) => {
    const text = sources.get(name)
    return text === undefined ? getSourceFile(name, target, ...rest) : ts.createSourceFile(name, text, target)
  }
  const program = ts.createProgram([...sources.keys()], options, host)
  return snippets.filter((_, index) => {
    const file = program.getSourceFile(join(PROTOCOL, 'src', `snippet-${index}.ts`))
    return ts.getPreEmitDiagnostics(program, file).length > 0
  })
}

describe.each(['tsconfig.json', 'tsconfig.codec.json'])('%s', (project) => {
  test('rejects everything that is not ECMAScript, and nothing else', () => {
    expect(failing(project, [PURE, ...IMPURE])).toEqual(IMPURE)
  })
})

test('tsconfig.node.json accepts Node, so it is the projects that reject it', () => {
  expect(failing('tsconfig.node.json', [PURE, ...IMPURE])).toEqual([])
})
