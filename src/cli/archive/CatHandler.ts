/**
 * What `pxar-fuse cat` does (see `CatCommand`).
 *
 * All paths are looked up first: if one is not there, or no file, nothing is written. Patterns are looked for in one walk,
 * and files then come in the order of the archive.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as Stat from "../../domain/pxar/Stat.ts"
import * as PathText from "../../domain/PathText.ts"
import type { ArchiveTree } from "../../services/archive/ArchiveTree.ts"
import * as ExportWalk from "../../services/export/ExportWalk.ts"
import * as Archive from "../../services/tree/Archive.ts"
import * as ExitCode from "../ExitCode.ts"
import * as OpenAddress from "../OpenAddress.ts"
import * as Operands from "../Operands.ts"
import type * as TreeWalk from "../../services/tree/TreeWalk.ts"
import * as Output from "../Output.ts"
import * as Progress from "../Progress.ts"
import type * as RepositoryFlags from "../repository/RepositoryFlags.ts"

export interface Input extends RepositoryFlags.Given {
  readonly archive: string
  readonly paths: ReadonlyArray<string>
  /** By default the one beside the archive. */
  readonly payload: string | undefined
  /** Whether to write a tar stream. */
  readonly tar: boolean
  readonly progress: Progress.Mode
}

export const handler = Effect.fn("cat")(function* ({ archive: file, paths, progress: mode, tar, ...flags }: Input) {
  const opened = yield* OpenAddress.tree(file, flags)
  const archive = Archive.fromReader(opened.tree)
  // What the address itself means comes first.
  const operands = opened.file === undefined ? paths : [PathText.print(opened.file), ...paths]
  if (tar) {
    const ExportOutput = yield* Effect.promise(() => import("./ExportOutput.ts"))
    return yield* ExportOutput.write(archive, operands, { format: "tar", mode: Progress.besidesResults(mode) })
  }
  if (operands.length === 0) {
    return yield* new ExitCode.Usage({ detail: "cat needs a path in the archive: see pxar-fuse cat --help" })
  }
  const output = Output.make()
  const progress = yield* Progress.make({ mode: Progress.besidesResults(mode) })
  let entries = 0
  let bytes = 0
  const write = (found: TreeWalk.Found, size?: number) =>
    Effect.andThen(
      Stream.runForEach(archive.content(found), (chunk) => {
        bytes += chunk.length
        progress.update({ entries, bytes, ...(size !== undefined && { position: bytes, size }) })
        return output.bytes(chunk)
      }),
      Effect.sync(() => entries++),
    )

  const named = yield* Effect.forEach(operands, (path) => fileAt(archive, path))
  if (named.every((found) => found !== undefined)) {
    const size = named.reduce((sum, { entry }) => sum + Stat.sizeOf(entry), 0)
    for (const found of named) yield* write(found, size)
    progress.update({ entries, bytes, position: bytes, size })
  } else {
    yield* writeMatching(archive, operands, progress, write)
  }
  yield* progress.detail(`${Progress.formatCount(entries, "file")}, ${Progress.formatBytes(bytes)}`)
}, Effect.scoped)

/** The file at a path; `undefined` for a pattern. */
const fileAt = Effect.fnUntraced(function* (archive: Archive.Archive<ArchiveTree>, path: string) {
  const found = yield* Effect.result(Operands.find(archive, path))
  if (Result.isFailure(found)) {
    if (found.failure._tag === "PathMistake" && Operands.isPattern(path)) return undefined
    return yield* found.failure
  }
  const { entry } = found.success
  yield* Effect.catchTag(archive.read(found.success, 0, 0), "PathError", (error) =>
    Effect.fail(
      entry.body._tag === "Directory"
        ? new Operands.PathMistake({ error, hint: ". --tar writes a folder with all that is in it" })
        : error,
    ),
  )
  return found.success
})

/** Files that paths and patterns select, in the order of the archive. */
const writeMatching = Effect.fnUntraced(function* <E>(
  archive: Archive.Archive<ArchiveTree>,
  paths: ReadonlyArray<string>,
  progress: Progress.Progress,
  write: (found: TreeWalk.Found) => Effect.Effect<unknown, E>,
) {
  const selected = yield* Effect.forEach(paths, (path) => Operands.bytesOf(archive, path))
  const { items, unmatched } = yield* ExportWalk.make(archive, selected)
  let unreadable = 0
  yield* Stream.runForEach(items, (item) => {
    if (item._tag === "Exported") return item.found.entry.body._tag === "File" ? write(item.found) : Effect.void
    if (item.error.check === "D9") return Effect.void
    unreadable++
    return progress.say(`${PathText.print(item.path)}: ${item.error.message}`, "Warn")
  })
  for (const pattern of unmatched()) yield* progress.say(`${pattern}: nothing like that in the archive`)
  if (unreadable > 0) return yield* new ExitCode.Ended({ code: ExitCode.INCOMPLETE })
  if (unmatched().length > 0) return yield* new ExitCode.Ended({ code: ExitCode.NO_ENTRY })
})
