/**
 * A fire drill: is an archive of a backup restorable? Its entries are walked, files of it, or all, are read to the end, and
 * what comes is thrown away.
 *
 * Where not all is read the files are spread evenly over the archive: every so many files one is read. Which ones is known when
 * the walk is over; until then memory grows with twice the sample.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as PathText from "../../domain/PathText.ts"
import * as Archive from "../tree/Archive.ts"
import * as TreeWalk from "../tree/TreeWalk.ts"
import * as WalkStream from "../tree/WalkStream.ts"
import * as Edition from "./Edition.ts"

/** How much is read. */
export interface Options {
  /** Most files of an archive that are read; all of them with `Infinity`. */
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

/** Files that are spread evenly over those that come, whose number is not known: every so many files one. */
export class Spread<A> {
  private kept: Array<A> = []
  private every = 1
  private met = 0
  private readonly most: number

  /** At most so many are kept at the end. */
  constructor(most: number) {
    this.most = most
  }

  /** Takes the next one. */
  add(file: A): void {
    if (this.most <= 0) return
    if (this.met++ % this.every === 0) this.kept.push(file)
    if (this.kept.length <= 2 * this.most) return
    this.kept = this.kept.filter((_, at) => at % 2 === 0)
    this.every *= 2
  }

  /** Those that are kept, in the order in which they came. */
  get files(): ReadonlyArray<A> {
    const { kept, most } = this
    const step = Math.max(1, kept.length / most)
    return Array.from({ length: Math.min(most, kept.length) }, (_, at) => kept[Math.floor(at * step)] as A)
  }
}

const isFile = ({ entry, link }: TreeWalk.Found): boolean => entry.body._tag === "File" && link === undefined

/** Drills one archive. It does not fail: what is wrong is the result. */
export const run = (edition: Edition.Edition, { onProgress, sample }: Options): Effect.Effect<Report> =>
  Effect.gen(function* () {
    // Contents will be read: their payload is looked into while the archive is opened.
    const { reader } = yield* Edition.open(edition, { contents: "opened" })
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
    const read = (file: TreeWalk.Found) =>
      Effect.match(
        Stream.runForEach(archive.content(file), (part) =>
          Effect.sync(() => {
            bytes += part.length
            onProgress?.({ entries, bytes })
          }),
        ),
        {
          onFailure: (error) => note(file.path, error.message),
          onSuccess: () => void files++,
        },
      )
    // Spread over the archive by number: the large files alone would say little.
    const spread = sample === Infinity ? undefined : new Spread<TreeWalk.Found>(sample)
    yield* Stream.runForEach(WalkStream.walk(reader, start, Infinity, WalkStream.whole), (item) => {
      entries++
      onProgress?.({ entries, bytes })
      if (item._tag === "Unreadable") {
        note(item.path, item.error.message)
        return Effect.void
      }
      if (!isFile(item)) return Effect.void
      if (spread === undefined) return read(item)
      spread.add(item)
      return Effect.void
    })
    yield* Effect.forEach(spread?.files ?? [], read, { discard: true })
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
