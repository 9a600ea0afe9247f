/**
 * From a path to its node: one lookup a name, as the kernel does them.
 *
 * Each lookup brings a reference, which the caller's scope gives back, deepest first. A reference counts from the
 * moment its lookup succeeds; a walk that fails or is interrupted gives back what it has.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Errno from "../../domain/Errno.ts"
import * as NodeId from "../../domain/pxar/NodeId.ts"
import type * as Stat from "../../domain/pxar/Stat.ts"
import type * as Bridge from "../bridge/Bridge.ts"
import * as NativeText from "./NativeText.ts"

/** Returns one reference to a node; must not fail. */
export type GiveBack = (id: NodeId.NodeId) => Effect.Effect<void>

/**
 * The node at `path`, which begins with a slash, held until the scope closes; `undefined` for the root. Fails with EILSEQ for a name whose bytes
 * cannot be known (see `NativeText`), with ENOENT for one that is not there.
 */
export const walk = Effect.fnUntraced(function* (
  bridge: Bridge.Bridge,
  path: string,
  giveBack: GiveBack,
): Effect.fn.Return<Stat.Stat | undefined, Errno.Errno, Scope.Scope> {
  let stat: Stat.Stat | undefined
  for (const text of path.split("/")) {
    if (text === "") continue
    const name = NativeText.toBytes(text)
    if (name === undefined) return yield* Effect.fail(Errno.EILSEQ)
    stat = yield* step(bridge, stat?.id ?? NodeId.ROOT, name, giveBack)
  }
  return stat
})

/** One name further. Nothing interrupts between the counting of a reference and the promise to give it back. */
const step = (
  bridge: Bridge.Bridge,
  parent: NodeId.NodeId,
  name: Uint8Array,
  giveBack: GiveBack,
): Effect.Effect<Stat.Stat, Errno.Errno, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) => {
    const lease = bridge.leaseUnsafe()
    return Effect.flatMap(restore(bridge.lookup(parent, name, lease)), (stat) => {
      if (stat === undefined) return Effect.fail(Errno.ENOENT)
      lease.leak()
      return Effect.as(
        Effect.addFinalizer(() => giveBack(stat.id)),
        stat,
      )
    }).pipe(Effect.ensuring(lease.takeBack))
  })
