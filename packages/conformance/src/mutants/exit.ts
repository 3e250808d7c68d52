// What the run of one mutant tells the one that started it.

/** The first line of a run: the mutant could be loaded. */
export const BEGUN = 'catalogue begun'
/** The exit code upon the first failure. */
export const FAULT_FOUND = 3
