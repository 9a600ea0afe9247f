/**
 * The words of this process's command line. Node replaces bytes that are not UTF-8; the kernel still has them.
 */
import * as fs from "node:fs"
import * as Result from "effect/Result"
import * as Bytes from "../domain/Bytes.ts"
import * as ErrorMessage from "./ErrorMessage.ts"
import * as ExitCode from "./ExitCode.ts"

/** The words after the program, each as `Bytes.toText` has it. Fails where the bytes cannot be told: without `/proc`. */
export const read = (): Result.Result<ReadonlyArray<string>, ExitCode.Usage> => {
  const words = process.argv.slice(2)
  if (!words.some((word) => word.includes("\ufffd"))) return Result.succeed(words)
  return Result.try({
    try: () => exact(words, fs.readFileSync("/proc/self/cmdline")),
    catch: (error) =>
      new ExitCode.Usage({
        detail: `an argument is not UTF-8, and its bytes cannot be read: ${ErrorMessage.of(error)}`,
      }),
  })
}

/** `words` with the bytes that they have in `commandLine`, which holds each word with a NUL behind it. */
const exact = (words: ReadonlyArray<string>, commandLine: Uint8Array): ReadonlyArray<string> => {
  const all: Array<Uint8Array> = []
  for (let from = 0; from < commandLine.length;) {
    const end = commandLine.indexOf(0, from)
    const to = end < 0 ? commandLine.length : end
    all.push(commandLine.subarray(from, to))
    from = to + 1
  }
  return all.slice(-words.length).map(Bytes.toText)
}
