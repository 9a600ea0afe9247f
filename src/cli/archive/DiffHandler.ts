/**
 * What `pxar-fuse diff` does (see `DiffCommand`).
 */
import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as PathText from "../../domain/PathText.ts"
import type { ArchiveError } from "../../services/archive/ArchiveError.ts"
import * as ComparedArchive from "../../services/compare/ComparedArchive.ts"
import type { Change, Range } from "../../services/compare/AttributeDiff.ts"
import type { ComparedTree, Item, TreeError } from "../../services/compare/ComparedTree.ts"
import * as ComparedFolder from "../../services/compare/ComparedFolder.ts"
import * as TreeDiff from "../../services/compare/TreeDiff.ts"
import * as DiskPath from "../../services/posix/DiskPath.ts"
import * as SharedChunks from "../../services/history/SharedChunks.ts"
import type * as OpenTree from "../../services/open/OpenTree.ts"
import type { SourceTreeError } from "../../services/disk/DiskTree.ts"
import type { ChangeJson, DiffJson } from "../../domain/json/DiffJson.ts"
import * as EntryJson from "../../domain/json/EntryJson.ts"
import * as ErrorJson from "../../domain/json/ErrorJson.ts"
import * as JsonText from "../../domain/json/JsonText.ts"
import * as ExitCode from "../ExitCode.ts"
import * as LongListing from "./LongListing.ts"
import * as OpenAddress from "../OpenAddress.ts"
import * as Output from "../Output.ts"
import * as Progress from "../Progress.ts"
import type * as RepositoryFlags from "../repository/RepositoryFlags.ts"

export interface Input extends RepositoryFlags.Given {
  readonly archive: string
  readonly other: string
  /** By default the one beside the archive. */
  readonly payload: string | undefined
  readonly otherPayload: string | undefined
  readonly data: boolean
  readonly bytes: boolean
  readonly noData: boolean
  readonly json: boolean
  readonly progress: Progress.Mode
}

export const handler = Effect.fn("diff")(function* (input: Input) {
  const { archive, bytes, data, json, noData, other, otherPayload, payload, progress: mode, ...flags } = input
  if (noData && (data || bytes)) {
    return yield* new ExitCode.Usage({ detail: `give --no-data or ${bytes ? "--bytes" : "--data"}, not both` })
  }
  // Where chunks tell enough, nothing of a payload is read.
  const reader = { contents: "read" } as const
  const ours = yield* OpenAddress.tree(archive, { ...flags, payload, reader })
  const left = yield* ComparedArchive.make(ours.tree)
  const output = Output.makeLive()
  const progress = yield* Progress.make({ mode })
  const onProgress = ({ contentBytes, entries }: TreeDiff.Progress): void =>
    progress.update({ entries, bytes: contentBytes })
  const print = <R extends Item>(right: ComparedTree<R>, sameUntil?: TreeDiff.SameUntil) => {
    // Where chunks tell most, contents are read only if that is asked for.
    const unknown = sameUntil === undefined || data || bytes ? "read" : "tell"
    const options = { data: !noData, ranges: bytes, sameUntil, unknown, onProgress } as const
    return summarize(TreeDiff.compare(left, right, options), (difference) =>
      output.text(json ? JsonText.line(toJson(difference)) : toText(difference)),
    )
  }
  const opened = yield* OpenAddress.open(other, flags)
  const counts =
    opened._tag !== "InRepository" && isFolder(other)
      ? yield* Effect.flatMap(ComparedFolder.open(other), (right) => print(right))
      : yield* Effect.gen(function* () {
          const theirs = yield* OpenAddress.treeOf(opened, { ...flags, payload: otherPayload, reader })
          const known = noData ? undefined : yield* sharedChunks(ours, theirs)
          return yield* print(yield* ComparedArchive.make(theirs.tree), known)
        })
  yield* output.flush
  const { Added, Changed, Removed, Undecided, Unreadable } = counts.of
  if (counts.firstError !== undefined) {
    yield* progress.say(`${Unreadable} could not be compared: the first ${counts.firstError.message}`)
  }
  if (Added + Changed + Removed > 0) {
    yield* progress.note(`${Added} added, ${Removed} removed, ${Changed} changed from ${archive} to ${other}`)
  }
  if (Undecided > 0) yield* progress.note(`${Undecided} undecided: --data reads their contents`)
  if (counts.firstError !== undefined) return yield* new ExitCode.Ended({ code: unreadableCode(counts.firstError) })
  if (Added + Changed + Removed > 0) return yield* new ExitCode.Ended({ code: ExitCode.DIFFERENT })
  if (Undecided > 0) return yield* new ExitCode.Ended({ code: ExitCode.INCOMPLETE })
}, Effect.scoped)

/** What two backups have in common; `undefined` unless both are backups. */
const sharedChunks = (left: OpenTree.Tree, right: OpenTree.Tree) =>
  left.stored === undefined || right.stored === undefined
    ? Effect.undefined
    : Effect.flatMap(Effect.all([left.stored, right.stored]), ([ours, theirs]) => SharedChunks.between(ours, theirs))

const isFolder = (word: string): boolean =>
  fs.statSync(DiskPath.forNode(word), { throwIfNoEntry: false })?.isDirectory() === true

interface Counts {
  readonly of: Record<TreeDiff.Difference["_tag"], number>
  firstError: TreeError | undefined
}

/** Hands every difference on, and counts. */
const summarize = <E>(
  differences: Stream.Stream<TreeDiff.Difference>,
  print: (difference: TreeDiff.Difference) => Effect.Effect<void, E>,
): Effect.Effect<Counts, E> =>
  Effect.suspend(() => {
    const counts: Counts = {
      of: { Added: 0, Removed: 0, Changed: 0, Undecided: 0, Unreadable: 0 },
      firstError: undefined,
    }
    return Effect.as(
      Stream.runForEach(differences, (difference) => {
        counts.of[difference._tag]++
        if (difference._tag === "Unreadable") counts.firstError ??= difference.error
        return print(difference)
      }),
      counts,
    )
  })

/** A file that cannot be read is no reason to call an archive missing. */
const unreadableCode = (error: TreeError): number => {
  const code = ExitCode.fromError(error)
  return code === ExitCode.NO_ARCHIVE ? ExitCode.READ_FAILED : code
}

const toText = (difference: TreeDiff.Difference): string => {
  const path = PathText.print(difference.path)
  switch (difference._tag) {
    case "Added":
      return `added     ${path}\n`
    case "Removed":
      return `removed   ${path}\n`
    case "Changed":
      return `changed   ${path}: ${difference.changes.map(changeText).join("; ")}\n`
    case "Undecided":
      return `undecided ${path}\n`
    case "Unreadable":
      return `unreadable ${path} (${difference.side === "left" ? "archive" : "other"}): ${PathText.safe(difference.error.message)}\n`
  }
}

const changeText = (change: Change): string => {
  switch (change.attribute) {
    case "content":
      return change.ranges === undefined
        ? `content from byte ${change.offset} on`
        : `content in bytes ${change.ranges.map(rangeText).join(", ")}${change.isCut === true ? " and more" : ""}`
    case "xattr":
      return `xattr ${PathText.print(change.name)} ${happened(change.left, change.right)}`
    case "acl":
    case "default_acl":
    case "fcaps":
      return `${change.attribute} ${happened(change.left, change.right)}`
    case "mtime":
      return `mtime ${timeText(change.left)} to ${timeText(change.right)}`
    default:
      return `${change.attribute} ${change.left ?? "none"} to ${change.right ?? "none"}`
  }
}

/** The first byte and the last. */
const rangeText = ({ end, start }: Range): string => (end - start === 1 ? String(start) : `${start}-${end - 1}`)

const happened = (left: string | undefined, right: string | undefined): string =>
  left === undefined ? "added" : right === undefined ? "removed" : "changed"

/** Local time with nanoseconds, of seconds and nanoseconds. */
const timeText = (text: string | undefined): string => {
  const [seconds = "0", nanos = "0"] = (text ?? "").split(".")
  return `${LongListing.time({ mtimeSeconds: BigInt(seconds) }).trimEnd()}.${nanos}`
}

const toJson = (difference: TreeDiff.Difference): DiffJson => {
  switch (difference._tag) {
    case "Added":
    case "Removed": {
      const { entry, unknown } = difference.item
      return {
        change: difference._tag === "Added" ? "added" : "removed",
        ...EntryJson.make(difference.path, { entry, attributes: unknown.attributes !== "all" }),
      }
    }
    case "Changed":
      return { change: "changed", ...JsonText.path(difference.path), attributes: difference.changes.map(changeJson) }
    case "Undecided":
      return { change: "undecided", ...JsonText.path(difference.path) }
    case "Unreadable":
      return {
        change: "unreadable",
        ...JsonText.path(difference.path),
        side: difference.side === "left" ? "archive" : "other",
        error: errorJson(difference.error),
      }
  }
}

const changeJson = (change: Change): ChangeJson => {
  if (change.attribute === "content") {
    const { isCut, offset, ranges } = change
    if (ranges === undefined) return { attribute: "content", offset }
    return { attribute: "content", offset, ranges, ...(isCut === true && { ranges_cut: true }) }
  }
  const values = { archive: change.left ?? null, other: change.right ?? null }
  return change.attribute === "xattr"
    ? { attribute: "xattr", ...JsonText.text("name", change.name), ...values }
    : { attribute: change.attribute, ...values }
}

const errorJson = (error: ArchiveError | SourceTreeError) =>
  error._tag === "ArchiveError"
    ? ErrorJson.make(error)
    : ({ kind: "IO", operation: error.operation, code: error.code, detail: error.detail } as const)
