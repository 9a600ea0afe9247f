/**
 * A whole repository as one tree: `[ns/NAME/...]TYPE/ID/TIME/FILE`, with the names as on disk.
 *
 * An archive is a folder, an image a file of its true size with its partitions in a folder beside it, a blob a file with
 * its content. A group also has its owner and notes, and `latest`, a link to its newest finished backup. A level is listed
 * without opening anything below it; backups that are made or pruned meanwhile appear and go. What is opened is closed
 * when it has not been used for a while.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as RcMap from "effect/RcMap"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Bytes from "../../domain/Bytes.ts"
import * as Namespace from "../../domain/datastore/Namespace.ts"
import type { Reference } from "../../domain/datastore/Reference.ts"
import type * as SnapshotFile from "../../domain/datastore/SnapshotFile.ts"
import * as SnapshotId from "../../domain/datastore/SnapshotId.ts"
import * as TimeTemplate from "../../domain/datastore/TimeTemplate.ts"
import * as ArchiveError from "../archive/ArchiveError.ts"
import * as ArchiveReader from "../archive/ArchiveReader.ts"
import type { ArchiveTree, Read } from "../archive/ArchiveTree.ts"
import * as AtOnce from "../AtOnce.ts"
import type { ChunkedSource } from "./ChunkedSource.ts"
import * as Losses from "../tree/Losses.ts"
import * as DiskPartitions from "./DiskPartitions.ts"
import type { Repository, Snapshot } from "./Repository.ts"
import type { RepositoryError } from "./RepositoryError.ts"
import type * as VirtualItem from "./VirtualItem.ts"
import * as VirtualTree from "./VirtualTree.ts"

/** How a repository is shown. */
export interface Options extends Partial<ArchiveReader.Options> {
  /** What is the root: the repository, or a namespace, type, group or backup of it. */
  readonly root?: Pick<Reference, "namespace" | "type" | "id"> & { readonly time?: string | undefined }
  /** Names of the folders of backups; their times as on disk unless given. */
  readonly timeTemplate?: TimeTemplate.TimeTemplate | undefined
  /** Whose everything is that is in no archive. */
  readonly uid: number
  readonly gid: number
  /** Seconds since the epoch: of folders that have no time of their own. */
  readonly mtimeSeconds: number
  /** Bytes of files that are lost for good read as zeros, and are told. Reading them fails unless this is given. */
  readonly onLost?: ((lost: Losses.Lost) => Effect.Effect<void>) | undefined
  /** How long what is open stays so unused; a minute unless given. */
  readonly idle?: Duration.Input | undefined
  /** Milliseconds for which a level is not listed again; a second unless given. */
  readonly fresh?: number | undefined
}

type Items = ReadonlyArray<VirtualItem.Item>

/** Makes the tree. What is open is closed with the scope. */
export const make = Effect.fnUntraced(function* (
  repository: Repository,
  options: Options,
): Effect.fn.Return<ArchiveTree, never, Scope.Scope> {
  const { idle = "1 minute", mtimeSeconds, root, timeTemplate } = options
  const opened = yield* openedOf(repository, idle)
  const losses = options.onLost && Losses.make(options.onLost)

  const folder = (items: Read<Items>): VirtualItem.Folder => ({ items, isFixed: false, mtimeSeconds })
  const read = <A>(effect: Effect.Effect<A, RepositoryError>): Read<A> => Effect.mapError(effect, toArchiveError)

  const namespace = (at: Namespace.Namespace): VirtualItem.Folder =>
    folder(
      read(
        Effect.gen(function* () {
          const below = yield* repository.namespaces(at)
          const groups = yield* repository.groups(at)
          const types = SnapshotId.TYPES.filter((type) => groups.some((group) => group.type === type))
          return [
            ...types.map((name) => ({ _tag: "Folder" as const, name, folder: groupsOf(at, name) })),
            ...(below.length === 0 ? [] : [{ _tag: "Folder" as const, name: "ns", folder: namespaces(at) }]),
          ]
        }),
      ),
    )

  const namespaces = (parent: Namespace.Namespace): VirtualItem.Folder =>
    folder(
      read(
        Effect.map(repository.namespaces(parent), (below) =>
          below.map((at) => ({ _tag: "Folder", name: at.at(-1) as string, folder: namespace(at) })),
        ),
      ),
    )

  const groupsOf = (at: Namespace.Namespace, type: SnapshotId.BackupType): VirtualItem.Folder =>
    folder(
      read(
        Effect.map(repository.groups(at), (groups) =>
          groups
            .filter((group) => group.type === type)
            .map((group) => ({ _tag: "Folder", name: group.id, folder: groupFolder(group) })),
        ),
      ),
    )

  const groupFolder = (group: SnapshotId.GroupId): VirtualItem.Folder => {
    let newest = mtimeSeconds
    const items = read(
      Effect.gen(function* () {
        const ids = yield* repository.snapshots(group)
        const named = TimeTemplate.names(timeTemplate, ids)
        const last = ids.at(-1)
        if (last !== undefined) newest = SnapshotId.toEpoch(last.time)
        const { notes, owner } = yield* repository.group(group)
        const found: Array<VirtualItem.Item> = named.map(({ id, name }) => ({
          _tag: "Folder",
          name,
          folder: snapshotFolder(id),
        }))
        if (ids.length > 0)
          found.push({
            _tag: "Link",
            name: "latest",
            target: latest(group),
            mtimeSeconds: newest,
            version: String(newest),
          })
        if (owner !== undefined) found.push(text("owner", `${owner}\n`, newest))
        if (notes !== undefined) found.push(text("notes", notes, newest))
        return found
      }),
    )
    return {
      items,
      isFixed: false,
      get mtimeSeconds() {
        return newest
      },
    }
  }

  /** Name of the newest backup that is finished; of the newest if none is. */
  const latest = (group: SnapshotId.GroupId): Read<string> =>
    read(
      Effect.gen(function* () {
        const named = TimeTemplate.names(timeTemplate, yield* repository.snapshots(group))
        for (const { id, name } of named.toReversed()) if (yield* repository.isFinished(id)) return name
        return named.at(-1)?.name ?? "."
      }),
    )

  const snapshotFolder = (id: SnapshotId.SnapshotId): VirtualItem.Folder => ({
    isFixed: true,
    mtimeSeconds: SnapshotId.toEpoch(id.time),
    items: AtOnce.catch_(
      opened.snapshot(id, (snapshot) => Effect.succeed(filesOf(snapshot))),
      (error) =>
        error.check === "SnapshotUnfinished"
          ? Effect.as(Effect.logWarning(`${error.message}; it is shown as an empty folder`), [])
          : Effect.fail(toArchiveError(error)),
    ),
  })

  const filesOf = (snapshot: Snapshot): Items => {
    const at = SnapshotId.toEpoch(snapshot.id.time)
    const items = snapshot.files.flatMap((file) => itemsOf(snapshot, file, at))
    const { notes } = snapshot.manifest
    const isTaken = items.some(({ name }) => name === "notes")
    return notes === undefined || isTaken ? items : [...items, text("notes", notes, at)]
  }

  const itemsOf = (snapshot: Snapshot, file: SnapshotFile.Shown, at: number): Items => {
    const { id } = snapshot
    const size = snapshot.file(file.name)?.size ?? 0
    const payloadSize = file.payload === undefined ? 0 : (snapshot.file(file.payload)?.size ?? 0)
    switch (file.kind) {
      case "archive": {
        const archive = `${repository.name}/${SnapshotId.format(id)}/${file.shown}`
        const open = Effect.map(
          Effect.flatMap(opened.archive(id, file), ({ archive, payload }) =>
            ArchiveReader.make(archive, payload, options),
          ),
          (reader): ArchiveTree => losses?.tree({ ...reader, archive }) ?? reader,
        )
        return [
          {
            _tag: "Archive",
            name: file.shown,
            archive: { archive, size: size + payloadSize, open },
          },
        ]
      }
      case "blob": {
        const blob = opened.blob(id, file.name)
        return [
          {
            _tag: "File",
            name: file.shown,
            file: {
              mtimeSeconds: at,
              size: AtOnce.map(blob, ({ length }) => length),
              read: (target, offset) =>
                AtOnce.map(blob, (content) => target.set(content.subarray(offset, offset + target.length))),
            },
          },
        ]
      }
      default: {
        const stream = streamFile(id, file.name, file.shown, 0, size, at)
        const items: Array<VirtualItem.Item> = [{ _tag: "File", name: file.shown, file: stream }]
        if (file.kind !== "image") return items
        const parts = Effect.map(
          opened.stream(id, file.name, (image) => Effect.mapError(DiskPartitions.find(image), ArchiveError.fromSource)),
          (partitions): Items =>
            partitions.map(({ length, number, start }) => ({
              _tag: "File",
              name: `p${number}`,
              file: streamFile(id, file.name, `${file.shown}.parts/p${number}`, start, length, at),
            })),
        )
        items.push({
          _tag: "Folder",
          name: `${file.shown}.parts`,
          folder: { isFixed: true, mtimeSeconds: at, items: parts },
        })
        return items
      }
    }
  }

  /** The bytes of a stream from `start` on as a file. */
  const streamFile = (
    id: SnapshotId.SnapshotId,
    name: string,
    shown: string,
    start: number,
    length: number,
    at: number,
  ): VirtualItem.File => {
    const read: VirtualItem.File["read"] = (target, offset) =>
      opened.stream(id, name, (source) =>
        AtOnce.mapError(source.read(target, start + offset), (error) =>
          ArchiveError.fromContent(error, { start, length }),
        ),
      )
    const file = { archive: `${repository.name}/${SnapshotId.format(id)}/${shown}`, id: 0, path: NO_PATH }
    return {
      mtimeSeconds: at,
      size: Effect.succeed(length),
      read: losses?.reading(file, read) ?? read,
      ...(name.endsWith(".fidx") && { holes: holesOf(id, name, start, length) }),
    }
  }

  /** The holes of a part of an image. */
  const holesOf = (id: SnapshotId.SnapshotId, name: string, start: number, length: number): VirtualItem.Holes => {
    const extentOf = (source: ChunkedSource, offset: number) => {
      const { end, isHole } = source.extent(start + offset)
      return { isHole, end: Math.min(end - start, length) }
    }
    return {
      extent: (offset) => opened.stream(id, name, (source) => Effect.succeed(extentOf(source, offset))),
      allocated: opened.stream(id, name, (source) =>
        Effect.sync(() => {
          let sum = 0
          for (let offset = 0; offset < length;) {
            const { end, isHole } = extentOf(source, offset)
            if (!isHole) sum += end - offset
            offset = end
          }
          return sum
        }),
      ),
    }
  }

  const rootFolder = (): VirtualItem.Folder => {
    if (root === undefined) return namespace(Namespace.root)
    const { id, time, type } = root
    if (type === undefined) return namespace(root.namespace)
    if (id === undefined) return groupsOf(root.namespace, type)
    const group = { namespace: root.namespace, type, id }
    return time === undefined ? groupFolder(group) : snapshotFolder({ ...group, time })
  }

  return yield* VirtualTree.make({ ...options, name: repository.name, root: rootFolder() })
})

/** Of a file that is in no archive. */
const NO_PATH = Effect.succeed(Bytes.empty)

const text = (name: string, content: string, mtimeSeconds: number): VirtualItem.Item => {
  const bytes = Bytes.fromText(content)
  return {
    _tag: "File",
    name,
    version: content,
    file: {
      mtimeSeconds,
      size: Effect.succeed(bytes.length),
      read: (target, offset) => {
        target.set(bytes.subarray(offset, offset + target.length))
        return Effect.void
      },
    },
  }
}

const toArchiveError = ({ detail, path }: RepositoryError): ArchiveError.ArchiveError =>
  ArchiveError.unavailable(path, detail)

/** What is open of a repository, each thing once and for as long as it is used. */
const openedOf = Effect.fnUntraced(function* (repository: Repository, idle: Duration.Input) {
  const idleTimeToLive = Duration.fromInputUnsafe(idle)
  const parse = (key: string) => Result.getOrThrow(SnapshotId.parse(key))
  const split = (key: string): readonly [snapshot: string, file: string] => {
    const slash = key.lastIndexOf("/")
    return [key.slice(0, slash), key.slice(slash + 1)]
  }
  const snapshots = yield* RcMap.make({
    idleTimeToLive,
    lookup: (key: string) =>
      Effect.tap(repository.snapshot(parse(key)), ({ warnings }) =>
        Effect.forEach(warnings, ({ message }) => Effect.logWarning(`${repository.name}/${key}: ${message}`)),
      ),
  })
  const snapshotAt = (key: string) =>
    // What has failed is tried again: it may have been pruned, finished or repaired meanwhile.
    Effect.tapError(RcMap.get(snapshots, key), () => RcMap.invalidate(snapshots, key))
  const streams = yield* RcMap.make({
    idleTimeToLive,
    lookup: (key: string) => {
      const [snapshot, file] = split(key)
      return Effect.flatMap(snapshotAt(snapshot), (found) => found.stream(file))
    },
  })
  const blobs = yield* RcMap.make({
    idleTimeToLive,
    lookup: (key: string) => {
      const [snapshot, file] = split(key)
      return Effect.flatMap(snapshotAt(snapshot), (found) => found.blob(file))
    },
  })
  const used = <A>(map: RcMap.RcMap<string, A, RepositoryError>, key: string) =>
    Effect.mapError(
      Effect.tapError(RcMap.get(map, key), () => RcMap.invalidate(map, key)),
      toArchiveError,
    )
  return {
    snapshot: <A>(id: SnapshotId.SnapshotId, use: (snapshot: Snapshot) => Effect.Effect<A, RepositoryError>) =>
      Effect.scoped(Effect.flatMap(snapshotAt(SnapshotId.format(id)), use)),
    archive: (id: SnapshotId.SnapshotId, file: SnapshotFile.Shown) =>
      Effect.mapError(
        Effect.flatMap(snapshotAt(SnapshotId.format(id)), (snapshot) => snapshot.archive(file)),
        toArchiveError,
      ),
    stream: <A>(id: SnapshotId.SnapshotId, name: string, use: (source: ChunkedSource) => Read<A>): Read<A> =>
      Effect.scoped(Effect.flatMap(used(streams, `${SnapshotId.format(id)}/${name}`), use)),
    blob: (id: SnapshotId.SnapshotId, name: string): Read<Uint8Array> =>
      Effect.scoped(used(blobs, `${SnapshotId.format(id)}/${name}`)),
  }
})
