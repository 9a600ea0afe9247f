/**
 * Makes the table of a folder anew, from what is in the folder, where its own is not to be trusted.
 *
 * The folder is read forward; where that leads nowhere it goes on at the next place to which an item leads, and a
 * subfolder is passed over by its own tail, if that belongs to it. So a bad item costs no more than the child it names,
 * and nothing if that is found without it. Children are disjoint, each inside its folder, whatever the items say, so
 * that no tree can be larger than its archive.
 *
 * Memory is that of the table, and a thousand flaws; time grows with the bytes of metadata in the folder.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Bytes from "../../domain/Bytes.ts"
import type { Child } from "../../domain/pxar/Entry.ts"
import * as FormatError from "../../domain/pxar/FormatError.ts"
import * as ForwardDecoder from "../../domain/pxar/ForwardDecoder.ts"
import * as GoodbyeEncoder from "../../domain/pxar/GoodbyeEncoder.ts"
import * as GoodbyeTable from "../../domain/pxar/GoodbyeTable.ts"
import type { Limits } from "../../domain/pxar/Limits.ts"
import type * as Node from "../../domain/pxar/Node.ts"
import type { Hash } from "../../domain/pxar/SipHash.ts"
import type { ArchiveError } from "./ArchiveError.ts"
import type { BlockCache } from "./BlockCache.ts"

/** Something wrong in a table. */
export interface Flaw {
  readonly error: FormatError.FormatError
  /** Name of the child concerned, if there is one. */
  readonly name: Uint8Array | undefined
  /** Whether it hides something: a child that is not found, or the rest of the folder. */
  readonly loses: boolean
  /** Hash of the child that an item names. */
  readonly hash: Hash | undefined
}

/** A table that was made anew. */
export interface Repaired extends GoodbyeTable.Table {
  /** What was wrong with the folder's own, the first thousand. */
  readonly flaws: ReadonlyArray<Flaw>
}

export interface Options {
  readonly blocks: BlockCache
  readonly version: 1 | 2
  readonly limits: Limits
  readonly hash: (name: Uint8Array) => Hash
}

const MAX_FLAWS = 1000

/** Events of a folder after which others have a turn. */
const TURN = 1024

/** The child whose end is looked for, a folder. */
interface Open {
  readonly name: Uint8Array | undefined
  readonly nameStart: number
}

/** The table of `directory`. `own` is the one it has; without, `reason` says why that cannot be read. */
export const repair = Effect.fnUntraced(function* (
  { blocks, hash, limits, version }: Options,
  directory: Node.Node,
  own: GoodbyeTable.Table | undefined,
  reason: FormatError.FormatError | undefined,
): Effect.fn.Return<Repaired, ArchiveError> {
  /** No child reaches beyond this. */
  const last = own?.start ?? directory.bound - GoodbyeTable.MIN_SIZE
  const flaws: Array<Flaw> = []
  const flaw = (error: FormatError.FormatError, loses: boolean, name?: Uint8Array, slot?: number): void => {
    const lost = slot === undefined || own === undefined ? undefined : GoodbyeTable.hashAt(own, slot)
    if (flaws.length < MAX_FLAWS) flaws.push({ error, name, loses, hash: lost })
  }
  if (reason !== undefined) flaw(reason, false)
  const slots = own === undefined ? noSlots : GoodbyeTable.slotsInArchiveOrder(own)
  const starts = own?.starts ?? noStarts
  const children = GoodbyeEncoder.makeChildren()
  const decoder = new ForwardDecoder.ForwardDecoder({
    position: directory.contentsStart,
    folder: directory.start,
    version,
    bound: own?.start ?? directory.bound,
    limits,
  })
  let open: Open | undefined
  /** Number of the first place to which an item leads that has not been passed. */
  let known = 0
  let end = directory.contentsStart

  const passTo = (position: number): void => {
    while (known < starts.length && (starts[known] as number) < position) known++
  }

  const next = Effect.suspend(() =>
    blocks.decode({
      position: decoder.position,
      extent: 0,
      decode: (window): ForwardDecoder.Event | FormatError.FormatError => {
        try {
          return decoder.next(window)
        } catch (thrown) {
          if (thrown instanceof FormatError.FormatError) return thrown
          throw thrown
        }
      },
    }),
  )

  /** Whether the folder that begins at `start` ends at `at`. */
  const endsAt = (start: number, at: number): Effect.Effect<boolean, ArchiveError> =>
    at - start < GoodbyeTable.MIN_SIZE || at > last
      ? Effect.succeed(false)
      : Effect.matchEffect(
          blocks.decode({
            position: at - GoodbyeTable.ITEM_SIZE,
            extent: GoodbyeTable.ITEM_SIZE,
            decode: (window) => GoodbyeTable.readTail(window, at, start, limits),
          }),
          {
            onFailure: (error) => (error.kind === "IO" ? Effect.fail(error) : Effect.succeed(false)),
            onSuccess: (tail) => Effect.succeed(tail.directoryStart === start),
          },
        )

  /** Adds a child that ends at `to`. If the folder's own table has an item for it, that is compared. */
  const add = ({ name, nameStart }: Open, to: number, child?: Child): void => {
    const hashed = hash(name ?? Bytes.empty)
    GoodbyeEncoder.addChild(children, hashed, nameStart, to - nameStart)
    end = to
    passTo(nameStart)
    if (own === undefined || child === undefined || starts[known] !== nameStart) return
    const slot = slots[known] as number
    const compared = FormatError.capture(() => GoodbyeTable.checkChild(own, slot, child, to, hashed))
    if (Result.isFailure(compared)) flaw(compared.failure as FormatError.FormatError, false, name)
  }

  /** Goes on behind `decoder.position`, at the next place to which an item leads; `false` if there is none. */
  const resume = (): boolean => {
    passTo((open?.nameStart ?? decoder.position) + 1)
    const start = starts[known]
    // A folder whose end is not found is cut where its sibling begins, or where its own folder ends.
    if (open !== undefined) add(open, start ?? last)
    open = undefined
    if (start !== undefined) decoder.jump(start, 1)
    return start !== undefined
  }

  const enter = Effect.fnUntraced(function* (event: ForwardDecoder.Enter): Effect.fn.Return<void, ArchiveError> {
    const { entry, nameStart } = event
    passTo(nameStart)
    const hasItem = own !== undefined && starts[known] === nameStart
    const beside = starts[hasItem ? known + 1 : known] ?? last
    const said = hasItem ? nameStart + GoodbyeTable.sizeAt(own, slots[known] as number) : beside
    for (const at of said === beside ? [said] : [said, beside]) {
      if (!(yield* endsAt(entry.start, at))) continue
      decoder.jump(at, 1)
      return add(event, at, event)
    }
    open = event
  })

  let reachedTable = false
  for (let seen = 1; decoder.depth > 1 || (decoder.depth === 1 && decoder.position !== own?.start); seen++) {
    if (seen % TURN === 0) yield* Effect.yieldNow
    if (children.count === limits.directoryEntries) break
    const event: ForwardDecoder.Event | FormatError.FormatError = yield* next
    if (event instanceof FormatError.FormatError) {
      if (open === undefined) flaw(event, own === undefined)
      if (!resume()) break
    } else if (event._tag === "Leave") {
      if (decoder.depth === 1 && open !== undefined) {
        add(open, event.end)
        open = undefined
      } else if (decoder.depth === 0) {
        reachedTable = true
        end = event.start
      }
    } else if (open !== undefined) {
      // Inside a subfolder.
    } else if (event._tag === "Leaf") {
      add(event, event.entry.end, event)
    } else if (event._tag === "Bad" && !event.isFolder) {
      add(event, event.end)
    } else if (event._tag === "Bad") {
      open = event
    } else {
      yield* enter(event)
    }
  }
  if (open !== undefined) resume()

  const tail = {
    start: own?.start ?? (reachedTable ? end : Math.max(end, Math.min(decoder.position, last))),
    end: directory.bound,
    directoryStart: directory.start,
  }
  const table = GoodbyeEncoder.toTable(children, tail, directory.contentsStart)
  if (own !== undefined) findLost(own, table, flaw)
  return { ...table, flaws }
})

const noStarts = new Float64Array(0)
const noSlots = new Uint32Array(0)

/** The items of `own` that lead to no child of their own, and whether that is found without them. */
const findLost = (
  own: GoodbyeTable.Table,
  table: GoodbyeTable.Table,
  flaw: (error: FormatError.FormatError, loses: boolean, name: undefined, slot?: number) => void,
): void => {
  if (!own.ordered) flaw(FormatError.malformed("D8", own.start, "goodbye table out of order"), false, undefined)
  const used = new Uint8Array(own.count)
  for (const slot of GoodbyeTable.slotsInArchiveOrder(own)) used[slot] = 1
  for (let slot = 0; slot < own.count; slot++) {
    const start = GoodbyeTable.startAt(own, slot)
    const isThere = GoodbyeTable.hasStart(table, start)
    if (used[slot] === 1 && isThere) continue
    const position = GoodbyeTable.itemPosition(own, slot) + 8
    const error =
      GoodbyeTable.problemOf(own, slot) ??
      (isThere
        ? FormatError.malformed("D5", position, `two children at ${start}`)
        : FormatError.malformed("D4", position, `no child at ${start}, where an item leads`))
    flaw(error, !isFound(own, table, slot), undefined, slot)
  }
}

/** Whether there is a child of the item's hash, at its place or where no other item leads. */
const isFound = (own: GoodbyeTable.Table, table: GoodbyeTable.Table, slot: number): boolean => {
  const place = GoodbyeTable.startAt(own, slot)
  for (const found of GoodbyeTable.candidates(table, GoodbyeTable.hashAt(own, slot))) {
    const start = GoodbyeTable.startAt(table, found)
    if (start === place || !GoodbyeTable.hasStart(own, start)) return true
  }
  return false
}
