/**
 * A reader of an archive that is open only while it is used: the first operation opens it, and when it has not been
 * used for a while it is closed and what it had in memory is given back.
 *
 * Whoever opens it vouches that it is the same archive each time: nodes stay valid across a closing.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as NodeId from "../../domain/pxar/NodeId.ts"
import type { ArchiveError } from "../archive/ArchiveError.ts"
import type { ArchiveTree } from "../archive/ArchiveTree.ts"
import * as AtOnce from "../AtOnce.ts"
import * as MappedTree from "../tree/MappedTree.ts"

export interface Options {
  /** Name of the archive, for messages. */
  readonly archive: string
  /** Bytes of the archive alone. */
  readonly archiveSize: number
  /** Bytes of the archive and, if there is one, of its payload archive. */
  readonly size: number
  readonly open: Effect.Effect<ArchiveTree, ArchiveError, Scope.Scope>
  /** How long it stays open unused. */
  readonly idle: Duration.Input
}

type Reader = Omit<ArchiveTree, "root">

/** What is open, and who uses it. */
interface Opened {
  readonly reader: Reader
  readonly scope: Scope.Closeable
  users: number
  /** Milliseconds. */
  lastUsed: number
}

/** Makes the reader, which is closed with the scope. */
export const make = Effect.fnUntraced(function* ({
  archive,
  archiveSize,
  idle,
  open,
  size,
}: Options): Effect.fn.Return<ArchiveTree, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const clock = yield* Clock.Clock
  const idleMillis = Duration.toMillis(idle)
  const opening = Semaphore.makeUnsafe(1)
  let opened: Opened | undefined

  const now = (): number => clock.currentTimeMillisUnsafe()

  /** Closes `held` when nobody has used it for long enough. */
  const closeWhenIdle = (held: Opened): Effect.Effect<void> =>
    Effect.suspend(() => {
      const left = held.users > 0 ? idleMillis : held.lastUsed + idleMillis - now()
      if (left > 0) return Effect.flatMap(Effect.sleep(left), () => closeWhenIdle(held))
      opened = undefined
      return Scope.close(held.scope, Exit.void)
    })

  const openNow: Effect.Effect<void, ArchiveError> = Effect.uninterruptibleMask((restore) =>
    Effect.suspend(() => {
      if (opened !== undefined) return Effect.void
      const own = Scope.forkUnsafe(scope)
      return Effect.flatMap(
        Effect.onError(restore(Scope.provide(open, own)), (cause) => Scope.close(own, Exit.failCause(cause))),
        (reader) => {
          const held: Opened = { reader: withKnownRoot(reader), scope: own, users: 0, lastUsed: now() }
          opened = held
          return Effect.asVoid(Effect.forkIn(closeWhenIdle(held), scope))
        },
      )
    }),
  )

  const run = <A>(held: Opened, operation: (reader: Reader) => Effect.Effect<A, ArchiveError>) => {
    const begun = operation(held.reader)
    if (AtOnce.hasEnded(begun)) {
      held.lastUsed = now()
      return begun
    }
    return Effect.suspend(() => {
      held.users++
      return Effect.ensuring(
        begun,
        Effect.sync(() => {
          held.users--
          held.lastUsed = now()
        }),
      )
    })
  }

  const use = <A>(operation: (reader: Reader) => Effect.Effect<A, ArchiveError>): Effect.Effect<A, ArchiveError> =>
    opened !== undefined
      ? run(opened, operation)
      : // Again from the start: it may have been closed before this fiber had its turn.
        Effect.andThen(
          opening.withPermits(1)(openNow),
          Effect.suspend(() => use(operation)),
        )

  return {
    archive,
    size,
    // As it is known while the archive is closed: where its contents begin is in the archive.
    root: { id: NodeId.ROOT, parent: NodeId.ROOT, nameStart: 0, start: 0, bound: archiveSize, contentsStart: 0 },
    entry: (node) => use((reader) => reader.entry(node)),
    lookup: (directory, name) => use((reader) => reader.lookup(directory, name)),
    count: (directory) => use((reader) => reader.count(directory)),
    list: (directory, from, add) => use((reader) => reader.list(directory, from, add)),
    name: (node) => use((reader) => reader.name(node)),
    content: (node, offset, target) => use((reader) => reader.content(node, offset, target)),
    // What is closed has nothing in memory.
    release: (directory) => Effect.suspend(() => opened?.reader.release(directory) ?? Effect.void),
    memory: Effect.suspend(() => opened?.reader.memory ?? Effect.succeed({ blocks: 0, tables: 0 })),
  }
})

const withKnownRoot = (reader: ArchiveTree): Reader =>
  MappedTree.make(reader, {
    inside: (node) => (node.id === NodeId.ROOT ? reader.root : node),
    outside: MappedTree.sameNode,
    entry: MappedTree.sameEntry,
  })
