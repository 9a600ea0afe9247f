/**
 * Where the folders of an archive stand, and of which chunks it consists: enough to find a folder of it in another archive
 * without decoding anything.
 *
 * A folder that stands within chunks which another archive has one after the other, too, is the same there with all that
 * is below it: positions within a folder are relative to it (§3.2, §4.6).
 */
import { createHash } from "node:crypto"
import * as Bytes from "../../domain/Bytes.ts"
import type { ChunkIndex } from "../../domain/datastore/ChunkIndex.ts"
import * as DynamicIndex from "../../domain/datastore/DynamicIndex.ts"
import { partitionPoint } from "../../domain/PartitionPoint.ts"

/** A folder of an archive. */
export interface Extent {
  /** Number of the folder, the same for the same path. */
  readonly id: number
  /** Position of its FILENAME header, and after its goodbye table. */
  readonly start: number
  end: number
  /** Entries below it. */
  entries: number
  /** Whether a hard link is below it: what that names may stand elsewhere. */
  hasLinks: boolean
}

/** A folder that is the same in an archive that was scanned before. */
export interface Same {
  /** Bytes from its FILENAME on. */
  readonly length: number
  /** It and the folders below it, in order, where they stand in that archive. */
  readonly extents: ReadonlyArray<Extent>
  /** Where it stands there. */
  readonly start: number
}

/** The folders of one archive, in the order of their starts, each before those below it. */
export class Extents {
  readonly extents: ReadonlyArray<Extent>
  readonly index: Pick<ChunkIndex, "count" | "digest" | "start" | "end" | "locate" | "entries">
  private chunks: ReadonlyMap<string, number> | undefined

  constructor(extents: ReadonlyArray<Extent>, index: Extents["index"]) {
    this.extents = extents
    this.index = index
  }

  /** Looks for the folder number `id`, whose FILENAME is at `start` of the archive in `index`, in this archive. */
  find(id: number, start: number, index: ChunkIndex): Same | undefined {
    const first = index.locate(start)
    const own = this.chunkOf(index.digest(first))
    if (own === undefined) return undefined
    const at = this.index.start(own) + start - index.start(first)
    const number = this.rank(at)
    const extent = this.extents[number]
    if (extent?.start !== at || extent.id !== id || extent.hasLinks) return undefined
    const last = this.index.locate(extent.end - 1)
    for (let chunk = own + 1; chunk <= last; chunk++) {
      const other = first + chunk - own
      if (other >= index.count || !Bytes.equals(index.digest(other), this.index.digest(chunk))) return undefined
    }
    let until = number + 1
    while (until < this.extents.length && (this.extents[until] as Extent).start < extent.end) until++
    return { length: extent.end - at, extents: this.extents.slice(number, until), start: at }
  }

  private chunkOf(digest: Uint8Array): number | undefined {
    if (this.chunks === undefined) {
      const chunks = new Map<string, number>()
      for (let chunk = this.index.count - 1; chunk >= 0; chunk--) chunks.set(keyOf(this.index.digest(chunk)), chunk)
      this.chunks = chunks
    }
    return this.chunks.get(keyOf(digest))
  }

  /** Number of the first folder that begins at or after `start`. */
  private rank(start: number): number {
    return partitionPoint(this.extents.length, (at) => (this.extents[at] as Extent).start < start)
  }
}

const keyOf = (digest: Uint8Array): string =>
  Buffer.from(digest.buffer, digest.byteOffset, digest.length).toString("latin1")

/** Numbers of a folder in `encode`. */
const NUMBERS = 4

/** As bytes: number of folders, their numbers as 64-bit floats, the entries of the index; then the SHA-256 of all that. */
export const encode = ({ extents, index }: Extents): Uint8Array => {
  const numbers = new Float64Array(1 + NUMBERS * extents.length)
  numbers[0] = extents.length
  for (const [at, { end, entries, hasLinks, id, start }] of extents.entries()) {
    numbers.set([id, start, end, hasLinks ? -1 - entries : entries], 1 + NUMBERS * at)
  }
  const bytes = Bytes.concat([new Uint8Array(numbers.buffer), index.entries])
  return Bytes.concat([bytes, createHash("sha256").update(bytes).digest()])
}

/** Reads what `encode` gives; `undefined` if it is anything else. */
export const decode = (stored: Uint8Array): Extents | undefined => {
  const bytes = stored.slice(0, -32)
  if (!Bytes.equals(createHash("sha256").update(bytes).digest(), stored.subarray(-32))) return undefined
  const count = new Float64Array(bytes.buffer, 0, 1)[0] as number
  const length = 8 * (1 + NUMBERS * count)
  const numbers = new Float64Array(bytes.buffer, 8, NUMBERS * count)
  const extents = Array.from({ length: count }, (_, at): Extent => {
    const [id, start, end, entries] = numbers.subarray(NUMBERS * at, NUMBERS * (at + 1)) as unknown as [
      number,
      number,
      number,
      number,
    ]
    return { id, start, end, entries: entries < 0 ? -1 - entries : entries, hasLinks: entries < 0 }
  })
  return new Extents(extents, indexOf(bytes.subarray(length)))
}

/** The index of a dynamic stream by its entries (datastore §3.1), which were checked before. */
export const indexOf = (entries: Uint8Array): ChunkIndex => {
  const file = new Uint8Array(4096 + entries.length)
  file.set(DynamicIndex.MAGIC)
  file.set(entries, 4096)
  const parsed = DynamicIndex.parse(file)
  if (parsed._tag === "Failure") throw new Error(parsed.failure.detail)
  return parsed.success
}
