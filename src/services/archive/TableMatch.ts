/**
 * Which children of a folder its own table means, where that is not to be trusted (see `TableRepair`).
 */
import * as Effect from "effect/Effect"
import * as FormatError from "../../domain/pxar/FormatError.ts"
import * as GoodbyeEncoder from "../../domain/pxar/GoodbyeEncoder.ts"
import * as GoodbyeTable from "../../domain/pxar/GoodbyeTable.ts"
import type { Hash } from "../../domain/pxar/SipHash.ts"
import * as Work from "../../domain/Work.ts"
import * as Turns from "./Turns.ts"
import { TURN } from "./Turns.ts"

/**
 * Matches items and children. An item that leads to no child of its own is a flaw: it means the child of its hash to which
 * no item leads, or else any that is left. It loses one if none is. What no item can mean is not shown.
 */
export const match = Effect.fnUntraced(function* (
  own: GoodbyeTable.Table,
  slots: Uint32Array,
  children: GoodbyeEncoder.Children,
  tail: Omit<GoodbyeTable.Tail, "count">,
  flaw: (error: FormatError.FormatError, loses: boolean, name: undefined, slot?: number) => void,
): Effect.fn.Return<GoodbyeEncoder.Children> {
  if (!own.ordered) flaw(FormatError.malformed("D8", own.start, "goodbye table out of order"), false, undefined)
  const all = yield* Turns.run(() => GoodbyeEncoder.toTable(children, tail, own.contentsStart))
  const strangers = new Set<number>()
  for (let child = 0; child < children.count; child++) {
    if (child % Work.PIECE === 0) yield* Effect.yieldNow
    if (!GoodbyeTable.hasStart(own, GoodbyeEncoder.startOf(children, child))) strangers.add(child)
  }
  const led = new Uint8Array(own.count)
  for (const [rank, slot] of slots.entries()) {
    if (rank % Work.PIECE === 0) yield* Effect.yieldNow
    if (GoodbyeTable.hasStart(all, GoodbyeTable.startAt(own, slot))) led[slot] = 1
  }
  const claimed = new Uint8Array(own.count)
  for (let slot = 0; slot < own.count; slot++) {
    if (slot % TURN === 0) yield* Effect.yieldNow
    if (led[slot] === 0 && claim(all, GoodbyeTable.hashAt(own, slot), strangers)) claimed[slot] = 1
  }
  const left = strangers.values()
  for (let slot = 0; slot < own.count; slot++) {
    if (slot % TURN === 0) yield* Effect.yieldNow
    if (led[slot] === 1) continue
    const start = GoodbyeTable.startAt(own, slot)
    const position = GoodbyeTable.itemPosition(own, slot) + 8
    const error =
      GoodbyeTable.problemOf(own, slot) ??
      (GoodbyeTable.hasStart(all, start)
        ? FormatError.malformed("D5", position, `two children at ${start}`)
        : FormatError.malformed("D4", position, `no child at ${start}, where an item leads`))
    const any = claimed[slot] === 1 ? undefined : left.next().value
    if (any !== undefined) strangers.delete(any)
    const isAgain = GoodbyeTable.hasStart(all, start) && isHashAt(all, start, GoodbyeTable.hashAt(own, slot))
    flaw(error, claimed[slot] === 0 && any === undefined && !isAgain, undefined, slot)
  }
  return strangers.size === 0 ? children : yield* Turns.run(() => GoodbyeEncoder.without(children, strangers))
})

/** Whether the child at `start` has this hash. */
const isHashAt = (all: GoodbyeTable.Table, start: number, hash: Hash): boolean => {
  let tries = 0
  for (const slot of GoodbyeTable.candidates(all, hash)) {
    if (GoodbyeTable.startAt(all, slot) === start) return true
    if (++tries === MAX_TRIES) break
  }
  return false
}

/** So many children of one hash are looked at. */
const MAX_TRIES = 64

/** Whether there is a child with this hash to which no item leads; it is then no stranger any more. */
const claim = (all: GoodbyeTable.Table, hash: Hash, strangers: Set<number>): boolean => {
  let tries = 0
  for (const slot of GoodbyeTable.candidates(all, hash)) {
    if (strangers.delete(GoodbyeTable.rankAt(all, GoodbyeTable.startAt(all, slot)) as number)) return true
    if (++tries === MAX_TRIES) break
  }
  return false
}
