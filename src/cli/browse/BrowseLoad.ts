/**
 * Answers the browser's wants from an archive.
 *
 * Nothing fails: what cannot be read is an answer too. Everything can be interrupted.
 */
import * as Effect from "effect/Effect"
import * as Bytes from "../../domain/Bytes.ts"
import type * as Archive from "../../services/tree/Archive.ts"
import * as TreeWalk from "../../services/tree/TreeWalk.ts"
import type * as BrowseUpdate from "./BrowseUpdate.ts"
import * as Difference from "./Difference.ts"
import * as OpenFolder from "./OpenFolder.ts"
import * as OtherBackup from "./OtherBackup.ts"
import * as Preview from "./Preview.ts"
import type { Want } from "./Wants.ts"

/** What there is to know about what is wanted. */
export const answer = (archive: Archive.Archive, want: Want): Effect.Effect<BrowseUpdate.Event> => {
  switch (want._tag) {
    case "OtherBackup":
      return Effect.map(OtherBackup.find(archive, want.folder, want.step), (found) => ({
        _tag: "OtherBackup",
        folder: want.folder,
        found,
      }))
    case "Difference":
      return Effect.map(Difference.lines(archive, want.pair), (lines) => ({
        _tag: "Difference",
        pair: want.pair,
        lines,
      }))
    case "Contents":
      return Effect.map(contents(archive, want.folder), (contents) => ({
        _tag: "Contents",
        folder: want.folder,
        contents,
      }))
    case "Items":
      return Effect.map(
        Effect.forEach(want.slots, ([number, slot]) =>
          Effect.map(TreeWalk.childAt(archive.reader, want.folder, slot), (item) => [number, item] as const),
        ),
        (items) => ({ _tag: "Items", folder: want.folder, items }),
      )
    case "Preview":
      return Effect.map(preview(archive, want.item, want.height), (content) => ({
        _tag: "Preview",
        key: want.key,
        content,
      }))
    case "Names":
      return Effect.map(names(archive, want.folder, want.slots), (names) => ({
        _tag: "Names",
        folder: want.folder,
        from: want.from,
        names,
      }))
  }
}

const contents = ({ reader }: Archive.Archive, folder: TreeWalk.Found): Effect.Effect<OpenFolder.Contents> =>
  Effect.match(reader.count(folder.node), {
    onFailure: (error): OpenFolder.Contents => ({ _tag: "Unreadable", error }),
    onSuccess: (count): OpenFolder.Contents => ({ _tag: "Known", slots: Uint32Array.from({ length: count }, number) }),
  })

const number = (_: unknown, index: number): number => index

/** Names as a search compares them; those that cannot be read match nothing. */
const names = Effect.fnUntraced(function* ({ reader }: Archive.Archive, folder: TreeWalk.Found, slots: Uint32Array) {
  const names: Array<string> = []
  const [from = 0] = slots
  const listed = reader.list(folder.node, from, ({ name }) => {
    names.push(name === undefined ? "" : OpenFolder.searchName(name))
    return names.length < slots.length
  })
  yield* Effect.ignore(listed)
  while (names.length < slots.length) names.push("")
  // Others have a turn: a search through a large folder is many of these.
  yield* Effect.yieldNow
  return names
})

const preview = (archive: Archive.Archive, item: TreeWalk.Found, height: number): Effect.Effect<Preview.Preview> => {
  const { body } = item.entry
  switch (body._tag) {
    case "File":
      return orProblem(
        Effect.map(archive.read(item, 0, Preview.LENGTH), (bytes) =>
          Preview.ofFile(bytes, bytes.length === body.content.length),
        ),
      )
    case "Directory":
      return orProblem(folderPreview(archive, item, height))
    case "Symlink":
      return Effect.succeed(Preview.ofSymlink(body.target))
    case "Device":
      return Effect.succeed({ _tag: "Lines", lines: [`device ${body.major}, ${body.minor}`] })
    case "Fifo":
    case "Socket":
      return Effect.succeed({ _tag: "Lines", lines: [body._tag === "Fifo" ? "FIFO" : "socket"] })
  }
}

const folderPreview = Effect.fnUntraced(function* (
  { reader }: Archive.Archive,
  folder: TreeWalk.Found,
  height: number,
) {
  const names: Array<Uint8Array> = []
  const count = yield* reader.count(folder.node)
  yield* reader.list(folder.node, 0, ({ name }) => names.push(name ?? UNKNOWN) < height)
  return Preview.ofFolder(count, names)
})

const UNKNOWN = Bytes.fromText("?")

const orProblem = <E extends { readonly message: string }>(
  preview: Effect.Effect<Preview.Preview, E>,
): Effect.Effect<Preview.Preview> =>
  Effect.catch(preview, ({ message }) => Effect.succeed<Preview.Preview>({ _tag: "Problem", message }))
