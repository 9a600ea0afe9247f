/**
 * The walk of `Verifier` through an archive that could be opened: one child a step, in the order of the archive.
 *
 * Everything it finds goes to `report`; a step does not fail.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as ArchivePath from "../../domain/pxar/ArchivePath.ts"
import * as Bytes from "../../domain/Bytes.ts"
import type { Content, Entry, HardLink } from "../../domain/pxar/Entry.ts"
import { NO_PERMISSIONS } from "../../domain/pxar/Entry.ts"
import * as FormatError from "../../domain/pxar/FormatError.ts"
import * as GoodbyeTable from "../../domain/pxar/GoodbyeTable.ts"
import * as Item from "../../domain/pxar/Item.ts"
import * as ItemType from "../../domain/pxar/ItemType.ts"
import type * as Limits from "../../domain/pxar/Limits.ts"
import type { Node } from "../../domain/pxar/Node.ts"
import { PayloadRanges } from "../../domain/pxar/PayloadRanges.ts"
import * as PathText from "../../domain/PathText.ts"
import * as XattrList from "../../domain/pxar/XattrList.ts"
import * as Archive from "../tree/Archive.ts"
import * as ArchiveError from "../archive/ArchiveError.ts"
import type * as ArchiveReader from "../archive/ArchiveReader.ts"
import type { Payload } from "../bytes/ArchiveBytes.ts"
import type { ByteSource } from "../bytes/ByteSource.ts"
import * as Place from "../tree/Place.ts"
import * as TreeWalk from "../tree/TreeWalk.ts"
import * as Finding from "./Finding.ts"

export interface Options {
  /** Whether to read the contents of all files too. */
  readonly data: boolean
  readonly limits: Limits.Limits
  /** Called now and then. */
  readonly onProgress: (progress: Finding.Progress) => void
}

/** A folder that the walk is in. */
interface Level {
  readonly directory: Node
  readonly place: Place.Place
  /** Children that have come by. */
  children: number
  /** Where the last child ended; not known after one that cannot be read. */
  end: number | undefined
  /** Notes on bytes that belong to nobody. */
  readonly gaps: Array<Finding.Finding>
}

/** What is said of a table that explains why bytes of its folder belong to nobody. */
const explains: ReadonlySet<string> = new Set(["D1", "D2", "D3", "D4", "D5", "D6", "D7", "H1", "H2", "H3", "H4"])

/** Gaps of one folder that are told. */
const MAX_GAPS = 1000

/** Bytes of a file read at once. */
const CHUNK = 1024 * 1024

export interface Walk {
  readonly begin: Effect.Effect<void>
  /** One child more, or `false` when there are no more. */
  readonly step: Effect.Effect<boolean>
  readonly progress: () => Finding.Progress
}

/** A walk through the archive that `reader` has opened from `source`. */
export const make = (
  reader: ArchiveReader.ArchiveReader,
  source: ByteSource,
  payload: Payload,
  report: Finding.Report,
  { data, limits, onProgress }: Options,
): Walk => {
  const archive = Archive.fromReader(reader, limits)
  const levels: Array<Level> = []
  let cursor: TreeWalk.TreeWalk | undefined
  const ranges = new PayloadRanges()
  const payloadName = payload._tag === "Present" ? payload.source.name : ""
  let entries = 0
  let position = 0
  let contentBytes = 0
  let buffer: Uint8Array | undefined
  /** Files whose contents are in a payload archive that is not there, and the first of them. */
  let withoutPayload = 0
  let firstWithoutPayload = 0
  let unchecked = 0

  const progress = (): Finding.Progress => ({ entries, position, contentBytes })

  const fail = (place: Place.Place, error: ArchiveError.ArchiveError): Effect.Effect<void> =>
    Effect.map(refine(source, error), (error) => report(Finding.fromError(Place.path(place), error)))

  const readAll = Effect.fnUntraced(function* (
    node: Node,
    content: Content,
  ): Effect.fn.Return<void, ArchiveError.ArchiveError> {
    buffer ??= new Uint8Array(CHUNK)
    for (let at = 0; at < content.length; at += CHUNK) {
      const length = Math.min(CHUNK, content.length - at)
      yield* reader.content(node, at, buffer.subarray(0, length))
      contentBytes += length
      onProgress(progress())
    }
  })

  /** Reading nothing checks the reference (P3, P4). What is no item there is no PAYLOAD either. */
  const checkReference = (node: Node): Effect.Effect<void, ArchiveError.ArchiveError> =>
    Effect.mapError(reader.content(node, 0, Bytes.empty), (error) =>
      error.kind !== "IO" && error.check.startsWith("H")
        ? new ArchiveError.ArchiveError({ ...error, check: "P3", kind: "Malformed" })
        : error,
    )

  const checkContent = Effect.fnUntraced(function* (
    place: Place.Place,
    node: Node,
    entry: Entry,
    content: Content,
  ): Effect.fn.Return<void, ArchiveError.ArchiveError> {
    if (content.source === "payload") {
      if (payload._tag === "Absent") {
        if (withoutPayload++ === 0) firstWithoutPayload = entry.end - Item.HEADER_SIZE - 16
        return
      }
      yield* checkReference(node)
      const start = content.start - Item.HEADER_SIZE
      const added = ranges.add(start, content.start + content.length)
      if (added === "unchecked") unchecked++
      if (added === "overlaps")
        report(Finding.note("V2", Place.path(place), payloadName, start, "payload overlaps that of another file"))
      if (added === "known") return
    }
    if (data) yield* readAll(node, content)
  })

  const checkAttributes = (place: Place.Place, entry: Entry): void => {
    const found = (check: string, offset: number, detail: string): void =>
      report(Finding.note(check, Place.path(place), source.name, offset, detail))
    for (const { check, detail, offset } of entry.findings) found(check, offset, detail)
    for (const { check, detail, offset } of XattrList.fromEntry(entry).findings) found(check, offset, detail)
    const { aclDefault, aclDefaultGroups, aclDefaultUsers, aclGroupObj, aclGroups, aclUsers } = entry.attributes
    if (aclGroupObj === undefined && aclUsers.length + aclGroups.length > 0) {
      found("E8", entry.start, "access ACL without ACL_GROUP_OBJ: the group's permissions are taken for it")
    }
    if (aclDefault?.mask === NO_PERMISSIONS && aclDefaultUsers.length + aclDefaultGroups.length > 0) {
      found("E8", entry.start, "default ACL without a mask: one is made of its entries")
    }
  }

  const checkEntry = (place: Place.Place, node: Node, entry: Entry): Effect.Effect<void> => {
    entries++
    checkAttributes(place, entry)
    const { body } = entry
    return body._tag === "File"
      ? Effect.catch(checkContent(place, node, entry, body.content), (error) => fail(place, error))
      : Effect.void
  }

  /** A hard link whose target can be read must name it by its path too. */
  const checkLink = Effect.fnUntraced(function* (place: Place.Place, link: HardLink): Effect.fn.Return<void> {
    entries++
    if (reader.comesOnce === true) return
    const named = yield* Effect.result(archive.find(link.path))
    // A path that cannot be followed because of a damage is no further finding.
    const leadsElsewhere = Result.isFailure(named)
      ? named.failure._tag === "PathError"
      : named.success.nameStart !== link.target
    if (leadsElsewhere) {
      const text = PathText.print(link.path)
      const detail = `hard link whose path ${text} is not that of its target`
      report(Finding.note("V3", Place.path(place), source.name, link.start, detail))
    }
  })

  /** What is wrong with the FILENAME item itself, where a hard link points, means that there is none. */
  const linkError = (link: HardLink, error: ArchiveError.ArchiveError): ArchiveError.ArchiveError =>
    error.kind === "Malformed" && error.check !== "L3" && error.offset <= link.target + Item.HEADER_SIZE
      ? withCheck(error, "L2")
      : error

  /** Bytes that belong to nobody (§4.3). */
  const checkGap = (level: Level, end: number): void => {
    if (reader.comesOnce === true || level.end === undefined || level.end >= end || level.gaps.length === MAX_GAPS)
      return
    const detail = `${end - level.end} bytes in the folder belong to none of its children`
    level.gaps.push(Finding.note("V1", Place.path(level.place), source.name, level.end, detail))
  }

  /** What is wrong with the folder's table; without that the gaps are what there is to say. */
  const leave = (level: Level): Effect.Effect<void> =>
    Effect.matchEffect(reader.flaws(level.directory), {
      onFailure: (error) => fail(level.place, error),
      onSuccess: (flaws) => {
        if (!flaws.some(({ error }) => explains.has(error.check))) for (const gap of level.gaps) report(gap)
        return Effect.forEach(
          flaws.filter(({ loses }) => !loses),
          ({ error, name }) => {
            const place = name === undefined ? level.place : { parent: level.place, name }
            return fail(place, ArchiveError.fromFormat(source.name, error))
          },
          { discard: true },
        )
      },
    })

  const enter = (
    directory: Node,
    place: Place.Place,
    entered: Effect.Effect<unknown, ArchiveError.ArchiveError>,
  ): Effect.Effect<void> =>
    Effect.matchEffect(entered, {
      onFailure: (error) => fail(place, error),
      onSuccess: () =>
        Effect.sync(() => void levels.push({ directory, place, children: 0, end: directory.contentsStart, gaps: [] })),
    })

  const visit = (level: Level, cursor: TreeWalk.TreeWalk, found: TreeWalk.Found): Effect.Effect<void> => {
    const { entry, link, nameStart, node, place } = found
    checkGap(level, nameStart)
    position = nameStart
    if (link !== undefined) {
      level.end = link.end
      return checkLink(place, link)
    }
    if (entry.body._tag !== "Directory") {
      level.end = entry.end
      return checkEntry(place, node, entry)
    }
    level.end = node.bound
    return Effect.flatMap(checkEntry(place, node, entry), () => enter(node, place, cursor.enter()))
  }

  const visitUnreadable = (level: Level, { error, link, place }: TreeWalk.Unreadable): Effect.Effect<void> => {
    if (error.check === "D9") {
      level.end = undefined
      return Effect.sync(() => report(Finding.note("D9", Place.path(place), source.name, error.offset, error.detail)))
    }
    if (link === undefined) {
      level.end = undefined
      return fail(place, error)
    }
    position = link.start - Item.HEADER_SIZE - place.name.length - 1
    checkGap(level, position)
    level.end = link.end
    return fail(place, linkError(link, error))
  }

  /** What concerns the archive as a whole. */
  const conclude = Effect.sync(() => {
    if (withoutPayload > 0) {
      const detail = `the contents of ${withoutPayload} files are in a payload archive that is not there, or of no use`
      const missing = ArchiveError.fromFormat(source.name, FormatError.unsupported("P5", firstWithoutPayload, detail))
      report(
        data
          ? Finding.fromError(ArchivePath.ROOT, missing)
          : Finding.note("P5", ArchivePath.ROOT, source.name, firstWithoutPayload, detail),
      )
    }
    if (unchecked > 0) {
      const detail = `${unchecked} files were not compared: too many to remember`
      report(Finding.note("V2", ArchivePath.ROOT, payloadName, 0, detail))
    }
    position = source.size
    onProgress(progress())
  })

  return {
    progress,
    begin: Effect.gen(function* () {
      const prelude = yield* Effect.result(reader.prelude)
      if (Result.isFailure(prelude)) yield* fail(Place.ROOT, prelude.failure)
      const root = yield* Effect.result(reader.entry(reader.root))
      if (Result.isFailure(root)) return yield* fail(Place.ROOT, root.failure)
      yield* checkEntry(Place.ROOT, reader.root, root.success)
      const made = TreeWalk.make(reader, { place: Place.ROOT, node: reader.root }, limits.depth - 1)
      yield* enter(
        reader.root,
        Place.ROOT,
        Effect.map(made, (walk) => void (cursor = walk)),
      )
    }),
    step: Effect.suspend(() => {
      const level = levels.at(-1)
      if (level === undefined || cursor === undefined) return Effect.as(conclude, false)
      const walk = cursor
      return Effect.flatMap(walk.next(), (item) => {
        if (item === undefined) {
          walk.leave()
          levels.pop()
          // The tail and the header of the table, and its items (§3.4).
          checkGap(level, level.directory.bound - GoodbyeTable.MIN_SIZE - level.children * GoodbyeTable.ITEM_SIZE)
          return Effect.as(leave(level), true)
        }
        level.children++
        if (entries % 256 === 0) onProgress(progress())
        return Effect.as(item._tag === "Found" ? visit(level, walk, item) : visitUnreadable(level, item), true)
      })
    }),
  }
}

/** Bytes of a source. */
const readBytes = (
  source: ByteSource,
  offset: number,
  length: number,
): Effect.Effect<Uint8Array, ArchiveError.ArchiveError> =>
  Effect.suspend(() => {
    const bytes = new Uint8Array(length)
    return Effect.as(Effect.mapError(source.read(bytes, offset), ArchiveError.fromSource), bytes)
  })

/** A version or prelude that is not at the beginning (A3) is a known item in the wrong place (H4) to the decoders. */
export const refine = (
  source: ByteSource,
  error: ArchiveError.ArchiveError,
): Effect.Effect<ArchiveError.ArchiveError> =>
  error.archive !== source.name ||
  error.check !== "H4" ||
  error.kind !== "Malformed" ||
  error.offset + Item.HEADER_SIZE > source.size
    ? Effect.succeed(error)
    : Effect.match(readBytes(source, error.offset, Item.HEADER_SIZE), {
        onFailure: () => error,
        onSuccess: (bytes) => {
          const view = Bytes.dataView(bytes)
          const type = ItemType.fromHalves(view.getUint32(0, true), view.getUint32(4, true))
          return type === ItemType.PRELUDE || type === ItemType.FORMAT_VERSION ? withCheck(error, "A3") : error
        },
      })

const withCheck = (error: ArchiveError.ArchiveError, check: FormatError.Check): ArchiveError.ArchiveError =>
  new ArchiveError.ArchiveError({ ...error, check })
