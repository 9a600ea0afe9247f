/**
 * Which commands there are, and which flags they have: what a command line is read by before the parser has it.
 */

/** A flag of a command. */
export interface Flag {
  readonly name: string
  /** Further names, without dashes: letters, and words. */
  readonly aliases: ReadonlyArray<string>
  readonly takesValue: boolean
  /** What the flag means without a value; a value is then attached by `=` only. */
  readonly bare?: string | undefined
}

export interface Command {
  /** The name, and what else it is called. */
  readonly names: ReadonlyArray<string>
  readonly flags: ReadonlyArray<Flag>
}

export type Grammar = ReadonlyArray<Command>

/** Flags that take a value and need none, with what they mean without one. */
export const bareValues: Readonly<Record<string, string>> = { overwrite: "always" }

/** Whether a first word can only be meant as an archive, which is to be mounted then. */
export const looksLikeArchive = (word: string): boolean => !word.startsWith("-") && /\/|\.m?pxar$/.test(word)
