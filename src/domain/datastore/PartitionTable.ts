/**
 * Where the partitions of a disk image are: a master boot record (MBR) with its logical partitions, or a GUID partition
 * table (GPT, of the UEFI specification).
 *
 * Read from sectors that the caller has; what is wrong with a table costs the partitions that it concerns. Ranges are cut
 * at the end of the image, and none is empty.
 */
import * as Bytes from "../Bytes.ts"
import * as PartitionType from "./PartitionType.ts"

/** Bytes of a sector. Images of disks with larger ones are rare, and their tables say so in no way. */
export const SECTOR = 512

/** A partition. */
export interface Partition {
  /** As the kernel numbers it: from 1 on; logical ones from 5 on. */
  readonly number: number
  /** First byte in the image. */
  readonly start: number
  readonly length: number
  /** What the table says that it is for: `Linux filesystem`. */
  readonly type: string
  /** Its name, which only a GPT has. */
  readonly name: string | undefined
}

/** What the first sector says. */
export type Head =
  | { readonly _tag: "None" }
  | { readonly _tag: "Gpt" }
  | {
      readonly _tag: "Mbr"
      readonly partitions: ReadonlyArray<Partition>
      /** First byte of the extended partition, in which logical ones are chained. */
      readonly extended: number | undefined
    }

const PROTECTIVE = 0xee
const isExtended = (type: number): boolean => type === 0x05 || type === 0x0f || type === 0x85

interface Record {
  readonly type: number
  /** Sectors. */
  readonly start: number
  readonly count: number
}

const records = (sector: Uint8Array): ReadonlyArray<Record> | undefined => {
  if (sector.length < SECTOR || sector[510] !== 0x55 || sector[511] !== 0xaa) return undefined
  const view = Bytes.dataView(sector)
  return [0, 1, 2, 3].map((index) => {
    const at = 446 + 16 * index
    return { type: view.getUint8(at + 4), start: view.getUint32(at + 8, true), count: view.getUint32(at + 12, true) }
  })
}

/** The range as it is in the image; `undefined` if nothing of it is. */
const partition = (
  number: number,
  start: number,
  length: number,
  size: number,
  type: string,
  name?: string,
): Partition | undefined =>
  start > 0 && start < size && length > 0
    ? { number, start, length: Math.min(length, size - start), type, name }
    : undefined

/** Reads the first sector of an image of `size` bytes. */
export const readHead = (sector: Uint8Array, size: number): Head => {
  const found = records(sector)
  if (found === undefined) return { _tag: "None" }
  if (found.some(({ type }) => type === PROTECTIVE)) return { _tag: "Gpt" }
  // A file system without a table has the same two bytes at its end: its "records" have states that none has.
  if ([446, 462, 478, 494].some((at) => ((sector[at] as number) & 0x7f) !== 0)) return { _tag: "None" }
  const partitions = found.flatMap(({ count, start, type }, index) => {
    if (type === 0 || isExtended(type)) return []
    return partition(index + 1, start * SECTOR, count * SECTOR, size, PartitionType.ofMbr(type)) ?? []
  })
  const extended = found.find(({ type }) => isExtended(type))
  return { _tag: "Mbr", partitions, extended: extended === undefined ? undefined : extended.start * SECTOR }
}

/** A logical partition, and where the record of the next one is. */
export interface Logical {
  readonly partition: Partition | undefined
  readonly next: number | undefined
}

/** Reads the record of a logical partition at byte `at`, in the extended partition that begins at `extended`. */
export const readLogical = (
  sector: Uint8Array,
  number: number,
  at: number,
  extended: number,
  size: number,
): Logical => {
  const [own, next] = records(sector) ?? []
  if (own === undefined || next === undefined) return { partition: undefined, next: undefined }
  return {
    partition:
      own.type === 0
        ? undefined
        : partition(number, at + own.start * SECTOR, own.count * SECTOR, size, PartitionType.ofMbr(own.type)),
    next: isExtended(next.type) && next.start > 0 ? extended + next.start * SECTOR : undefined,
  }
}

/** Most entries of a GPT: what is written has 128. */
const MAX_ENTRIES = 1024

/** Where the entries of a GPT are. */
export interface Gpt {
  /** First byte. */
  readonly start: number
  readonly count: number
  readonly entrySize: number
}

/** Reads the second sector of an image with a GPT; `undefined` if it is no header of one. */
export const readGpt = (sector: Uint8Array): Gpt | undefined => {
  if (sector.length < SECTOR || !Bytes.equals(sector.subarray(0, 8), Bytes.fromText("EFI PART"))) return undefined
  const view = Bytes.dataView(sector)
  const start = Bytes.getU64(view, 72) * SECTOR
  const count = view.getUint32(80, true)
  const entrySize = view.getUint32(84, true)
  if (count > MAX_ENTRIES || entrySize < 128 || entrySize > 4096 || !Number.isSafeInteger(start)) return undefined
  return { start, count, entrySize }
}

/** Reads the entries of a GPT. */
export const readGptEntries = (bytes: Uint8Array, { entrySize }: Gpt, size: number): ReadonlyArray<Partition> => {
  const view = Bytes.dataView(bytes)
  const found: Array<Partition> = []
  for (let index = 0; (index + 1) * entrySize <= bytes.length; index++) {
    const at = index * entrySize
    if (bytes.subarray(at, at + 16).every((byte) => byte === 0)) continue
    const first = Bytes.getU64(view, at + 32)
    const last = Bytes.getU64(view, at + 40)
    const type = PartitionType.ofGpt(bytes.subarray(at, at + 16))
    const name = PartitionType.nameOf(bytes.subarray(at + 56, at + 128))
    const one = partition(index + 1, first * SECTOR, (last - first + 1) * SECTOR, size, type, name)
    if (one !== undefined) found.push(one)
  }
  return found
}
