/**
 * The fast path: common command lines without the library of command lines, which is most of what starting costs.
 *
 * Whatever is not common goes the general path, mistakes too (`CommandLineProcess`): there is one place that says what is
 * wrong with a command line. What is answered here is answered there in the same way; the table that this goes by is made
 * from the same definitions (see `FastTable`).
 */
import * as FastHelp from "./FastHelp.ts"
import * as FastMount from "./FastMount.ts"
import * as FastParser from "./FastParser.ts"
import * as FastTable from "./FastTable.ts"
import type { MountInput } from "../mount/MountInput.ts"

/** Does what the words say; `false` if they are for the general path. */
export const run = async (words: ReadonlyArray<string>): Promise<boolean> => {
  const table = FastTable.read()
  if (table === undefined) return false
  const text = FastHelp.answer(words, table, FastHelp.environment)
  if (text !== undefined) {
    FastHelp.print(text)
    return true
  }
  const parsed = FastParser.parse(words, table)
  if (parsed === undefined) return false
  if (parsed.name === "mount") {
    // The table has what the definition of `mount` gives.
    const input = parsed.input as unknown as MountInput
    return FastMount.isPlain(input) && (await FastMount.start(input))
  }
  const FastProcess = await import("./FastProcess.ts")
  FastProcess.run(parsed)
  return true
}
