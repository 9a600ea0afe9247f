/**
 * Answers the browser's wants from an archive.
 *
 * Nothing fails: what cannot be read is an answer too. Everything can be interrupted.
 */
import * as Effect from "effect/Effect"
import * as ArchivePath from "../../domain/pxar/ArchivePath.ts"
import type * as Archive from "../../services/tree/Archive.ts"
import * as TreeWalk from "../../services/tree/TreeWalk.ts"
import type * as BrowseUpdate from "./BrowseUpdate.ts"
import * as OpenFolder from "./OpenFolder.ts"
import * as Preview from "./Preview.ts"
import type { Want } from "./Wants.ts"

/** What there is to know about what is wanted. */
export const answer = (archive: Archive.Shape, want: Want): Effect.Effect<BrowseUpdate.Event> => {
  switch (want._tag) {
    case "Contents":
      return Effect.map(contents(archive, want.folder), (contents) => ({
        _tag: "Contents",
        folder: want.folder,
        contents,
      }))
    case "Items":
      return Effect.map(
        Effect.forEach(want.slots, ([number, slot]) =>
          Effect.map(TreeWalk.itemAt(archive.reader, want.folder, slot), (item) => [number, item] as const),
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

const contents = ({ reader }: Archive.Shape, folder: TreeWalk.Found): Effect.Effect<OpenFolder.Contents> =>
  Effect.match(reader.slotsInArchiveOrder(folder.node), {
    onFailure: (error): OpenFolder.Contents => ({ _tag: "Unreadable", error }),
    onSuccess: (slots): OpenFolder.Contents => ({ _tag: "Known", slots }),
  })

/** Names as a search compares them; those that cannot be read match nothing. */
const names = Effect.fnUntraced(function* ({ reader }: Archive.Shape, folder: TreeWalk.Found, slots: Uint32Array) {
  const names: Array<string> = []
  for (const slot of slots) {
    names.push(yield* Effect.match(reader.nameAt(folder.node, slot), nameOrNothing))
  }
  // Others have a turn: a search through a large folder is many of these.
  yield* Effect.yieldNow
  return names
})

const nameOrNothing = { onFailure: () => "", onSuccess: OpenFolder.searchName }

const preview = (archive: Archive.Shape, item: TreeWalk.Found, height: number): Effect.Effect<Preview.Preview> => {
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

const folderPreview = Effect.fnUntraced(function* ({ reader }: Archive.Shape, folder: TreeWalk.Found, height: number) {
  const slots = yield* reader.slotsInArchiveOrder(folder.node)
  const first = yield* Effect.forEach(slots.subarray(0, height), (slot) => TreeWalk.itemAt(reader, folder, slot))
  const names = first.map(({ path }) => ArchivePath.lastName(path))
  return Preview.ofFolder(slots.length, names)
})

const orProblem = <E extends { readonly message: string }>(
  preview: Effect.Effect<Preview.Preview, E>,
): Effect.Effect<Preview.Preview> =>
  Effect.catch(preview, ({ message }) => Effect.succeed<Preview.Preview>({ _tag: "Problem", message }))
