// On a terminal: the prompt, what is shown of messages, colours. The terminal is that of `script` (util-linux); what it
// shows is both streams of the program, with the terminal's line ends.

import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { serve, serveEcho } from './support/peers.ts'
import { run, startOnTerminal } from './support/program.ts'

const hasScript = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') ?? false

/** Ctrl-D and Ctrl-C, as a terminal sends them. */
const END = '\x04'
const INTERRUPT = '\x03'
/** How a program begins a control sequence. */
const ESCAPE = '\x1b['

describe.skipIf(!hasScript && !process.env.CI)('the prompt', () => {
  test('a line is sent, the answer stands above the prompt, Ctrl-D ends it', async () => {
    const { url, server } = await serveEcho()
    const connected = once(server, 'connection')
    const program = startOnTerminal(['connect', url, '--no-color', '--wait', 'forever'])
    const [socket] = await connected
    await program.printed(/> /)
    program.process.stdin.write('hello\r')
    await program.printed(/< hello\r\n/)
    program.process.stdin.write(END)
    await program.printed(/< hello\r\n\S*\[0J> \S*\[0J$/) // the prompt has come again, and is gone
    socket.send('behind it')
    void socket.close(1000)
    const { code, stdout } = await program.ended
    expect(code).toBe(0)
    expect(stdout).toMatch(/< behind it\r\nclosed with 1000\r\n$/)
  })

  test('what is being typed stays when a message comes', async () => {
    const { url, server } = await serve()
    const connected = once(server, 'connection')
    const program = startOnTerminal(['connect', url, '--no-color'])
    const [socket] = await connected
    await program.printed(/> /)
    program.process.stdin.write('half a li')
    await program.printed(/half a li/)
    socket.send('news')
    const [, after] = await program.printed(/< news\r\n(.*half a li)/s)
    expect(after?.replaceAll(ESCAPE, '')).toMatch(/> half a li$/)
    program.process.stdin.write('ne\r')
    expect(await new Promise((resolve) => socket.once('message', resolve))).toBe('half a line')
  })

  test('Ctrl-C closes with 1000', async () => {
    const { url, server } = await serve()
    const connected = once(server, 'connection')
    const program = startOnTerminal(['connect', url])
    const [socket] = await connected
    await program.printed(/> /)
    program.process.stdin.write(INTERRUPT)
    expect(await socket.closed).toMatchObject({ code: 1000, wasClean: true })
    expect((await program.ended).code).toBe(130)
  })

  test('what a peer sends cannot drive the terminal, not in messages, reasons or subprotocols', async () => {
    const { url, server } = await serve()
    const connected = once(server, 'connection')
    const program = startOnTerminal(['connect', url, '--no-color'])
    const [socket] = await connected
    await program.printed(/> /)
    socket.send('\x1b]0;title\x07 \x9b2J \r \u202e right\ttab\nline')
    socket.send(Buffer.from('\x1b[2J'))
    void socket.close(1000, '\x1b[31mred\n')
    const { stdout } = await program.ended
    expect(stdout).toContain('< \\x1b]0;title\\x07 \\x9b2J \\r \\u202e right\ttab\r\nline\r\n')
    expect(stdout).toContain('< G1sySg==\r\n')
    expect(stdout).toContain('closed with 1000: \\x1b[31mred\\n\r\n')
    for (const harm of ['\x1b]0', '\x9b', '\x1b[2J', '\x1b[31m', '\u202e']) expect(stdout).not.toContain(harm)
  })

  test('--json on a terminal: the same objects, harmless', async () => {
    const { url, server } = await serve()
    server.on('connection', (socket) => {
      socket.send('\x9b2J')
      void socket.close(1000)
    })
    const { stdout } = await startOnTerminal(['connect', url, '--json', '-q']).ended
    expect(stdout).toContain('{"event":"message","type":"text","data":"\\u009b2J"}')
  })

  test('listen: who says what, and what is typed goes to everybody', async () => {
    const program = startOnTerminal(['listen', '0', '--no-color'])
    const [url] = await program.printed(/ws:\S+/)
    const client = await run(['connect', url, '--wait', '0.1', '-q'], { input: 'hello' })
    expect(client).toEqual({ code: 0, stdout: '', stderr: '' })
    await program.printed(/1< hello\r\n/)
    program.process.stdin.write(INTERRUPT)
    expect((await program.ended).code).toBe(0)
  })
})

describe.skipIf(!hasScript && !process.env.CI)('colours', () => {
  const coloured = '\x1b[2mconnected to'

  async function shown(args: string[], env?: NodeJS.ProcessEnv): Promise<string> {
    const { url, server } = await serve()
    server.on('connection', (socket) => void socket.close(1000))
    return (await startOnTerminal(['connect', url, ...args], { ...(env && { env }) }).ended).stdout
  }

  test('on a terminal', async () => {
    expect(await shown([])).toContain(coloured)
  })

  test.each([
    ['--no-color', ['--no-color'], {}],
    ['NO_COLOR', [], { NO_COLOR: '1' }],
    ['TERM=dumb', [], { TERM: 'dumb' }],
  ])('none with %s', async (_name, args, env) => {
    const text = await shown(args, env)
    expect(text).toContain('connected to')
    expect(text).not.toContain(coloured)
  })
})

test('no colours without a terminal', async () => {
  const { url, server } = await serve()
  server.on('connection', (socket) => void socket.close(1011))
  const { stderr } = await run(['connect', url, '--wait', 'forever'])
  expect(stderr).toBe(`connected to ${url}/\nerror: closed with 1011\n`)
})
