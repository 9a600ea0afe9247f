/**
 * What is new, changed or gone in a folder against another one: by all that the archive says of an entry, its attributes
 * included. Contents are not read, and folders are not gone into.
 */
import * as Effect from "effect/Effect"
import type { RowJson } from "../domain/json/WebJson.ts"
import * as PathText from "../domain/PathText.ts"
import * as EntryIdentity from "../services/history/EntryIdentity.ts"
import type { FolderListing } from "./FolderListing.ts"
import type { Served } from "./Served.ts"

/** A folder that is looked at, by its path. */
export interface Folder {
  readonly path: string
  readonly listing: FolderListing
}

/** Most names that are told to be gone. */
const MAX_GONE = 1000

/** The rows of entries by their numbers, each with what has become of it. `other` is absent where there is no such folder. */
export const rows = (
  served: Served,
  { listing, path }: Folder,
  other: Folder | undefined,
  numbers: ReadonlyArray<number>,
): Effect.Effect<ReadonlyArray<RowJson>> =>
  Effect.forEach(numbers, (index) => {
    const row = listing.row(index)
    const otherIndex = other?.listing.indexOf(row.name)
    if (other === undefined || otherIndex === undefined) return Effect.succeed<RowJson>({ ...row, change: "new" })
    const changed: RowJson = { ...row, change: "changed" }
    if (listing.isChanged(index, other.listing, otherIndex)) return Effect.succeed(changed)
    return Effect.map(differ(served, `${path}/${row.name}`, `${other.path}/${row.name}`), (is) => (is ? changed : row))
  })

/** Whether two entries differ in what a listing does not have: parts of seconds, attributes, flags. */
const differ = (served: Served, ...paths: ReadonlyArray<string>): Effect.Effect<boolean> =>
  Effect.forEach(paths, (path) => served.archive.find(PathText.parse(path))).pipe(
    Effect.map(([one, two]) =>
      one === undefined || two === undefined
        ? false
        : EntryIdentity.metadata(one.entry) !== EntryIdentity.metadata(two.entry),
    ),
    // What cannot be read says so in its own row.
    Effect.orElseSucceed(() => false),
  )

/** What is in the other folder and not in this one. */
export const gone = Effect.fnUntraced(function* (
  listing: FolderListing,
  other: FolderListing,
): Effect.fn.Return<ReadonlyArray<RowJson>> {
  const rows: Array<RowJson> = []
  for (let index = 0; index < other.count && rows.length < MAX_GONE; index++) {
    const row = other.row(index)
    if (listing.indexOf(row.name) === undefined) rows.push({ ...row, change: "gone" })
    if (index % 8192 === 8191) yield* Effect.yieldNow
  }
  return rows
})
