/**
 * A folder elsewhere that is no datastore, but has archive files in it.
 *
 * An archive stays the file that it was when it was first opened, for as long as the folder is open: what has been shown of
 * it stays in the kernel.
 */
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { BlobError, BlobStore } from "../blobs/BlobStore.ts"
import type { ArchiveBytes } from "../bytes/ArchiveBytes.ts"
import type { Archive, Archives, Failure } from "./Location.ts"

/** The archives in a folder; `undefined` if there are none, or if it is a datastore. */
export const archives = Effect.fnUntraced(function* (
  store: BlobStore,
  archiveIn: (name: string) => Archive,
): Effect.fn.Return<Archives | undefined, BlobError, Scope.Scope> {
  const scope = yield* Effect.scope
  const items = yield* store.list("")
  const names = items
    .filter(({ kind, name }) => kind === "blob" && /\.m?pxar$/.test(name))
    .map(({ name }) => name)
    .toSorted()
  if (names.length === 0 || items.some(({ name }) => name === ".chunks")) return undefined
  return {
    _tag: "Archives",
    name: store.name,
    archives: names.map((name) => ({ name, open: openedOnce(archiveIn(name).open(undefined), scope) })),
  }
})

/** What is opened once and then stays open. A failure is not kept. */
const openedOnce = (
  open: Effect.Effect<ArchiveBytes, Failure, Scope.Scope>,
  scope: Scope.Scope,
): Effect.Effect<ArchiveBytes, Failure> => {
  const one = Semaphore.makeUnsafe(1)
  let opened: ArchiveBytes | undefined
  return one.withPermit(
    Effect.suspend(() =>
      opened === undefined
        ? Effect.tap(Scope.provide(open, scope), (made) => Effect.sync(() => (opened = made)))
        : Effect.succeed(opened),
    ),
  )
}
