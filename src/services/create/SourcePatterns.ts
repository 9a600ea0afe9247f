/**
 * The `.pxarexclude` file of a folder that is being archived.
 *
 * Nothing in it, or about it, stops the archive: what cannot be used is a warning, and more is archived.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Bytes from "../../domain/Bytes.ts"
import { partitionPoint } from "../../domain/PartitionPoint.ts"
import { S_IFREG } from "../../domain/pxar/Entry.ts"
import * as ExcludePattern from "../../domain/pxar/ExcludePattern.ts"
import type { Listing, Opened, DiskTree, SourceTreeError } from "../disk/DiskTree.ts"
import { pathIn } from "../disk/DiskTree.ts"
import { DiskWarning } from "../disk/DiskWarning.ts"

/** Bytes of a `.pxarexclude` file. */
const MAX_SIZE = 1024 * 1024

/**
 * The patterns in force in `directory`: its own, if it has any, before `outer`. `base` is the length of its path with
 * the slash behind it, 0 for the root.
 */
export const read = Effect.fnUntraced(function* <E>(
  tree: DiskTree,
  directory: Opened,
  listing: Listing,
  outer: ExcludePattern.Patterns | undefined,
  base: number,
  onWarning: (warning: DiskWarning) => Effect.Effect<void, E>,
): Effect.fn.Return<ExcludePattern.Patterns | undefined, E> {
  const index = find(listing, ExcludePattern.FILE_NAME)
  if (index === undefined) return outer
  const ignore = (detail: string) =>
    onWarning(
      new DiskWarning({
        kind: "Pattern",
        path: pathIn(directory, ExcludePattern.FILE_NAME),
        detail: `${detail}; ignored`,
      }),
    )
  if (listing.typeAt(index) !== S_IFREG) {
    yield* ignore("no regular file")
    return outer
  }
  const content = yield* Effect.result(readFile(tree, directory, listing, index))
  if (Result.isFailure(content)) {
    yield* ignore(`cannot ${content.failure.operation}: ${content.failure.detail}`)
    return outer
  }
  if (content.success.length > MAX_SIZE) {
    yield* ignore(`more than ${MAX_SIZE} bytes`)
    return outer
  }
  const { errors, hopeless, patterns } = ExcludePattern.parseFile(content.success)
  for (const { error, line } of errors) yield* ignore(`line ${line}: ${error.message}`)
  for (const line of hopeless) {
    yield* onWarning(
      new DiskWarning({
        kind: "Unused",
        path: pathIn(directory, ExcludePattern.FILE_NAME),
        detail: `line ${line}: no path in an archive has . or .. in it, so this pattern leaves out nothing`,
      }),
    )
  }
  return patterns.length === 0 ? outer : { patterns, base, outer }
})

/** Number of `name` in a listing. */
const find = (listing: Listing, name: Uint8Array): number | undefined => {
  const at = partitionPoint(listing.count, (at) => Bytes.compare(listing.nameAt(at), name) < 0)
  return at < listing.count && Bytes.equals(listing.nameAt(at), name) ? at : undefined
}

/** The first `MAX_SIZE` bytes of a file, and one more if there is one. */
const readFile = Effect.fnUntraced(function* (
  tree: DiskTree,
  directory: Opened,
  listing: Listing,
  index: number,
): Effect.fn.Return<Uint8Array, SourceTreeError> {
  const file = yield* tree.open(directory, listing, index)
  const bytes = new Uint8Array(MAX_SIZE + 1)
  let length = 0
  while (length < bytes.length) {
    const count = yield* tree.read(file, bytes.subarray(length), length)
    if (count === 0) break
    length += count
  }
  tree.close(file)
  return bytes.subarray(0, length)
})
