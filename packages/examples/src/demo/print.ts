// How lines are printed. Rule: only the parent prints, one whole line at a time, each with the name of whom it is about.

const NAME_WIDTH = 10

/** Prints what a process of the demo has to tell. */
export function say(name: string, ...lines: readonly string[]): void {
  for (const line of lines) console.log(`${name.padEnd(NAME_WIDTH)}  ${line}`)
}

/** The same for what is wrong: to the standard error output. */
export function complain(name: string, ...lines: readonly string[]): void {
  for (const line of lines) console.error(`${name.padEnd(NAME_WIDTH)}  ${line}`)
}
