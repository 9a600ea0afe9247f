/**
 * What `pxar-fuse list` does (see `ListCommand`).
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Inode from "../../domain/pxar/Inode.ts"
import * as Bytes from "../../domain/Bytes.ts"
import * as ByteBuilder from "../../domain/ByteBuilder.ts"
import * as Limits from "../../domain/pxar/Limits.ts"
import * as PathText from "../../domain/PathText.ts"
import * as Stat from "../../domain/pxar/Stat.ts"
import * as Archive from "../../services/tree/Archive.ts"
import * as Selection from "../../services/tree/Selection.ts"
import * as StraightWalk from "../../services/tree/StraightWalk.ts"
import type { ArchiveTree } from "../../services/archive/ArchiveTree.ts"
import type { AtHand } from "../../services/archive/AtHand.ts"
import * as TreeWalk from "../../services/tree/TreeWalk.ts"
import * as EntryJson from "../../domain/json/EntryJson.ts"
import * as ErrorJson from "../../domain/json/ErrorJson.ts"
import * as JsonText from "../../domain/json/JsonText.ts"
import type { ListJson } from "../../domain/json/ListJson.ts"
import * as ExitCode from "../ExitCode.ts"
import * as LongListing from "./LongListing.ts"
import * as OpenAddress from "../OpenAddress.ts"
import * as Operands from "../Operands.ts"
import * as Output from "../Output.ts"
import * as Progress from "../Progress.ts"
import type * as RepositoryFlags from "../repository/RepositoryFlags.ts"
import * as Users from "../Users.ts"
import * as StraightListing from "./StraightListing.ts"
import * as TreeListing from "./TreeListing.ts"

/** Makes the line of an item; its level is that of `Selection`. Effects are for those that need to look further. */
type Line = (item: TreeWalk.Item, level: number) => string | Effect.Effect<string>

export interface Input extends RepositoryFlags.Given {
  readonly archive: string
  readonly paths: ReadonlyArray<string>
  /** By default the one beside the archive. */
  readonly payload: string | undefined
  readonly long: boolean
  readonly human: boolean
  readonly numericIds: boolean
  readonly tree: boolean
  readonly sort: "archive" | "name" | "size" | "time"
  readonly null: boolean
  readonly json: boolean
  readonly verbose: boolean
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
  const mistake = mistakeIn({ json, tree, long, null: flags.null, sort: flags.sort })
  if (mistake !== undefined) return yield* new ExitCode.Usage({ detail: mistake })
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
  const sorted: Array<Sortable> = []
  const style: LongListing.Style = {
    user: flags.numericIds ? String : Users.names("passwd"),
    group: flags.numericIds ? String : Users.names("group"),
    human: flags.human,
  }
  // As for tar and ls.
  const isLong = long || flags.verbose
  const line: Line = json
    ? jsonLine
    : tree
      ? treeLine(archive, (found) => (isLong ? `${LongListing.columns(found, style)} ` : ""))
      : flags.null
        ? nullLine
        : isLong
          ? (item, level) => (level < 0 || item._tag === "Unreadable" ? "" : `${LongListing.line(item, style)}\n`)
          : shortLine

  /** What is wrong with an item is counted and said. */
  const judge = ({ item, level }: Selection.Met): Effect.Effect<void> => {
    if (item._tag === "Found" || level < 0) return Effect.void
    if (isDamage(item)) unreadable++
    return json ? Effect.void : progress.say(`${PathText.print(item.path)}: ${item.error.message}`, "Warn")
  }

  const listItems = (items: ReadonlyArray<Selection.Met>) =>
    Effect.gen(function* () {
      let text = ""
      for (const met of items) {
        const { item, level } = met
        if (item._tag === "Unreadable") yield* judge(met)
        const made = line(item, level)
        const printed = typeof made === "string" ? made : yield* made
        if (flags.sort === "archive") text += printed
        else if (printed !== "") sorted.push({ text: printed, ...keysOf(item) })
        // The paths of a deep tree are as long as it is deep.
        if (text.length > LONG) {
          yield* output.text(text)
          text = ""
        }
      }
      entries += items.length
      const last = items.at(-1)?.item
      if (last?._tag === "Found") progress.update({ entries, position: last.nameStart, size })
      yield* output.text(text)
    })

  /** All that is below what was named, most of it straight from its numbers to its line. */
  const listStraight = Effect.fnUntraced(function* (atHand: AtHand, starts: ReadonlyArray<TreeWalk.Found>) {
    const lines = ByteBuilder.make(2 * LONG)
    const add = isLong ? StraightListing.long(lines, style) : StraightListing.paths(lines, !flags.null)
    let position = 0
    const item = (item: TreeWalk.Item): Effect.Effect<void> => {
      entries++
      const made = line(item, item.depth)
      if (typeof made === "string") ByteBuilder.append(lines, Bytes.fromText(made))
      return judge({ item, level: item.depth })
    }
    const pause = Effect.suspend(() => {
      progress.update({ entries, position, size })
      if (lines.length < LONG) return Effect.yieldNow
      const { length } = lines
      lines.length = 0
      return output.bytes(lines.bytes.subarray(0, length))
    })
    const visitor: StraightWalk.Visitor<Effect.Error<Output.Write>> = {
      usual: (folder, atHand) => {
        if (!add(folder, atHand)) return "item"
        entries++
        position = atHand.nameStart()
        return lines.length < LONG ? "more" : "pause"
      },
      item: (met) => (lines.length < LONG ? item(met) : Effect.andThen(pause, item(met))),
      pause,
    }
    for (const start of starts) {
      yield* visitor.item(start)
      if (TreeWalk.isDirectory(start)) {
        yield* StraightWalk.walk(archive.reader, atHand, start, Limits.defaults.depth, visitor)
      }
    }
    progress.update({ entries, position, size })
    yield* output.bytes(ByteBuilder.contents(lines))
  })

  const starts = selection.isWhole ? [selection.root] : selection.named
  const isPlain = flags.sort === "archive" && !json && !tree
  const atHand = StraightWalk.atHandOf(archive.reader)
  if (isPlain && atHand !== undefined && starts !== undefined) yield* listStraight(atHand, starts)
  else yield* Stream.runForEachArray(Selection.walk(archive, selection, "given"), listItems)
  for (const { text } of sorted.toSorted(orders[flags.sort])) yield* output.text(text)
  yield* output.flush

  const unmatched = selection.unmatched().map(PathText.print)
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

/** Bytes as they are go through a text in which each of those that are not UTF-8 has a character of its own. */
const nullLine: Line = (item, level) =>
  level < 0 || item._tag === "Unreadable" ? "" : `${Bytes.toText(item.path)}\u0000`

/** A line, and what it is sorted by. */
interface Sortable {
  readonly text: string
  readonly path: Uint8Array
  readonly size: number
  readonly time: bigint
}

const keysOf = (item: TreeWalk.Item): Omit<Sortable, "text"> =>
  item._tag === "Unreadable"
    ? { path: item.path, size: 0, time: 0n }
    : {
        path: item.path,
        size: Stat.sizeOf(item.entry),
        time: item.entry.mtimeSeconds * 1_000_000_000n + BigInt(item.entry.mtimeNanos),
      }

const orders: Readonly<Record<Input["sort"], (left: Sortable, right: Sortable) => number>> = {
  archive: () => 0,
  name: (left, right) => Buffer.compare(left.path, right.path),
  size: (left, right) => right.size - left.size,
  time: (left, right) => (left.time < right.time ? 1 : left.time > right.time ? -1 : 0),
}

/** What does not go together. */
const mistakeIn = (given: Pick<Input, "json" | "long" | "null" | "sort" | "tree">): string | undefined => {
  if (given.json && given.tree) return "give --json or --tree, not both"
  if (given.null && (given.json || given.tree || given.long))
    return "--null prints paths alone: no -l, --tree or --json"
  return given.tree && given.sort !== "archive"
    ? "a tree is in the order of the archive: no --sort with --tree"
    : undefined
}

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

const treeLine = (archive: Archive.Archive<ArchiveTree>, columns: (found: TreeWalk.Found) => string): Line => {
  const line = TreeListing.make(archive.reader, columns)
  // Where the rest of a folder cannot be read, the folder itself has been drawn.
  return (item, level) => (item._tag === "Unreadable" && item.isRest ? "" : line(item, level))
}
