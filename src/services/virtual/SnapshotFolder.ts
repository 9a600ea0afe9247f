/**
 * One backup as a folder: an archive is a folder, an image a file of its true size with its partitions in a folder beside it,
 * a blob a file with its content; notes, too. What is in the files is opened when it is used.
 */
import * as Effect from "effect/Effect"
import * as Bytes from "../../domain/Bytes.ts"
import type * as SnapshotFile from "../../domain/datastore/SnapshotFile.ts"
import * as SnapshotId from "../../domain/datastore/SnapshotId.ts"
import * as ArchiveError from "../archive/ArchiveError.ts"
import * as ArchiveReader from "../archive/ArchiveReader.ts"
import type { ArchiveTree } from "../archive/ArchiveTree.ts"
import * as PartitionAttributes from "../../domain/datastore/PartitionAttributes.ts"
import * as AtOnce from "../AtOnce.ts"
import type * as Losses from "../tree/Losses.ts"
import type { ChunkedSource } from "../chunks/ChunkedSource.ts"
import * as DiskPartitions from "./DiskPartitions.ts"
import { type OpenedFiles, toArchiveError } from "../repository/OpenedFiles.ts"
import type { Snapshot } from "../repository/Repository.ts"
import * as VirtualItem from "./VirtualItem.ts"

/** How files are shown. */
export interface Options {
  /** Name of the repository, for messages. */
  readonly name: string
  /** Of archives. */
  readonly reader: Partial<ArchiveReader.Options>
  /** Where what is lost reads as zeros. */
  readonly losses: Losses.Losses | undefined
}

type Items = ReadonlyArray<VirtualItem.Item>

/** Makes folders of the backups that are in `opened`. An unfinished one is empty. */
export const make = (
  opened: OpenedFiles,
  { losses, name, reader: options }: Options,
): ((id: SnapshotId.SnapshotId) => VirtualItem.Folder) => {
  const filesOf = (snapshot: Snapshot): Items => {
    const at = SnapshotId.toEpoch(snapshot.id.time)
    const items = snapshot.files.flatMap((file) => itemsOf(snapshot, file, at))
    const { notes } = snapshot.manifest
    const isTaken = items.some(({ name }) => name === "notes")
    return notes === undefined || isTaken ? items : [...items, VirtualItem.text("notes", notes, at)]
  }

  const itemsOf = (snapshot: Snapshot, file: SnapshotFile.Shown, at: number): Items => {
    const { id } = snapshot
    const size = snapshot.file(file.name)?.size ?? 0
    const payloadSize = file.payload === undefined ? 0 : (snapshot.file(file.payload)?.size ?? 0)
    switch (file.kind) {
      case "archive": {
        const archive = `${name}/${SnapshotId.format(id)}/${file.shown}`
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
            partitions.map((partition) => {
              const { length, number, start } = partition
              const xattrs = opened.stream(id, file.name, (image) =>
                // What cannot be read is told by whoever reads it.
                AtOnce.catch_(
                  AtOnce.map(DiskPartitions.identify(image, partition), (found) =>
                    PartitionAttributes.make(partition, found),
                  ),
                  () => Effect.succeed(PartitionAttributes.make(partition, undefined)),
                ),
              )
              const shown = `${file.shown}.parts/p${number}`
              return {
                _tag: "File",
                name: `p${number}`,
                file: { ...streamFile(id, file.name, shown, start, length, at), xattrs },
              }
            }),
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
    stream: string,
    shown: string,
    start: number,
    length: number,
    at: number,
  ): VirtualItem.File => {
    const read: VirtualItem.File["read"] = (target, offset) =>
      opened.stream(id, stream, (source) =>
        AtOnce.mapError(source.read(target, start + offset), (error) =>
          ArchiveError.fromContent(error, { start, length }),
        ),
      )
    const file = { archive: `${name}/${SnapshotId.format(id)}/${shown}`, id: 0, path: NO_PATH }
    return {
      mtimeSeconds: at,
      size: Effect.succeed(length),
      read: losses?.reading(file, read) ?? read,
      ...(stream.endsWith(".fidx") && { holes: holesOf(id, stream, start, length) }),
    }
  }

  /** The holes of a part of an image. */
  const holesOf = (id: SnapshotId.SnapshotId, stream: string, start: number, length: number): VirtualItem.Holes => {
    const extentOf = (source: ChunkedSource, offset: number) => {
      const { end, isHole } = source.extent(start + offset)
      return { isHole, end: Math.min(end - start, length) }
    }
    return {
      extent: (offset) => opened.stream(id, stream, (source) => Effect.succeed(extentOf(source, offset))),
      allocated: opened.stream(id, stream, (source) =>
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

  return (id) => ({
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
}

/** Of a file that is in no archive. */
const NO_PATH = Effect.succeed(Bytes.empty)
