// Completion for shells. Rules: what can come next is read off the definitions of the commands; a shell's part is a few
// lines that ask this program (`ws-cli __complete -- words before the one to complete`), and it filters the answers.

import type { Command, Option } from 'commander'

export const SHELLS = ['bash', 'zsh', 'fish'] as const

/** A word, and what it means. */
export interface Candidate {
  readonly word: string
  readonly description: string
}

/** The argument by which a shell asks. */
export const COMPLETE = '__complete'

/** What may follow the words before. Nothing where a value is expected that we cannot know: then the shell completes files. */
export function candidates(program: Command, words: readonly string[]): Candidate[] {
  const command = program.commands.find((one) => words.includes(one.name()))
  const options = [...(command?.options ?? []), ...program.options]
  const last = words.at(-1)
  const before = options.find(({ long, short }) => last !== undefined && (last === long || last === short))
  if (before?.required) return (before.argChoices ?? []).map((word) => ({ word, description: '' }))
  const help: Candidate = { word: '--help', description: 'print help' }
  if (command === undefined) return [...program.commands.map(ofCommand), ...options.map(ofOption), help]
  const choices = command.registeredArguments.flatMap((argument) => argument.argChoices ?? [])
  return [...choices.map((word) => ({ word, description: '' })), ...options.map(ofOption), help]
}

function ofCommand(command: Command): Candidate {
  return { word: command.name(), description: command.description() }
}

function ofOption({ long, short, description }: Option): Candidate {
  return { word: long ?? short ?? '', description }
}

/** What a user's shell is to read. */
export function completionScript(shell: (typeof SHELLS)[number], name: string): string {
  return SCRIPTS[shell].replaceAll('FUNCTION', name.replaceAll('-', '_')).replaceAll('NAME', name)
}

const SCRIPTS: Readonly<Record<(typeof SHELLS)[number], string>> = {
  bash: `# source <(NAME completion bash)
_FUNCTION() {
  local IFS=$'\\n'
  local words
  words=$(NAME ${COMPLETE} -- "\${COMP_WORDS[@]:1:COMP_CWORD-1}" | cut -f 1)
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _FUNCTION NAME
`,
  zsh: `#compdef NAME
# source <(NAME completion zsh)
_FUNCTION() {
  local -a found
  found=("\${(@f)$(NAME ${COMPLETE} -- "\${(@)words[2,CURRENT-1]}" | sed 's/:/\\\\:/g; s/\\t/:/')}")
  if [[ -n "$found" ]]; then _describe NAME found; else _files; fi
}
compdef _FUNCTION NAME
`,
  fish: `# NAME completion fish | source
complete -c NAME -f -a '(NAME ${COMPLETE} -- (commandline -opc)[2..-1])'
complete -c NAME -n 'string match -qr -- "^--(ca|cert|key)\\$" (commandline -opc)[-1]' -F
`,
}
