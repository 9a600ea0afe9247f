/**
 * A reader of an archive that is open only while it is used: the first operation opens it, and when it has not been
 * used for a while it is closed and what it had in memory is given back.
 *
 * Whoever opens it vouches that it is the same archive each time: nodes stay valid across a closing.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as RcRef from "effect/RcRef"
import type * as Scope from "effect/Scope"
import * as Inode from "../../domain/pxar/Inode.ts"
import * as NodeId from "../../domain/pxar/NodeId.ts"
import type { ArchiveError } from "../archive/ArchiveError.ts"
import type { ArchiveTree } from "../archive/ArchiveTree.ts"
import * as AtOnce from "../AtOnce.ts"
import * as MappedTree from "../tree/MappedTree.ts"

export interface Options {
  /** Name of the archive, for messages. */
  readonly archive: string
  /** Bytes of the archive and, if there is one, of its payload archive. */
  readonly size: number
  readonly open: Effect.Effect<ArchiveTree, ArchiveError, Scope.Scope>
  /** How long it stays open unused. */
  readonly idle: Duration.Input
}

/** What is at hand is told without a use being noted, as long as the last one is not longer ago than this part of `idle`. */
const FRESH = 1 / 8

type Reader = Omit<ArchiveTree, "root">

/** Makes the reader, which is closed with the scope. */
export const make = Effect.fnUntraced(function* ({
  archive,
  idle,
  open,
  size,
}: Options): Effect.fn.Return<ArchiveTree, never, Scope.Scope> {
  const clock = yield* Clock.Clock
  const fresh = Duration.toMillis(idle) * FRESH
  let opened: Reader | undefined
  let lastUsed = 0

  const reference = yield* RcRef.make({
    acquire: Effect.flatMap(Effect.map(open, withKnownRoot), (reader) =>
      Effect.acquireRelease(
        Effect.sync(() => (opened = reader)),
        () =>
          Effect.sync(() => {
            opened = undefined
          }),
      ),
    ),
    idleTimeToLive: idle,
  })

  const use = <A>(operation: (reader: Reader) => Effect.Effect<A, ArchiveError>): Effect.Effect<A, ArchiveError> => {
    const now = clock.currentTimeMillisUnsafe()
    // It stays open for long enough to be run: nothing is begun that would not be.
    const begun = opened !== undefined && now - lastUsed <= fresh ? operation(opened) : undefined
    if (begun !== undefined && AtOnce.hasEnded(begun)) return begun
    return Effect.scoped(
      Effect.flatMap(RcRef.get(reference), (reader) => {
        lastUsed = clock.currentTimeMillisUnsafe()
        return begun ?? operation(reader)
      }),
    )
  }

  return {
    archive,
    size,
    // As it is known while the archive is closed: where it ends and its contents begin is in the archive.
    root: { id: NodeId.ROOT, parent: NodeId.ROOT, nameStart: 0, start: 0, bound: 0, contentsStart: 0 },
    ids: "own",
    inode: ({ id }) => Inode.ofNode(id),
    entry: (node) => use((reader) => reader.entry(node)),
    lookup: (directory, name) => use((reader) => reader.lookup(directory, name)),
    count: (directory) => use((reader) => reader.count(directory)),
    list: (directory, from, add) => use((reader) => reader.list(directory, from, add)),
    name: (node) => use((reader) => reader.name(node)),
    content: (node, offset, target) => use((reader) => reader.content(node, offset, target)),
    // What is closed has nothing in memory.
    release: (directory) => Effect.suspend(() => opened?.release(directory) ?? Effect.void),
    memory: Effect.suspend(() => opened?.memory ?? Effect.succeed({ blocks: 0, tables: 0 })),
  }
})

/** Takes the root as it is known while the archive is closed. */
const withKnownRoot = (reader: ArchiveTree): Reader =>
  MappedTree.make(reader, {
    inside: (node) => (node.id === NodeId.ROOT ? reader.root : node),
    outside: MappedTree.sameNode,
    entry: MappedTree.sameEntry,
  })
