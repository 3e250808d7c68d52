// The command line: every command, argument and option, in one place. Help and completion are made of it.

import { readFileSync } from 'node:fs'
import { Argument, Command, Option } from 'commander'
import { benchCommand } from './bench.ts'
import { completionScript, SHELLS } from './completion.ts'
import { connectCommand } from './connect.ts'
import { EXIT, type ExitCode } from './exit.ts'
import { listenCommand } from './listen.ts'
import { another, header, integer, pemFile, seconds, secondsOrForever, secondsOrNone } from './values.ts'

const LARGEST_MESSAGE = 16 * 1024 * 1024

const EXIT_CODES = `
Exit codes:
  0 all went well                4 the server refused the handshake
  1 something else failed        5 the connection was lost or failed
  2 a wrong argument or option   6 closed with an error code (not 1000, 1001 or none)
  3 no connection came about     130, 143 ended by SIGINT, by SIGTERM`

/** @param end gets the exit code of a command that has run */
export function makeProgram(end: (exitCode: ExitCode) => void): Command {
  const program = new Command('ws-cli')
    .description('WebSocket on the command line')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .option('-q, --quiet', 'no status, only warnings and errors')
    .option('--no-color', 'no colours (nor with NO_COLOR in the environment, or where there is no terminal)')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', EXIT_CODES)

  const run =
    <Target, Options>(command: (target: Target, options: Options) => Promise<ExitCode>) =>
    async (target: Target, _options: Options, self: Command): Promise<void> =>
      end(await command(target, self.optsWithGlobals() as Options))

  withTarget(program.command('connect'))
    .description('send the lines of standard input, print the messages that come')
    .addOption(printed())
    .option('--binary', 'send the input as binary messages, as it is read; print messages as they are')
    .option('--ping [seconds]', 'ping every so many seconds (10), and say how long the answers take', seconds)
    .option('--reconnect', 'connect again when the connection is lost')
    .option('--wait <seconds>', "how long to stay when the input has ended, or 'forever'", secondsOrForever, 1)
    .action(run(connectCommand))

  program
    .command('listen')
    .description('be a server: print what comes, send the lines of standard input to everybody')
    .addArgument(new Argument('<port>', '0 for any that is free').argParser(integer({ least: 0, most: 65_535 })))
    .addOption(new Option('--echo', 'send each message back').conflicts(['broadcast', 'exec', 'binary']))
    .addOption(new Option('--broadcast', 'send each message to all others').conflicts(['exec', 'binary']))
    .option('--exec <command>', 'run a command for each connection: messages are its input, its output messages')
    .addOption(printed())
    .option('--binary', 'as with connect; with --exec also for the command')
    .option('--host <address>', 'where to listen', '127.0.0.1')
    .option('--origin <origin>', "web pages that may connect, or '*' (repeatable)", another)
    .option('--protocol <name>', 'a subprotocol that is spoken (repeatable)', another)
    .option('--cert <file>', 'serve wss: with this certificate (PEM)', pemFile)
    .option('--key <file>', 'and this private key (PEM)', pemFile)
    .action(run(listenCommand))

  withTarget(program.command('bench'))
    .description('measure an echo server: messages a second, and round trips')
    .option('--connections <number>', 'how many', integer({ least: 1, most: 65_535 }), 10)
    .option('--size <bytes>', 'of a message', integer({ least: 1, most: LARGEST_MESSAGE }), 64)
    .option('--in-flight <number>', 'messages under way on each connection', integer({ least: 1, most: 100_000 }), 1)
    .addOption(
      new Option('--rate <number>', 'messages a second in all, sent when they are due whatever the server does')
        .argParser(integer({ least: 1, most: 10_000_000 }))
        .conflicts('inFlight'),
    )
    .option('--duration <seconds>', 'how long to measure', seconds, 10)
    .option('--warmup <seconds>', 'before that', secondsOrNone, 1)
    .option('--json', 'print the results as JSON')
    .action(run(benchCommand))

  program
    .command('completion')
    .description('print what makes a shell complete commands and options')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action((shell) => {
      process.stdout.write(completionScript(shell, program.name()))
      end(EXIT.ok)
    })
  return program
}

/** What `connect` and `bench` need to reach a server. */
function withTarget(command: Command): Command {
  return command
    .argument('<url>', 'ws:, wss:, http:, https: or ws+unix:')
    .option('-H, --header <header>', "a header of the handshake, 'Name: value' (repeatable)", header)
    .option('--protocol <name>', 'a subprotocol to offer (repeatable)', another)
    .option('--ca <file>', 'trust this certificate (PEM)', pemFile)
    .option('--insecure', 'do not check the certificate of the server')
}

function printed(): Option {
  return new Option('--json', 'print one JSON object a line')
}

/** Beside `src` and `dist` alike. */
function version(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  return version
}
