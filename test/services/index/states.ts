/** An index in memory, and what it says of each archive that was put in, beside what a walk says. */
import { createHash } from "node:crypto"
import type { DatabaseSync } from "node:sqlite"
import { Effect, Result, Stream } from "effect"
import * as DynamicIndex from "../../../src/domain/datastore/DynamicIndex.ts"
import type { Entry } from "../../../src/domain/pxar/Entry.ts"
import * as EntryIdentity from "../../../src/services/history/EntryIdentity.ts"
import * as Database from "../../../src/services/index/Database.ts"
import * as EntryLook from "../../../src/services/index/EntryLook.ts"
import { IndexReader } from "../../../src/services/index/IndexReader.ts"
import { type Added, IndexWriter } from "../../../src/services/index/IndexWriter.ts"
import * as Query from "../../../src/services/tree/Query.ts"
import * as TreeWalk from "../../../src/services/tree/TreeWalk.ts"
import * as WalkStream from "../../../src/services/tree/WalkStream.ts"
import * as Tree from "../../support/Tree.ts"

/** The chunks of a stream, cut by content, about `size` bytes each. */
export const chunksOf = (bytes: Uint8Array, size = 256): ReadonlyArray<Uint8Array> => {
  const chunks: Array<Uint8Array> = []
  let start = 0
  let sum = 0
  for (let at = 0; at < bytes.length; at++) {
    // What ends a chunk is in the last bytes alone, so that the same bytes are cut at the same places.
    sum = ((sum << 1) + (bytes[at] as number) * 0x9e37) & 0xffff
    if (at + 1 - start < 32 || (sum % size !== 0 && at + 1 - start < 4 * size)) continue
    chunks.push(bytes.slice(start, at + 1))
    start = at + 1
  }
  if (start < bytes.length) chunks.push(bytes.slice(start))
  return chunks
}

const sha256 = (bytes: Uint8Array): Uint8Array => createHash("sha256").update(bytes).digest()

/** A line for each entry: its path and what is known of it. */
export type Lines = ReadonlyArray<string>

const line = (path: Uint8Array, entry: Entry): string =>
  `${Buffer.from(path).toString("latin1")}\0${EntryIdentity.metadata(entry)}`

/** What a walk through an archive gives; `undefined` if anything in it cannot be read. */
export const walk = (bytes: Uint8Array, payload?: Uint8Array): Effect.Effect<Lines | undefined> =>
  Effect.gen(function* () {
    const reader = yield* Tree.openBytes(bytes, payload)
    const items = yield* Stream.runCollect(
      WalkStream.walk(reader, yield* TreeWalk.root(reader), Infinity, WalkStream.whole),
    )
    if (reader.cut !== undefined || items.some((item) => item._tag === "Unreadable")) return undefined
    return items.flatMap((item) => (item._tag === "Found" ? [line(item.path, item.entry)] : [])).toSorted()
  }).pipe(Effect.catch(() => Effect.undefined))

/** An index in memory. */
export const make = Effect.map(
  Effect.promise(() => Database.open(":memory:", "write")),
  (database) => new Index(database as DatabaseSync),
)

const anything: Query.Query = { patterns: [], manner: "name", ignoreCase: false }

export class Index {
  readonly writer: IndexWriter
  readonly reader: IndexReader
  /** Chunks that were fetched of the archive that was put in last. */
  fetched = 0
  constructor(database: DatabaseSync) {
    this.writer = new IndexWriter(database)
    this.reader = new IndexReader(database)
  }

  add(bytes: Uint8Array, chain = "chain"): Added {
    const chunks = chunksOf(bytes)
    const file = DynamicIndex.encode(chunks.map((chunk) => ({ length: chunk.length, digest: sha256(chunk) })))
    this.fetched = 0
    return this.writer.add(
      {
        checksum: this.checksum(bytes),
        chain,
        index: Result.getOrThrow(DynamicIndex.parse(file)),
        encrypted: false,
      },
      (chunk) => {
        this.fetched++
        return chunks[chunk] as Uint8Array
      },
      { progress: () => {}, waiting: () => {} },
    )
  }

  private checksum(bytes: Uint8Array): Uint8Array {
    return sha256(bytes)
  }

  /** What the index says of an archive; `undefined` if it does not have it. */
  lines(bytes: Uint8Array, query: Partial<Query.Query> = {}): Lines | undefined {
    const [place] = this.reader.places([this.checksum(bytes)])
    if (place === undefined || "problem" in place) return undefined
    const whole = { ...anything, ...query }
    const found: Array<string> = []
    this.reader.find(whole, Result.getOrThrow(Query.compile(whole)), place.chain, [place.number], (row) => {
      found.push(line(row.path, EntryLook.complete(EntryLook.decode(this.reader.look(row.look)), row)))
      return true
    })
    return found.toSorted()
  }
}
