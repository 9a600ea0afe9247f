/**
 * Where the content of a file stands under another path in the backup before or after: it was moved.
 *
 * Proven by chunks, or by reading; otherwise, if all that archives say of both is the same, it is told as likely. What is still
 * at its other path too was copied, not moved. Empty files are not looked for.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { ArchiveError } from "../archive/ArchiveError.ts"
import type { RepositoryError } from "../repository/RepositoryError.ts"
import * as Archive from "../tree/Archive.ts"
import type * as TreeWalk from "../tree/TreeWalk.ts"
import * as Edition from "./Edition.ts"
import * as EntryIdentity from "./EntryIdentity.ts"
import * as SameContent from "./SameContent.ts"

/** Another path of a content. */
export interface Move {
  readonly path: Uint8Array
  /** Whether the content is known to be the same; otherwise size, times and attributes are. */
  readonly isProven: boolean
}

/**
 * The other path of a file in another state of its archive; `undefined` if there is none. That archive is walked; contents of
 * files of the same size are read with `data`.
 */
export const find = (
  { edition, found }: SameContent.InEdition,
  other: Edition.Edition,
  { data = false }: { readonly data?: boolean | undefined } = {},
): Effect.Effect<Move | undefined, ArchiveError | RepositoryError> =>
  Effect.gen(function* () {
    const { body } = found.entry
    if (body._tag !== "File" || body.content.length === 0) return undefined
    const here = yield* Edition.open(edition)
    const there = yield* Edition.open(other)
    const archive = Archive.fromReader(there.reader)
    const own = { entry: found.entry, streams: here.streams }
    const metadata = EntryIdentity.metadata(found.entry)
    let likely: Uint8Array | undefined

    const isGone = (path: Uint8Array) =>
      Archive.fromReader(here.reader)
        .find(path)
        .pipe(
          Effect.as(false),
          Effect.catchTag("PathError", () => Effect.succeed(true)),
        )

    /** Whether it is known to be the same; what is not known but likely is kept. */
    const isSame = Effect.fnUntraced(function* (item: TreeWalk.Item): Effect.fn.Return<boolean, ArchiveError> {
      if (item._tag === "Unreadable" || item.link !== undefined || item.entry.body._tag !== "File") return false
      let content = EntryIdentity.contents(own, { entry: item.entry, streams: there.streams })
      if (content === "changed" || !(yield* isGone(item.path))) return false
      if (content === "undecided" && data) {
        content = yield* SameContent.compare({ ...here, found }, { ...there, found: item })
      }
      if (content === "undecided" && EntryIdentity.metadata(item.entry) === metadata) likely ??= item.path
      return content === "same"
    })

    const proven = yield* archive.walk(yield* archive.root).pipe(Stream.filterEffect(isSame), Stream.runHead)
    if (Option.isSome(proven)) return { path: proven.value.path, isProven: true }
    return likely === undefined ? undefined : { path: likely, isProven: false }
  }).pipe(Effect.scoped)
