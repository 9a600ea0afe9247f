/**
 * The partitions of a disk image, found by reading its tables, and what they hold, told by their first bytes.
 */
import * as Effect from "effect/Effect"
import * as FileSystemSignature from "../../domain/datastore/FileSystemSignature.ts"
import * as PartitionTable from "../../domain/datastore/PartitionTable.ts"
import type { ByteSource, SourceError } from "../bytes/ByteSource.ts"

/** Logical partitions that are followed. */
const MAX_LOGICAL = 128

/** What a partition of an image seems to hold. */
export const identify = (
  image: ByteSource,
  { length, start }: PartitionTable.Partition,
): Effect.Effect<FileSystemSignature.FileSystemSignature | undefined, SourceError> => {
  const window = new Uint8Array(Math.min(length, FileSystemSignature.WINDOW))
  return Effect.map(image.read(window, start), () => FileSystemSignature.identify(window))
}

/** The partitions, in the order of their numbers; none of an image without a table. */
export const find = Effect.fnUntraced(function* (
  image: ByteSource,
): Effect.fn.Return<ReadonlyArray<PartitionTable.Partition>, SourceError> {
  const { size } = image
  const read = (at: number, length: number) => {
    const target = new Uint8Array(at < 0 || at >= size ? 0 : Math.min(length, size - at))
    return Effect.as(image.read(target, Math.min(at, size)), target)
  }
  const head = PartitionTable.readHead(yield* read(0, PartitionTable.SECTOR), size)
  if (head._tag === "None") return []
  if (head._tag === "Gpt") {
    const gpt = PartitionTable.readGpt(yield* read(PartitionTable.SECTOR, PartitionTable.SECTOR))
    if (gpt === undefined) return []
    return PartitionTable.readGptEntries(yield* read(gpt.start, gpt.count * gpt.entrySize), gpt, size)
  }
  const partitions = [...head.partitions]
  let at = head.extended
  for (let number = 5; at !== undefined && number < 5 + MAX_LOGICAL; number++) {
    const sector = yield* read(at, PartitionTable.SECTOR)
    const { next, partition } = PartitionTable.readLogical(sector, number, at, head.extended as number, size)
    if (partition !== undefined) partitions.push(partition)
    at = next
  }
  return partitions
})
