/**
 * What `pxar-fuse cat` does (see `CatCommand`).
 *
 * All paths are looked up first: if one is not there, or no file, nothing is written.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Stat from "../../domain/pxar/Stat.ts"
import * as Archive from "../../services/tree/Archive.ts"
import * as ExitCode from "../ExitCode.ts"
import * as OpenAddress from "../OpenAddress.ts"
import * as Operands from "../Operands.ts"
import * as Output from "../Output.ts"
import * as Progress from "../Progress.ts"
import type * as RepositoryFlags from "../repository/RepositoryFlags.ts"

export interface Input extends RepositoryFlags.Given {
  readonly archive: string
  readonly paths: ReadonlyArray<string>
  /** By default the one beside the archive. */
  readonly payload: string | undefined
  readonly progress: Progress.Mode
}

export const handler = Effect.fn("cat")(function* ({ archive: file, paths, progress: mode, ...flags }: Input) {
  const opened = yield* OpenAddress.tree(file, flags)
  const archive = Archive.fromReader(opened.tree)
  const output = Output.make()
  const own = opened.file
  if (own === undefined && paths.length === 0) {
    return yield* new ExitCode.Usage({ detail: "cat needs a path in the archive: see pxar-fuse cat --help" })
  }
  const first = own === undefined ? [] : [yield* Effect.tap(archive.find(own), (found) => archive.read(found, 0, 0))]
  const others = yield* Effect.forEach(paths, (path) =>
    Effect.tap(Operands.find(archive, path), (found) => archive.read(found, 0, 0)),
  )
  const files = [...first, ...others]
  const progress = yield* Progress.make({ mode: Progress.besidesResults(mode) })
  const size = files.reduce((sum, { entry }) => sum + Stat.sizeOf(entry), 0)
  let entries = 0
  let bytes = 0
  for (const found of files) {
    yield* Stream.runForEach(archive.content(found), (chunk) => {
      bytes += chunk.length
      progress.update({ entries, bytes, position: bytes, size })
      return output.bytes(chunk)
    })
    entries++
  }
  progress.update({ entries, bytes, position: bytes, size })
  yield* progress.detail(`${entries === 1 ? "1 file" : `${entries} files`}, ${Progress.formatBytes(bytes)}`)
}, Effect.scoped)
