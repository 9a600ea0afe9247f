/**
 * The folder `versions` of a group: `versions/ARCHIVE/PATH/TIME.EXT`. What is at a path in the backups of the group is a folder
 * here, with what is below it in any of them and, where it is a file or anything else but a folder, with its versions (see
 * `Versions`). Each has the name of the time of the oldest backup that has it, the end of the name of the file, and all
 * attributes and the content that it has there.
 *
 * Two versions differ: where chunks do not tell whether their contents do, these are read, when somebody looks into the folder
 * of the file. Nothing is looked up before somebody looks into a folder; then the index is asked for that path, and each state
 * of the archive that it has not. What was found stays until there are other backups: memory grows with the folders that were
 * looked into. What is open is closed when it has not been used for a while. A state that cannot be read is left out and logged,
 * once.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as RcMap from "effect/RcMap"
import type * as Scope from "effect/Scope"
import * as Bytes from "../../domain/Bytes.ts"
import * as SnapshotId from "../../domain/datastore/SnapshotId.ts"
import * as TimeTemplate from "../../domain/datastore/TimeTemplate.ts"
import type { Node } from "../../domain/pxar/Node.ts"
import * as ArchiveReader from "../archive/ArchiveReader.ts"
import type { ArchiveError } from "../archive/ArchiveError.ts"
import type { Read } from "../archive/ArchiveTree.ts"
import type { HistoryIndex } from "../index/HistoryIndex.ts"
import { toArchiveError } from "../repository/OpenedFiles.ts"
import type { Repository } from "../repository/Repository.ts"
import type { RepositoryError } from "../repository/RepositoryError.ts"
import * as Archive from "../tree/Archive.ts"
import type * as VirtualItem from "../virtual/VirtualItem.ts"
import * as Edition from "./Edition.ts"
import * as IndexedEdition from "./IndexedEdition.ts"
import * as Versions from "./Versions.ts"

/** How versions are shown. */
export interface Options {
  /** Names of versions; times as on disk unless given. */
  readonly timeTemplate?: TimeTemplate.TimeTemplate | undefined
  /** How long an archive stays open unused; a minute unless given. */
  readonly idle?: Duration.Input | undefined
  /** It is asked for what it has, where there is one. */
  readonly index?: Effect.Effect<HistoryIndex | undefined> | undefined
}

/** Name of the folder. */
export const NAME = "versions"

/** States of an archive that are asked at once. */
const AT_ONCE = 4

/** Longest end of a name that a version has, too: the point with it. */
const MAX_EXTENSION = 16

/** Many are open at once, and each is asked for little. */
const SMALL = ArchiveReader.caches(1024 * 1024)

type Items = ReadonlyArray<VirtualItem.Item>

/** The states of the archives of a group, as they were last seen. */
interface State {
  /** Tells it from any other. */
  readonly key: string
  readonly series: ReadonlyArray<Edition.Series>
  /** What backups are called. */
  readonly names: ReadonlyMap<string, string>
}

/** Makes the folders of groups. What is open is closed with the scope. */
export const make = Effect.fnUntraced(function* (
  repository: Repository,
  { idle = "1 minute", index: whenAsked = Effect.undefined, timeTemplate }: Options = {},
): Effect.fn.Return<(group: SnapshotId.GroupId) => VirtualItem.Item, never, Scope.Scope> {
  const editions = new Map<string, Edition.Edition>()
  const opened = yield* RcMap.make({
    lookup: (key: string) => Edition.open(editions.get(key) as Edition.Edition, SMALL),
    idleTimeToLive: idle,
  })
  const open = (edition: Pick<Edition.Edition, "file" | "snapshot">) => {
    const key = `${SnapshotId.format(edition.snapshot.id)}/${edition.file.name}`
    editions.set(key, edition as Edition.Edition)
    return Effect.tapError(RcMap.get(opened, key), () => RcMap.invalidate(opened, key))
  }

  const told = new Set<string>()
  const tell = (what: string, message: string): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (told.has(what)) return Effect.void
      told.add(what)
      return Effect.logWarning(`${message}; it is left out of ${NAME}`)
    })

  const ofGroup = (group: SnapshotId.GroupId): VirtualItem.Item => {
    const finished = new Set<string>()
    let known: State | undefined
    let newest = 0

    /** The backups as they are; read again only if there are others. */
    const state: Read<State> = Effect.gen(function* () {
      const ids = yield* repository.snapshots(group)
      for (const id of ids) if (!finished.has(id.time) && (yield* repository.isFinished(id))) finished.add(id.time)
      const there = ids.filter(({ time }) => finished.has(time))
      const key = there.map(({ time }) => time).join(" ")
      if (known?.key === key) return known
      const { series, unreadable } = yield* Edition.ofGroup(repository, group)
      for (const { error, id } of unreadable) yield* tell(SnapshotId.format(id), error.message)
      newest = SnapshotId.toEpoch(there.at(-1)?.time ?? ids[0]?.time ?? "1970-01-01T00:00:00Z")
      const names = new Map(TimeTemplate.names(timeTemplate, ids).map(({ id, name }) => [id.time, name]))
      return (known = { key, series, names })
    }).pipe(Effect.mapError(toArchiveError))

    /** A folder whose items follow from the backups. */
    const folder = (itemsOf: (state: State) => Read<Items>): VirtualItem.Folder => {
      let last: { readonly key: string; readonly items: Items } | undefined
      return {
        isFixed: false,
        get mtimeSeconds() {
          return newest
        },
        items: Effect.gen(function* () {
          const now = yield* state
          last = last?.key === now.key ? last : { key: now.key, items: yield* itemsOf(now) }
          return last.items
        }),
      }
    }

    const pathFolder = (archive: string, path: Uint8Array, name: string): VirtualItem.Folder =>
      folder(({ names, series }) => {
        const own = series.find((each) => each.archive === archive)
        return own === undefined ? Effect.succeed([]) : itemsAt(own, path, name, names)
      })

    const itemsAt = Effect.fnUntraced(function* (
      series: Edition.Series,
      path: Uint8Array,
      name: string,
      names: State["names"],
    ): Effect.fn.Return<Items, ArchiveError> {
      const index = yield* whenAsked
      const { below, errors, isFolder } = yield* childrenOf(series, path, index)
      for (const { edition, error } of errors) yield* tell(edition.checksum, error.message)
      const [failed] = errors
      if (failed !== undefined && errors.length === series.editions.length) {
        return yield* failed.error._tag === "ArchiveError" ? failed.error : toArchiveError(failed.error)
      }
      const items: Array<VirtualItem.Item> = [...below].toSorted().map((child) => ({
        _tag: "Folder",
        name: child,
        folder: pathFolder(series.archive, Bytes.concat([path, SLASH, Bytes.fromText(child)]), child),
      }))
      if (isFolder) return items
      const taken = new Set(below)
      for (const version of (yield* Versions.of(series, path, { data: true, index, open })).versions) {
        if (version.entry.body._tag === "Directory") continue
        const time = version.snapshots[0]?.time ?? ""
        let shown = `${names.get(time) ?? time}${extension(name)}`
        while (taken.has(shown)) shown += "~"
        taken.add(shown)
        items.push(itemOf(version, shown))
      }
      return items
    })

    const archives = folder(({ series }) =>
      Effect.succeed(
        series.map(({ archive }) => ({
          _tag: "Folder",
          name: archive,
          folder: pathFolder(archive, Bytes.empty, ""),
        })),
      ),
    )
    return { _tag: "Folder", name: NAME, folder: archives }
  }

  /** What is below a path in any state of an archive, and whether it is nothing but a folder. */
  const childrenOf = Effect.fnUntraced(function* (
    series: Edition.Series,
    path: Uint8Array,
    index: HistoryIndex | undefined,
  ) {
    const known = yield* IndexedEdition.below(index, series, path)
    const below = new Set(known.names.map(Bytes.toText))
    const errors: Array<{ readonly edition: Edition.Edition; readonly error: ArchiveError | RepositoryError }> = []
    let { isFolder } = known
    yield* Effect.forEach(
      known.rest,
      (edition) =>
        Effect.gen(function* () {
          const { reader } = yield* open(edition)
          const found = yield* Archive.fromReader(reader).find(path)
          if (found.entry.body._tag !== "Directory") {
            isFolder = false
            return
          }
          yield* reader.list(found.node, 0, ({ name }) => {
            if (name !== undefined) below.add(Bytes.toText(name))
            return true
          })
        }).pipe(
          Effect.scoped,
          Effect.catchTag("PathError", () => Effect.void),
          Effect.catch((error) => Effect.sync(() => void errors.push({ edition, error }))),
        ),
      { concurrency: AT_ONCE, discard: true },
    )
    return { below, errors, isFolder }
  })

  const itemOf = ({ edition, entry, path }: Versions.Version, name: string): VirtualItem.Item => {
    let node: Node | undefined
    const read = (target: Uint8Array, offset: number): Read<void> =>
      Effect.gen(function* () {
        const { reader } = yield* open(edition)
        // It was there when the folder was listed.
        node ??= (yield* Effect.catchTag(Archive.fromReader(reader).find(path), "PathError", Effect.die)).node
        yield* reader.content(node, offset, target)
      }).pipe(
        Effect.scoped,
        Effect.mapError((error) => (error._tag === "ArchiveError" ? error : toArchiveError(error))),
      )
    return { _tag: "Entry", name, version: edition.checksum, entry, read }
  }

  return ofGroup
})

const SLASH = Bytes.fromText("/")

/** The end of a name, as `.txt`; none of a name that only begins with a point. */
const extension = (name: string): string => {
  const at = name.lastIndexOf(".")
  return at <= 0 || name.length - at > MAX_EXTENSION ? "" : name.slice(at)
}
