/**
 * A fire drill: is an archive of a backup restorable? Its entries are walked, files of it, or all, are read to the end, and
 * what comes is thrown away.
 *
 * Where not all is read the files are spread evenly over the archive: every so many files one is read.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as PathText from "../../domain/PathText.ts"
import type { ArchiveTree } from "../archive/ArchiveTree.ts"
import * as Archive from "../tree/Archive.ts"
import * as TreeWalk from "../tree/TreeWalk.ts"
import * as WalkStream from "../tree/WalkStream.ts"
import * as Edition from "./Edition.ts"

/** How much is read. */
export interface Options {
  /** Files of an archive that are read; all of them with `Infinity`. */
  readonly sample: number
  /** Called now and then; must be quick. */
  readonly onProgress?: ((state: { readonly entries: number; readonly bytes: number }) => void) | undefined
}

/** What came of it. */
export interface Report {
  /** `locked`: the key is not at hand. */
  readonly state: "ok" | "damaged" | "locked" | "unreadable"
  readonly entries: number
  /** Files that were read to their ends, and their bytes. */
  readonly files: number
  readonly bytes: number
  /** What is wrong: the first `MAX_PROBLEMS`. */
  readonly problems: ReadonlyArray<string>
}

/** Problems that are told; more only count. */
export const MAX_PROBLEMS = 20

/** Ids of errors that a key would mend. */
const LOCKED = new Set(["PXF-REPOSITORY-KEY-REQUIRED", "PXF-REPOSITORY-WRONG-KEY"])

const countFiles = (reader: ArchiveTree, start: TreeWalk.Found): Effect.Effect<number> =>
  Effect.suspend(() => {
    let files = 0
    return Effect.map(
      Stream.runForEachArray(WalkStream.walk(reader, start, Infinity, WalkStream.whole), (items) =>
        Effect.sync(() => {
          for (const item of items) if (item._tag === "Found" && isFile(item)) files++
        }),
      ),
      () => files,
    )
  })

const isFile = ({ entry, link }: TreeWalk.Found): boolean => entry.body._tag === "File" && link === undefined

/** Drills one archive. It does not fail: what is wrong is the result. */
export const run = (edition: Edition.Edition, { onProgress, sample }: Options): Effect.Effect<Report> =>
  Effect.gen(function* () {
    const { reader } = yield* Edition.open(edition)
    const archive = Archive.fromReader(reader)
    const start = yield* TreeWalk.root(reader)
    const problems: Array<string> = []
    let wrong = 0
    let entries = 0
    let bytes = 0
    let files = 0
    const note = (path: Uint8Array, message: string): void => {
      wrong++
      if (problems.length < MAX_PROBLEMS) problems.push(`${PathText.print(path)}: ${message}`)
    }
    // Spread over the archive by number: the large files alone would say little.
    const all = sample === Infinity ? 0 : yield* countFiles(reader, start)
    const every = sample === Infinity ? 1 : Math.ceil(all / Math.max(1, sample))
    let met = 0
    const isWanted = (): boolean => sample > 0 && met++ % every === 0
    yield* Stream.runForEach(WalkStream.walk(reader, start, Infinity, WalkStream.whole), (item) => {
      entries++
      onProgress?.({ entries, bytes })
      if (item._tag === "Unreadable") {
        note(item.path, item.error.message)
        return Effect.void
      }
      if (!isFile(item) || !isWanted()) return Effect.void
      return Effect.match(
        Stream.runForEach(archive.content(item), (part) =>
          Effect.sync(() => {
            bytes += part.length
            onProgress?.({ entries, bytes })
          }),
        ),
        {
          onFailure: (error) => note(item.path, error.message),
          onSuccess: () => void files++,
        },
      )
    })
    if (wrong > problems.length) problems.push(`and ${wrong - problems.length} more`)
    return { state: wrong === 0 ? "ok" : "damaged", entries, files, bytes, problems } as const
  }).pipe(
    Effect.scoped,
    Effect.catch((error) =>
      Effect.succeed({
        state: LOCKED.has(error.id) ? ("locked" as const) : ("unreadable" as const),
        entries: 0,
        files: 0,
        bytes: 0,
        problems: [error.message],
      }),
    ),
  )
