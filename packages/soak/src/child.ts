// A process's side of the tie to the program: it answers requests by name, in order, until its parent lets it go; without its parent
// it ends, so that none is left behind. What is thrown anywhere ends it, as it would a server that people deploy.

/** The parent has had enough. (If it cut the tie itself, Node would not tell it of the end.) */
export const RELEASE = 'release'

/** What a process does on request. */
type Commands = Readonly<Record<string, () => unknown>>

export interface Request {
  readonly id: number
  readonly command: string
}

export interface Answer {
  readonly id: number
  readonly value: unknown
}

/** A process at work. */
export interface Begun {
  /** What the parent is told of it. */
  readonly value?: unknown
  readonly commands: Commands
}

/** Ties this process to its parent, has it begin, and answers requests from then on. */
export async function serveParent(begin: () => Begun | Promise<Begun>): Promise<void> {
  let commands: Commands = {}
  process.on('disconnect', () => process.exit())
  process.on('message', ({ id, command }: Request) => {
    if (command === RELEASE) return process.disconnect()
    void Promise.resolve(commands[command]?.()).then((value) => tell({ id, value }))
  })
  const begun = await begin()
  commands = begun.commands
  tell({ id: 0, value: begun.value })
}

function tell(answer: Answer): void {
  process.send?.(answer)
}
