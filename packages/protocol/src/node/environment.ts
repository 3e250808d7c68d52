// What the environment says before the package is loaded: switches for whoever looks for a fault, not options.

import process from 'node:process'

/** The value of an environment variable that has to be one of `choices`; the first is the default, also for any other value. */
export function environmentChoice<Choice extends string>(
  name: string,
  choices: readonly [Choice, ...Choice[]],
): Choice {
  const wanted = read(name)
  const chosen = choices.find((choice) => choice === wanted)
  if (wanted !== undefined && chosen === undefined) {
    process.emitWarning(`${name} must be one of ${choices.join(', ')}; got ${JSON.stringify(wanted)}: ignored`)
  }
  return chosen ?? choices[0]
}

/** Deno lets nobody look at what it was not told to show (`--allow-env`), and throws. */
function read(name: string): string | undefined {
  try {
    return process.env[name]
  } catch {
    return undefined
  }
}
