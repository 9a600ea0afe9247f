/**
 * Whether two files have the same content, by reading of both what chunks do not tell (see `EntryIdentity`).
 */
import * as Effect from "effect/Effect"
import * as Bytes from "../../domain/Bytes.ts"
import type { ArchiveError } from "../archive/ArchiveError.ts"
import type { RepositoryError } from "../repository/RepositoryError.ts"
import * as Archive from "../tree/Archive.ts"
import type * as TreeWalk from "../tree/TreeWalk.ts"
import * as ContentChunks from "./ContentChunks.ts"
import * as Edition from "./Edition.ts"

/** A file in an archive. */
export interface File extends Edition.Opened {
  readonly found: TreeWalk.Found
}

/** Bytes that are read of each at once: little of most files that differ. */
const STEPS = [64 * 1024, 1024 * 1024] as const

/** Reads both up to the first difference. What is no file has no content, and differs from nothing. */
export const compare = Effect.fnUntraced(function* (
  a: File,
  b: File,
): Effect.fn.Return<"same" | "changed", ArchiveError> {
  const [left, right] = [a.found.entry.body, b.found.entry.body]
  if (left._tag !== "File" || right._tag !== "File") return "same"
  if (left.content.length !== right.content.length) return "changed"
  const [ours, theirs] = [Archive.fromReader(a.reader), Archive.fromReader(b.reader)]
  const read = (archive: Archive.Archive, { found }: File, at: number, length: number) =>
    // It is a file: nothing else can be wrong with its path.
    Effect.catchTag(archive.read(found, at, length), "PathError", Effect.die)
  for (let at = 0; at < left.content.length;) {
    const known = ContentChunks.sameUntil(a.streams, left.content, b.streams, right.content, at)
    if (known > at) {
      at = known
      continue
    }
    const length = at === 0 ? STEPS[0] : STEPS[1]
    if (!Bytes.equals(yield* read(ours, a, at, length), yield* read(theirs, b, at, length))) return "changed"
    at += length
  }
  return "same"
})

/** A file in a state of an archive, which is opened for it. */
export interface InEdition {
  readonly edition: Edition.Edition
  readonly found: TreeWalk.Found
}

/** The same of files in archives that are not open. */
export const compareIn = (
  a: InEdition,
  b: InEdition,
  open: typeof Edition.open = Edition.open,
): Effect.Effect<"same" | "changed", ArchiveError | RepositoryError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const [left, right] = [yield* open(a.edition), yield* open(b.edition)]
      return yield* compare({ ...left, found: a.found }, { ...right, found: b.found })
    }),
  )
