/**
 * Operands in the order of programs that take the archive later: what was probably meant. Only looks at the names.
 */
import * as fs from "node:fs"

/** What commands take besides flags, by the names that their inputs have. */
export interface Operands {
  readonly archive?: string
  readonly target?: string | undefined
  readonly other?: string
  readonly source?: string
  readonly paths?: ReadonlyArray<string>
  readonly rest?: ReadonlyArray<string>
}

/** A question behind the error of a command that found no archive; `undefined` if the order is not what is wrong. */
export const question = ({ archive, other, paths = [], rest = [], source, target }: Operands): string | undefined => {
  const given = [archive, target, other, source, ...paths, ...rest].filter((operand) => operand !== undefined)
  const order = archiveFirst(given)
  return order === undefined ? undefined : `the archive comes first. Did you mean "${order.join(" ")}"?`
}

/** Whether a word is the name of an archive by all that can be told without opening it. */
const isArchive = (word: string): boolean => /\.m?pxar$/.test(word) && fs.existsSync(word)

/** The operands with the archive first, if it came later and what came first is none. */
const archiveFirst = (operands: ReadonlyArray<string>): ReadonlyArray<string> | undefined => {
  const [first = "", ...rest] = operands
  const archive = rest.find(isArchive)
  if (archive === undefined || isArchive(first)) return undefined
  return [archive, first, ...rest.filter((operand) => operand !== archive)]
}
