/**
 * The kernel's references to nodes (§9.5).
 *
 * A node is held from the first reply that names it to the last forget. Operations count references in a `Lease`: when
 * the reply has been delivered the lease is leaked to the kernel, and only then do the counts grow; when it has not, the
 * end of the request takes the references back, in a finalizer (`leaseUnsafe`) or with its scope (`lease`). What a node
 * holds (see `attach`) is released with its last reference, or with the registry's own scope, whichever comes first.
 *
 * The root is always held. It says nothing about what is in the archive: that is the reader's.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import type { ErrorId } from "../domain/ErrorId.ts"
import { type Ids, LookupTable, type Pending } from "../domain/pxar/LookupTable.ts"
import * as Node from "../domain/pxar/Node.ts"
import * as NodeId from "../domain/pxar/NodeId.ts"
import { ArchiveTree } from "./archive/ArchiveTree.ts"

/** More references were returned than were held: registry and kernel disagree. The counts are unchanged. */
export class Overforget extends Schema.TaggedError<Overforget>()("Overforget", {
  /** The inode number, in decimal: it needs 64 bits. */
  node: Schema.String,
  held: Schema.Finite,
  forgotten: Schema.Finite,
}) {
  static readonly ids = { Any: "PXF-SESSION-REFERENCES" } as const satisfies Record<string, ErrorId>
  /** See docs/errors.md. */
  get id(): ErrorId {
    return Overforget.ids.Any
  }
  override get message(): string {
    return `the kernel returned ${this.forgotten} references to inode ${this.node}, but holds ${this.held}`
  }
}

/** References of one reply that has not been delivered yet. */
export interface Lease {
  /** Counts one reference to a node; the id that the kernel is to know it by. */
  readonly add: (node: Node.Node) => NodeId.NodeId
  /** The reply was delivered: the references are the kernel's now. */
  readonly leak: () => void
  /** Whether there is nothing to take back. */
  readonly isEmpty: () => boolean
  /** Takes back what has not been leaked. */
  readonly takeBack: Effect.Effect<void>
}

/** The references of one session. */
export interface LookupRegistry {
  /** The node with this id, if it is held. */
  readonly find: (id: NodeId.NodeId) => Node.Node | undefined
  /** The folder through which a node was reached, if it is held. */
  readonly parent: (node: Node.Node) => Node.Node | undefined
  /** References to count for one reply; the scope takes back what has not been leaked. */
  readonly lease: Effect.Effect<Lease, never, Scope.Scope>
  /** The same without a scope: whoever makes it runs its `takeBack` at the end. */
  readonly leaseUnsafe: () => Lease
  /** Counts a reference to a node whose reply has just been delivered, in the same turn: nothing can come between. */
  readonly deliver: (node: Node.Node) => void
  /**
   * The kernel returns references. Those of a node that is not held are ignored, and reported by `false`; those of
   * the root are not counted.
   */
  readonly forget: (id: NodeId.NodeId, count: number) => Effect.Effect<boolean, Overforget>
  /** Gives a held node something to hold: the finalizer runs when the node is released. Once per node. */
  readonly attach: (id: NodeId.NodeId, finalizer: Effect.Effect<void>) => Effect.Effect<void>
  /** The same, in this call; the finalizer must not wait. */
  readonly attachNow: (id: NodeId.NodeId, finalizer: Effect.Effect<void>) => void
  /** Ids of the nodes held, the root included. */
  readonly held: Effect.Effect<ReadonlyArray<NodeId.NodeId>>
  /** References that the kernel holds on a node. */
  readonly count: (id: NodeId.NodeId) => Effect.Effect<number>
}

/** The registry that a bridge counts in. */
export const LookupRegistry: Context.Service<LookupRegistry, LookupRegistry> = Context.Service(
  "pxar-fuse/services/LookupRegistry",
)

/** A registry for the tree in `ArchiveTree`, whose root it holds for as long as the layer lives. */
export const layer: Layer.Layer<LookupRegistry, never, ArchiveTree> = Layer.effect(
  LookupRegistry,
  Effect.flatMap(ArchiveTree, (tree) => make(tree.root, tree.ids)),
)

/**
 * Makes a registry; closing the scope releases everything that is still held. The kernel knows nodes by their own ids, or
 * by ids that are allotted (see `ArchiveTree.ids`).
 */
export const make = Effect.fnUntraced(function* (
  root: Node.Node,
  ids: Ids = "own",
): Effect.fn.Return<LookupRegistry, never, Scope.Scope> {
  const session = yield* Effect.scope
  let table = new LookupTable(ids)
  const scopes = new Map<NodeId.NodeId, Scope.Closeable>()
  table.retain(root)
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      table = new LookupTable(ids)
      scopes.clear()
    }),
  )

  /** Releases what a dropped node held. */
  const drop = (id: NodeId.NodeId): Effect.Effect<void> => {
    const scope = scopes.get(id)
    if (scope === undefined) return Effect.void
    scopes.delete(id)
    return Scope.close(scope, Exit.void)
  }

  const leaseUnsafe = (): Lease => {
    let references: Array<Pending> = []
    const current = table
    return {
      add: (node) => {
        const reference = current.retain(node)
        references.push(reference)
        return current.idOf(reference)
      },
      leak: () => {
        for (const reference of references) current.deliver(reference)
        references = []
      },
      isEmpty: () => references.length === 0,
      takeBack: Effect.suspend(() => {
        if (references.length === 0) return Effect.void
        const dropped: Array<NodeId.NodeId> = []
        for (const reference of references) {
          const id = current.idOf(reference)
          if (current.release(reference)) dropped.push(id)
        }
        references = []
        return Effect.forEach(dropped, drop, { discard: true })
      }),
    }
  }

  const forget = (id: NodeId.NodeId, count: number): Effect.Effect<boolean, Overforget> =>
    Effect.suspend(() => {
      if (id === NodeId.ROOT) return Effect.succeed(true)
      const held = table.count(id)
      if (held === 0 && table.get(id) === undefined) return Effect.succeed(false)
      if (count > held) {
        return Effect.fail(new Overforget({ node: NodeId.toBigInt(id).toString(), held, forgotten: count }))
      }
      return table.forget(id, count) ? Effect.as(drop(id), true) : Effect.succeed(true)
    })

  const attachNow = (id: NodeId.NodeId, finalizer: Effect.Effect<void>): void => {
    if (scopes.has(id) || table.get(id) === undefined) return
    const scope = Scope.forkUnsafe(session)
    scopes.set(id, scope)
    Effect.runSync(Scope.addFinalizer(scope, finalizer))
  }

  return {
    find: (id) => table.get(id),
    parent: (node) => table.byKey(Node.parentOf(node)),
    lease: Effect.acquireRelease(Effect.sync(leaseUnsafe), (lease) => lease.takeBack),
    leaseUnsafe,
    deliver: (node) => table.deliver(table.retain(node)),
    forget,
    attach: (id, finalizer) => {
      if (scopes.has(id) || table.get(id) === undefined) return Effect.void
      return Effect.suspend(() => {
        if (scopes.has(id) || table.get(id) === undefined) return Effect.void
        const scope = Scope.forkUnsafe(session)
        scopes.set(id, scope)
        return Scope.addFinalizer(scope, finalizer)
      })
    },
    attachNow,
    held: Effect.sync(() => [...table.keys()]),
    count: (id) => Effect.sync(() => table.count(id)),
  }
})
