// The import rules, read from the sources: server → protocol/node → protocol, client → protocol/node → protocol,
// never server ↔ client, the command line uses what those two export, and inside protocol only `src/node/` imports `node:`; of the client, what browsers load imports none. (The compiler refuses most breaches
// already, since a project sees only what it references; this says so in words.)

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'

const PACKAGES = join(import.meta.dirname, '../../packages')

interface Layer {
  /** The folder, below `packages/`, and the part of it that is another layer. */
  folder: string
  except?: string
  /** Folders that relative imports may reach. */
  reaches: string[]
  /** Everything else that may be imported. */
  imports: RegExp
}

const NOTHING = /^(?!)/
const NODE = /^node:/
const PROTOCOL = /^@ws\/protocol$/
const NODE_AND_PACKAGES = /^(node:|(@ws\/(client|server)|commander|picocolors)$)/
const NODE_AND_PROTOCOL = /^(node:|@ws\/protocol(\/node)?$)/

const LAYERS: Layer[] = [
  { folder: 'protocol/src', except: 'protocol/src/node', reaches: ['protocol/src'], imports: NOTHING },
  { folder: 'protocol/src/node', reaches: ['protocol/src', 'protocol/src/node'], imports: NODE },
  { folder: 'server/src', reaches: ['server/src'], imports: NODE_AND_PROTOCOL },
  { folder: 'client/src', reaches: ['client/src'], imports: NODE_AND_PROTOCOL },
  { folder: 'client/src/portable', reaches: ['client/src/portable'], imports: PROTOCOL },
  { folder: 'client/src/browser', reaches: ['client/src/browser', 'client/src/portable'], imports: PROTOCOL },
  { folder: 'cli/src', reaches: ['cli/src'], imports: NODE_AND_PACKAGES },
]

const within = (path: string, folder: string | undefined) => folder !== undefined && path.startsWith(`${folder}/`)

function sources({ folder, except }: Layer): string[] {
  return readdirSync(join(PACKAGES, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name}`)
    .filter((path) => path.endsWith('.ts') && !within(path, except))
}

/** The imports of a text that a layer may not have. */
function breaches(layer: Layer, path: string, text: string): string[] {
  return ts
    .preProcessFile(text)
    .importedFiles.map((file) => file.fileName)
    .filter((specifier) => !allowed(layer, path, specifier))
    .map((specifier) => `${path} → ${specifier}`)
}

function allowed({ reaches, except, imports }: Layer, path: string, specifier: string): boolean {
  if (!specifier.startsWith('.')) return imports.test(specifier)
  const target = relative(PACKAGES, join(PACKAGES, dirname(path), specifier))
  return reaches.some((folder) => within(target, folder)) && !within(target, except)
}

test.each(LAYERS)('$folder', (layer) => {
  const found = sources(layer)
  expect(found.length).toBeGreaterThan(0)
  expect(found.flatMap((path) => breaches(layer, path, readFileSync(join(PACKAGES, path), 'utf8')))).toEqual([])
})

describe('a breach is seen', () => {
  const [core, node, server, client, portable, browser, cli] = LAYERS as [
    Layer,
    Layer,
    Layer,
    Layer,
    Layer,
    Layer,
    Layer,
  ]
  test.each([
    ['protocol/src/state.ts', "import { Buffer } from 'node:buffer'", core],
    ['protocol/src/state.ts', "import { connect } from './node/index.ts'", core],
    ['protocol/src/frame/mask.ts', "export { connect } from '../node/index.ts'", core],
    ['protocol/src/state.ts', "await import('left-pad')", core],
    ['protocol/src/node/index.ts', "import { WebSocketServer } from '@ws/server'", node],
    ['server/src/server.ts', "import { connect } from '@ws/client'", server],
    ['server/src/server.ts', "import { connect } from '../../client/src/connect.ts'", server],
    ['server/src/server.ts', "import { FrameParser } from '@ws/protocol/src/frame/parser.ts'", server],
    ['client/src/connect.ts', "import type { Server } from '@ws/server'", client],
    ['client/src/portable/loss.ts', "import { usage } from '@ws/protocol/node'", portable],
    ['client/src/portable/loss.ts', "import { connect } from '../connect.ts'", portable],
    ['client/src/browser/connect.ts', "import { Buffer } from 'node:buffer'", browser],
    ['cli/src/connect.ts', "import { Protocol } from '@ws/protocol'", cli],
  ])('%s: %s', (path, text, layer) => {
    expect(breaches(layer, path, text)).toHaveLength(1)
  })
})
