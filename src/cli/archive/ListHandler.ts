/**
 * What `pxar-fuse list` does (see `ListCommand`).
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Inode from "../../domain/pxar/Inode.ts"
import * as PathText from "../../domain/PathText.ts"
import * as Archive from "../../services/tree/Archive.ts"
import * as Selection from "../../services/tree/Selection.ts"
import type { ArchiveTree } from "../../services/archive/ArchiveTree.ts"
import type * as TreeWalk from "../../services/tree/TreeWalk.ts"
import * as EntryJson from "../../domain/json/EntryJson.ts"
import * as ErrorJson from "../../domain/json/ErrorJson.ts"
import * as JsonText from "../../domain/json/JsonText.ts"
import type { ListJson } from "../../domain/json/ListJson.ts"
import * as ExitCode from "../ExitCode.ts"
import * as LongListing from "./LongListing.ts"
import * as Memory from "../Memory.ts"
import * as OpenAddress from "../OpenAddress.ts"
import * as Operands from "../Operands.ts"
import * as Output from "../Output.ts"
import * as Progress from "../Progress.ts"
import type * as RepositoryFlags from "../repository/RepositoryFlags.ts"
import * as TreeListing from "./TreeListing.ts"

/** Makes the line of an item; its level is that of `Selection`. Effects are for those that need to look further. */
type Line = (item: TreeWalk.Item, level: number) => string | Effect.Effect<string>

export interface Input extends RepositoryFlags.Given {
  readonly archive: string
  readonly paths: ReadonlyArray<string>
  /** By default the one beside the archive. */
  readonly payload: string | undefined
  readonly long: boolean
  readonly tree: boolean
  readonly json: boolean
  readonly progress: Progress.Mode
}

export const handler = Effect.fn("list")(function* ({
  archive: file,
  json,
  long,
  paths,
  progress: mode,
  tree,
  ...flags
}: Input) {
  Memory.keepYoungGenerationSmall()
  const opened = yield* OpenAddress.tree(file, { ...flags, once: true })
  const archive = Archive.fromReader(opened.tree)
  const selection = yield* Selection.make(archive, [
    ...(opened.file === undefined ? [] : [opened.file]),
    ...(yield* Effect.forEach(paths, (path) => Operands.bytesOf(archive, path))),
  ])
  const output = Output.make()
  const progress = yield* Progress.make({ mode: Progress.besidesResults(mode) })
  const size = archive.reader.root.bound
  let entries = 0
  let unreadable = 0

  const listItems = (items: ReadonlyArray<TreeWalk.Item>, line: Line) =>
    Effect.gen(function* () {
      let text = ""
      for (const item of items) {
        const level = selection.level(item)
        if (item._tag === "Unreadable" && level >= 0) {
          if (isDamage(item)) unreadable++
          if (!json) yield* progress.say(`${PathText.print(item.path)}: ${item.error.message}`, "Warn")
        }
        const made = line(item, level)
        text += typeof made === "string" ? made : yield* made
        // The paths of a deep tree are as long as it is deep.
        if (text.length > LONG) {
          yield* output.text(text)
          text = ""
        }
      }
      entries += items.length
      const last = items.at(-1)
      if (last?._tag === "Found") progress.update({ entries, position: last.nameStart, size })
      yield* output.text(text)
    })

  for (const start of selection.starts) {
    const line = json ? jsonLine : tree ? treeLine(archive) : long ? longLine : shortLine
    yield* Stream.runForEachArray(archive.walk(start), (items) => listItems(items, line))
  }
  yield* output.flush

  const unmatched = selection.unmatched()
  for (const pattern of unmatched) {
    const question = yield* Operands.question(archive, pattern)
    yield* progress.say(`${pattern}: nothing like that in ${file}${question}`)
  }
  if (archive.reader.cut !== undefined) return yield* new ExitCode.Ended({ code: ExitCode.INCOMPLETE })
  if (unreadable > 0) return yield* new ExitCode.Ended({ code: ExitCode.DAMAGED })
  if (unmatched.length > 0) return yield* new ExitCode.Ended({ code: ExitCode.NO_ENTRY })
}, Effect.scoped)

/** Characters that are not held back. */
const LONG = 64 * 1024

/** A second entry of a name (D9) is hidden, and nothing else is wrong with it. */
const isDamage = (item: TreeWalk.Unreadable): boolean => item.error.check !== "D9"

const shortLine: Line = (item, level) =>
  level < 0 || item._tag === "Unreadable" ? "" : `${PathText.print(item.path)}\n`

const longLine: Line = (item, level) => (level < 0 || item._tag === "Unreadable" ? "" : LongListing.line(item))

const jsonLine: Line = (item, level) => (level < 0 ? "" : JsonText.line(toJson(item)))

const toJson = (item: TreeWalk.Item): ListJson =>
  item._tag === "Unreadable"
    ? { ...JsonText.path(item.path), error: ErrorJson.make(item.error) }
    : {
        ...EntryJson.make(item.path, {
          entry: item.entry,
          hardlink: item.link === undefined ? undefined : LongListing.targetPath(item.link),
        }),
        ino: String(Inode.ofNode(item.node.id)),
      }

const treeLine = (archive: Archive.Archive<ArchiveTree>): Line => {
  const line = TreeListing.make(archive.reader)
  // Where the rest of a folder cannot be read, the folder itself has been drawn.
  return (item, level) => (item._tag === "Unreadable" && item.isRest ? "" : line(item, level))
}
