/**
 * What there is to say about an archive as a whole: counts, sizes, the prelude, the deepest path, the largest files.
 *
 * One walk over the metadata; contents are not read. Memory does not grow with the number of entries, but for 16 bytes a
 * file of a split archive (see `PayloadRanges`).
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as ArchiveHead from "../../domain/pxar/ArchiveHead.ts"
import type { Attributes, Entry } from "../../domain/pxar/Entry.ts"
import { noAttributes } from "../../domain/pxar/Entry.ts"
import * as EntryKind from "../../domain/pxar/EntryKind.ts"
import * as Item from "../../domain/pxar/Item.ts"
import type * as Limits from "../../domain/pxar/Limits.ts"
import { PayloadRanges } from "../../domain/pxar/PayloadRanges.ts"
import * as Archive from "./Archive.ts"
import type * as ArchiveError from "../archive/ArchiveError.ts"
import * as ArchiveReader from "../archive/ArchiveReader.ts"
import * as PayloadArchive from "../archive/PayloadArchive.ts"
import type { ArchiveBytes } from "../bytes/ArchiveBytes.ts"
import type { ByteSource } from "../bytes/ByteSource.ts"
import * as Place from "./Place.ts"
import type * as TreeWalk from "./TreeWalk.ts"

/** A file and its size in bytes. */
export interface LargeFile {
  readonly path: Uint8Array
  readonly size: number
}

/** A large file of those found so far. */
interface Candidate {
  readonly place: Place.Place
  readonly size: number
}

/** How far the payload archive is used. */
export interface PayloadInfo {
  readonly name: string
  /** Bytes. */
  readonly size: number
  /** Whether its end marker is there (P2). */
  readonly complete: boolean
  /** Bytes that no file refers to; `undefined` if there are too many files to tell. */
  readonly unreferenced: number | undefined
}

/** The prelude (§2.1), or why it cannot be read. */
export type Prelude =
  | { readonly _tag: "Bytes"; readonly bytes: Uint8Array }
  | { readonly _tag: "Unreadable"; readonly error: ArchiveError.ArchiveError }

/** Numbers of entries with attributes, hard links not counted. */
export interface AttributeCounts {
  /** Entries with extended attributes, and the number of those. */
  readonly entriesWithXattrs: number
  readonly xattrs: number
  readonly accessAcls: number
  readonly defaultAcls: number
  readonly capabilities: number
  readonly quotaProjectIds: number
}

/** What an archive holds, in numbers. */
export interface ArchiveInfo {
  readonly name: string
  readonly version: 1 | 2
  /** Bytes of the archive, without the payload archive. */
  readonly size: number
  /** Of a split archive, if it is there. */
  readonly payload: PayloadInfo | undefined
  /** A split archive has its contents in a payload archive, which is missing. */
  readonly payloadMissing: boolean
  readonly prelude: Prelude | undefined
  /** Names, the root and hard links included; what cannot be read not. */
  readonly entries: number
  /** Entries of each kind; hard links are counted apart. */
  readonly kinds: Readonly<Record<EntryKind.EntryKind, number>>
  readonly hardLinks: number
  /** Bytes of all files, each counted once however many names it has. */
  readonly contents: number
  readonly attributes: AttributeCounts
  /** The path with the most folders above it, the first of several. */
  readonly deepest: { readonly path: Uint8Array; readonly depth: number }
  /** Files by size, the largest first; at most `LARGEST`. */
  readonly largest: ReadonlyArray<LargeFile>
  /** Entries, and rests of folders, that cannot be read: `verify` says why. */
  readonly unreadable: number
  /** Entries that others of the same name hide (D9). */
  readonly hidden: number
  /** Whether the end of the archive is missing: it was read from the front. */
  readonly isCut: boolean
}

/** Number of largest files that are named. */
export const LARGEST = 10

/** How to collect it. */
export interface Options {
  readonly limits?: Limits.Limits | undefined
  /** How to open the archive, where that is not a matter of random access (see `StreamReader`). */
  readonly reader?: Effect.Effect<ArchiveReader.ArchiveReader, ArchiveError.ArchiveError> | undefined
  /** Called now and then with the entries counted, and the byte of the archive reached; must be quick. */
  readonly onProgress?: ((entries: number, position: number) => void) | undefined
}

/** Opens an archive and walks through it. */
export const collect = Effect.fnUntraced(function* (
  { archive: source, payload }: ArchiveBytes,
  options: Options = {},
): Effect.fn.Return<ArchiveInfo, ArchiveError.ArchiveError> {
  const limits = options.limits === undefined ? {} : { limits: options.limits }
  const reader = yield* options.reader ?? ArchiveReader.make(source, payload, limits)
  const archive = Archive.fromReader(reader, options.limits)
  const root = yield* archive.root
  const tally = new Tally(root)
  yield* Stream.runForEachArray(archive.walk(root), (items) =>
    Effect.sync(() => {
      for (const item of items) tally.add(item)
      const last = items.at(-1)
      if (last?._tag === "Found") options.onProgress?.(tally.entries, last.nameStart)
    }),
  )

  const prelude = yield* Effect.result(reader.prelude)
  return {
    name: source.name,
    version: reader.version,
    size: source.size,
    payload:
      payload._tag === "Absent"
        ? undefined
        : {
            name: payload.source.name,
            size: payload.source.size,
            complete: yield* isComplete(payload.source),
            unreferenced: tally.unreferenced(payload.source.size),
          },
    payloadMissing: payload._tag === "Absent" && tally.references > 0,
    prelude: Result.isFailure(prelude)
      ? { _tag: "Unreadable", error: prelude.failure }
      : prelude.success === undefined
        ? undefined
        : { _tag: "Bytes", bytes: prelude.success },
    isCut: reader.cut !== undefined,
    entries: tally.entries,
    kinds: tally.kinds,
    hardLinks: tally.hardLinks,
    contents: tally.contents,
    attributes: tally.attributes,
    deepest: { path: tally.deepest.path, depth: tally.deepest.depth },
    largest: tally.largest.map(({ place, size }) => ({ path: Place.path(place), size })),
    unreadable: tally.unreadable,
    hidden: tally.hidden,
  }
})

/** Whether the end marker is there (P2). */
const isComplete = (payload: ByteSource): Effect.Effect<boolean, ArchiveError.ArchiveError> =>
  Effect.matchEffect(PayloadArchive.checkEnd(payload), {
    onFailure: (error) => (error.kind === "IO" ? Effect.fail(error) : Effect.succeed(false)),
    onSuccess: () => Effect.succeed(true),
  })

class Tally {
  entries = 0
  hardLinks = 0
  contents = 0
  unreadable = 0
  hidden = 0
  /** Files whose contents are in the payload archive. */
  references = 0
  deepest: TreeWalk.Found
  readonly kinds = EntryKind.counts()
  readonly attributes = {
    entriesWithXattrs: 0,
    xattrs: 0,
    accessAcls: 0,
    defaultAcls: 0,
    capabilities: 0,
    quotaProjectIds: 0,
  }
  readonly largest: Array<Candidate> = []
  private readonly ranges = new PayloadRanges()
  private uncounted = false

  constructor(root: TreeWalk.Found) {
    this.deepest = root
  }

  add(item: TreeWalk.Item): void {
    if (item._tag === "Unreadable") {
      if (item.error.check === "D9") this.hidden++
      else this.unreadable++
      return
    }
    this.entries++
    if (item.depth > this.deepest.depth) this.deepest = item
    if (item.link !== undefined) {
      this.hardLinks++
      return
    }
    const { entry } = item
    this.kinds[EntryKind.of(entry)]++
    this.addFile(item.place, entry)
    if (entry.attributes !== noAttributes) this.addAttributes(entry.attributes)
  }

  /** Bytes of a payload archive of `size` bytes, besides its two markers, that no file refers to. */
  unreferenced(size: number): number | undefined {
    return this.uncounted ? undefined : Math.max(0, size - ArchiveHead.MIN_PAYLOAD_SIZE - this.ranges.covered)
  }

  private addFile(place: Place.Place, entry: Entry): void {
    if (entry.body._tag !== "File") return
    const { length: size, source, start } = entry.body.content
    this.contents += size
    if (source === "payload") {
      this.references++
      if (this.ranges.add(start - Item.HEADER_SIZE, start + size) === "unchecked") this.uncounted = true
    }
    const { largest } = this
    if (largest.length === LARGEST && size <= (largest.at(-1) as Candidate).size) return
    const rank = largest.findIndex((file) => file.size < size)
    largest.splice(rank < 0 ? largest.length : rank, 0, { place, size })
    if (largest.length > LARGEST) largest.pop()
  }

  private addAttributes(attributes: Attributes): void {
    const counts = this.attributes
    if (attributes.xattrs.length > 0) counts.entriesWithXattrs++
    counts.xattrs += attributes.xattrs.length
    if (attributes.aclUsers.length + attributes.aclGroups.length > 0 || attributes.aclGroupObj !== undefined) {
      counts.accessAcls++
    }
    if (attributes.aclDefault !== undefined) counts.defaultAcls++
    if (attributes.fcaps !== undefined) counts.capabilities++
    if (attributes.quotaProjectId !== undefined) counts.quotaProjectIds++
  }
}
