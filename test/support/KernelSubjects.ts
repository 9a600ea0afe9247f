/**
 * What the kernel model is run over: a tree whose bytes come when the model says so.
 *
 * One archive from a file; the same as a stream in chunks, cut and stored anyhow, in a cache that may hold two of them; and
 * two archives and a file in a folder, whose ids are allotted.
 */
import { Effect, type Scope } from "effect"
import * as AtOnce from "../../src/services/AtOnce.ts"
import type { ArchiveTree } from "../../src/services/archive/ArchiveTree.ts"
import * as ArchiveReader from "../../src/services/archive/ArchiveReader.ts"
import * as ChunkCache from "../../src/services/bytes/ChunkCache.ts"
import type { ByteSource } from "../../src/services/bytes/ByteSource.ts"
import * as ChunkedSource from "../../src/services/chunks/ChunkedSource.ts"
import * as ChunkStore from "../../src/services/chunks/ChunkStore.ts"
import * as VirtualItem from "../../src/services/virtual/VirtualItem.ts"
import * as VirtualTree from "../../src/services/virtual/VirtualTree.ts"
import { type Compression, key, put } from "../services/repository/chunked.ts"
import * as KernelTree from "./KernelTree.ts"
import * as ManualSource from "./ManualSource.ts"
import * as ManualStore from "./ManualStore.ts"
import * as Random from "./Random.ts"

/** What decides when bytes come. */
export interface Reads {
  readonly hold: () => void
  /** How many can be answered. */
  readonly waiting: () => number
  readonly answer: (choice: number, fails: boolean) => void
  readonly failures: () => number
  readonly scribble: () => void
}

export interface Subject {
  /** What is in the tree. */
  readonly known: KernelTree.KernelTree
  readonly tree: ArchiveTree
  readonly reads: Reads
  /** How many operations of the tree wait. */
  readonly waiting: () => number
  /** Whether something is done on threads, which takes as long as it takes. */
  readonly isBusy: () => boolean
  /** Names in the root that are looked up before anything else: what has to be open for the rest to meet anything. */
  readonly first: ReadonlyArray<string>
  /** Rounds without a change after which nothing goes on by itself. */
  readonly rounds: number
}

/** Makes a subject; the seed decides how it is stored. What is done is told to `story`. */
export type Make = (seed: number, story: Array<string>) => Effect.Effect<Subject, never, Scope.Scope>

const known = KernelTree.make()
const READER = { blocks: { blockSize: 256, capacity: 256 } }

const openOver = (source: ByteSource) => ArchiveReader.make(source, { _tag: "Absent", expected: undefined }, READER)

/** One archive from a file. Each operation that waits waits for a read of its own. */
export const archive: Make = Effect.fnUntraced(function* (_, story) {
  const reads = ManualSource.make(known.bytes, story)
  const tree = yield* Effect.orDie(openOver(reads.source))
  return { known, tree, reads, waiting: reads.waiting, isBusy: () => false, first: [], rounds: 1 }
})

/** Counts the operations that wait: several may wait for the same bytes. */
const counted = (tree: ArchiveTree) => {
  let waiting = 0
  const count = <A, E>(operation: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    AtOnce.hasEnded(operation)
      ? operation
      : Effect.suspend(() => {
          waiting++
          return Effect.ensuring(
            operation,
            Effect.sync(() => waiting--),
          )
        })
  const counting: ArchiveTree = {
    ...tree,
    entry: (node) => count(tree.entry(node)),
    lookup: (directory, name) => count(tree.lookup(directory, name)),
    count: (directory) => count(tree.count(directory)),
    list: (directory, from, add) => count(tree.list(directory, from, add)),
    name: (node) => count(tree.name(node)),
    content: (node, offset, target) => count(tree.content(node, offset, target)),
  }
  return { tree: counting, waiting: () => waiting }
}

const COMPRESSIONS: ReadonlyArray<Compression> = ["none", "sized", "streamed", "frames"]
const ROUNDS = 3

/** The archive as a stream in chunks. */
export const chunked: Make = Effect.fnUntraced(function* (seed, story) {
  const random = Random.make(seed)
  const lengths: Array<number> = []
  const longest = [50, 700, 3000][random.below(3)] as number
  for (let left = known.bytes.length; left > 0;) {
    const length = Math.min(left, 1 + random.below(longest))
    lengths.push(length)
    left -= length
  }
  const encrypted = random.below(2) === 1
  const blobs = new Map<string, Uint8Array>()
  const { index } = yield* put(blobs, known.bytes, lengths, {
    encrypted,
    compression: () => COMPRESSIONS[random.below(COMPRESSIONS.length)] as Compression,
  })
  const sizes = new Map(lengths.map((length, chunk) => [ChunkStore.chunkPath(index.digest(chunk)), length]))
  const reads = ManualStore.make(blobs, story)
  const cache = yield* ChunkCache.make(2 * Math.max(...lengths) + random.below(2) * random.below(known.bytes.length))
  const store = ChunkStore.make({ stores: [reads.store], cache })
  const source = yield* ChunkedSource.make({
    name: "x.didx",
    index,
    store,
    encrypted,
    key: encrypted ? key : undefined,
  })
  const { tree, waiting } = counted(yield* Effect.orDie(openOver(source)))
  // What is loading and does not wait for its blob is being decoded.
  const isBusy = () => cache.memory().loading !== reads.blobs().reduce((sum, blob) => sum + (sizes.get(blob) ?? 0), 0)
  return { known, tree, reads, waiting, isBusy, first: [], rounds: ROUNDS }
})

const NOTES = "of these archives\n"
const MANY = KernelTree.many(known, ["one.pxar", "two.pxar"], { notes: Buffer.from(NOTES) })

/** Two archives in a folder, opened when they are used. */
export const many: Make = Effect.fnUntraced(function* (seed, story) {
  const reads = ManualSource.make(known.bytes, story)
  const { size } = reads.source
  const open = openOver(reads.source)
  const items: ReadonlyArray<VirtualItem.Item> = [
    ...["one.pxar", "two.pxar"].map((name) => ({
      _tag: "Archive" as const,
      name,
      archive: { archive: name, size, open },
    })),
    VirtualItem.text("notes", NOTES, 0),
  ]
  const root = { items: Effect.succeed(items), isFixed: true, mtimeSeconds: 0 }
  const { tree, waiting } = counted(yield* VirtualTree.make({ name: "many", root, uid: 0, gid: 0 }))
  return {
    known: MANY,
    tree,
    reads,
    waiting,
    isBusy: () => false,
    first: seed % 4 === 0 ? [] : ["one.pxar", "two.pxar"],
    rounds: ROUNDS,
  }
})
