/**
 * A selection of an archive as one stream on stdout: what `extract --to-stdout` and `cat --tar` do.
 */
import * as Effect from "effect/Effect"
import * as Bytes from "../../domain/Bytes.ts"
import * as PathText from "../../domain/PathText.ts"
import type { ArchiveTree } from "../../services/archive/ArchiveTree.ts"
import type * as Export from "../../services/export/Export.ts"
import type * as Archive from "../../services/tree/Archive.ts"
import * as ExitCode from "../ExitCode.ts"
import type { Format } from "./ExportFormat.ts"
import * as Operands from "../Operands.ts"
import * as Output from "../Output.ts"
import * as Progress from "../Progress.ts"

/** Writes what the operands select, or everything, and says what is not in it. */
export const write = Effect.fnUntraced(function* (
  archive: Archive.Archive<ArchiveTree>,
  operands: ReadonlyArray<string>,
  { format, mode }: { readonly format: Format; readonly mode: Progress.Mode },
) {
  if (process.stdout.isTTY) {
    return yield* new ExitCode.Usage({ detail: `a ${format} stream is not for a terminal; lead it to a file with >` })
  }
  const paths = yield* Effect.forEach(operands, (operand) => Operands.bytesOf(archive, operand))
  const output = Output.make()
  const progress = yield* Progress.make({ mode })
  const options: Export.Options<Output.OutputError | ExitCode.Ended> = {
    target: { write: output.bytes, isDone: true, memory: oneAfterTheOther() },
    paths,
    onUnreadable: (path, message) => progress.say(`${PathText.print(path)}: ${message}`, "Warn"),
    onProgress: progress.update,
  }
  const exporter = yield* load(format)
  const report = yield* exporter.write(archive, options)
  for (const [count, what] of report.leftOut) if (count > 0) yield* progress.note(`${what} (${count})`)
  for (const pattern of report.unmatched) {
    const question = yield* Operands.question(archive, pattern)
    yield* progress.say(`${pattern}: nothing like that in the archive${question}`)
  }
  yield* progress.detail(
    `${Progress.formatCount(report.entries, "entry", "entries")}, ${Progress.formatBytes(report.bytes)} of contents`,
  )
  if (report.unreadable > 0) return yield* new ExitCode.Ended({ code: ExitCode.INCOMPLETE })
  if (report.unmatched.length > 0) return yield* new ExitCode.Ended({ code: ExitCode.NO_ENTRY })
}, Effect.scoped)

/** Memory for pieces of which the one before has been written when the next is read: each is read to the same place. */
const oneAfterTheOther = (): ((length: number) => Uint8Array) => {
  let memory: Uint8Array = Bytes.empty
  return (length) => {
    if (memory.length < length) memory = new Uint8Array(length)
    return memory.subarray(0, length)
  }
}

const load = (format: Format) =>
  Effect.promise(() =>
    format === "tar" ? import("../../services/export/TarExport.ts") : import("../../services/export/ZipExport.ts"),
  )
