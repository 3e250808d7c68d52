// `pnpm mutants`: applies each mutation to a copy of the sources (never to the tree itself), runs the catalogue against it,
// and prints what became of each. Exit code 1 if the catalogue does not notice one, or if a mutation's text does not stand exactly once.

import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BEGUN, FAULT_FOUND } from './exit.ts'
import { MUTATIONS, type Mutation } from './mutations.ts'

const ROOT = join(import.meta.dirname, '../../../..')
const PACKAGES = ['protocol', 'server', 'client', 'conformance']
const WORKERS = 2
/** For one run of the catalogue, in ms; a mutant that hangs has been noticed. */
const TIMEOUT = 180_000
const SHOWN = 100

interface Result {
  readonly mutation: Mutation
  readonly killed: boolean
  readonly how: string
}

const [only = ''] = process.argv.slice(2)
const mutations = MUTATIONS.filter(({ file, text }) => `${file} ${text}`.includes(only))
const results: Result[] = []
const folder = await mkdtemp(join(tmpdir(), 'mutants-'))
try {
  await checkSound(join(folder, 'sound'))
  const left = [...mutations]
  await Promise.all(Array.from({ length: WORKERS }, (_, index) => work(join(folder, `${index}`), left)))
} finally {
  await rm(folder, { recursive: true })
}
summarize()

async function checkSound(copy: string): Promise<void> {
  await makeCopy(copy)
  const sound = await run(copy, [...new Set(mutations.flatMap(({ sections }) => sections))])
  if (sound.killed) throw new Error(`the catalogue fails without any mutation: ${sound.how}`)
}

/** Takes mutations off the list, one after the other, on a copy of the sources. */
async function work(copy: string, left: Mutation[]): Promise<void> {
  await makeCopy(copy)
  for (let mutation = left.shift(); mutation !== undefined; mutation = left.shift()) {
    const result = { mutation, ...(await judge(copy, mutation)) }
    results.push(result)
    show(result)
  }
}

async function makeCopy(copy: string): Promise<void> {
  const scope = join(copy, 'node_modules/@ws')
  await mkdir(scope, { recursive: true })
  for (const name of PACKAGES) {
    const target = join(copy, 'packages', name)
    await cp(join(ROOT, 'packages', name, 'src'), join(target, 'src'), { recursive: true })
    await cp(join(ROOT, 'packages', name, 'package.json'), join(target, 'package.json'))
    await symlink(target, join(scope, name), 'dir')
  }
}

async function judge(copy: string, { file, text, replacement, sections }: Mutation): Promise<Omit<Result, 'mutation'>> {
  const path = join(copy, 'packages/protocol/src', file)
  const source = await readFile(path, 'utf8')
  const times = source.split(text).length - 1
  if (times !== 1) return { killed: false, how: `its text stands ${times} times in the file` }
  await writeFile(
    path,
    source.replace(text, () => replacement),
  )
  try {
    return await run(copy, sections)
  } finally {
    await writeFile(path, source)
  }
}

/** Runs those sections. */
function run(copy: string, sections: readonly string[]): Promise<Omit<Result, 'mutation'>> {
  const main = join(copy, 'packages/conformance/src/main.ts')
  const args = ['--conditions=@ws/source', '--import', import.meta.resolve('tsx'), main, '--until-failure', ...sections]
  return new Promise((resolve) => {
    execFile(process.execPath, args, { timeout: TIMEOUT, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      resolve(verdictOf(error, stdout, stderr))
    })
  })
}

function verdictOf(
  error: { readonly code?: unknown; readonly killed?: boolean | undefined } | null,
  stdout: string,
  stderr: string,
): Omit<Result, 'mutation'> {
  if (error === null) return { killed: false, how: 'no case fails' }
  if (!stdout.startsWith(BEGUN)) return { killed: false, how: `it cannot be loaded: ${stderr}` }
  if (error.killed === true) return { killed: true, how: 'it hangs' }
  if (error.code === FAULT_FOUND) return { killed: true, how: stdout.slice(BEGUN.length).trim() }
  return { killed: true, how: `it crashes: ${/^\w*Error.*$/m.exec(stderr)?.[0] ?? 'no message'}` }
}

function show({ mutation, killed, how }: Result): void {
  const change = `${mutation.file}: ${line(mutation.text)} → ${line(mutation.replacement) || 'nothing'}`
  console.log(`${killed ? 'killed' : 'ALIVE '}  ${change}\n        ${line(how)}`)
}

function summarize(): void {
  const killed = results.filter((result) => result.killed).length
  console.log(`${mutations.length} mutants, ${killed} killed, ${mutations.length - killed} not`)
  if (killed < mutations.length) process.exitCode = 1
}

function line(text: string): string {
  const one = text.trim().replaceAll(/\s+/g, ' ')
  return one.length > SHOWN ? `${one.slice(0, SHOWN)}…` : one
}
