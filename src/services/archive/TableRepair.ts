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
import * as EntryDecoder from "../../domain/pxar/EntryDecoder.ts"
import * as FormatError from "../../domain/pxar/FormatError.ts"
import * as ForwardDecoder from "../../domain/pxar/ForwardDecoder.ts"
import * as GoodbyeEncoder from "../../domain/pxar/GoodbyeEncoder.ts"
import * as GoodbyeTable from "../../domain/pxar/GoodbyeTable.ts"
import type { Limits } from "../../domain/pxar/Limits.ts"
import type * as Node from "../../domain/pxar/Node.ts"
import type { Hash } from "../../domain/pxar/SipHash.ts"
import { type ArchiveError, LOST } from "./ArchiveError.ts"
import type { BlockCache } from "./BlockCache.ts"
import * as SameNames from "./SameNames.ts"
import * as TableMatch from "./TableMatch.ts"
import { TURN } from "./Turns.ts"
import * as Turns from "./Turns.ts"

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

/** So many places behind a folder are tried for its end. */
const MAX_SIBLINGS = 8

/** A child, with or without a name that can be read. */
type Named = Pick<ForwardDecoder.Bad, "name" | "nameStart">

/** A subfolder whose end is looked for. */
interface Open {
  readonly folder: Named
  /** It ends here at the latest. */
  readonly limit: number
}

/** Why a directory's own table cannot be read. */
export interface Lost {
  readonly reason: FormatError.FormatError
  /** Where it should be, if its tail says that. */
  readonly start: number | undefined
}

/** The table of `directory`, whose own is `own`, or is lost. */
export const repair = Effect.fnUntraced(function* (
  { blocks, hash, limits, version }: Options,
  directory: Node.Node,
  own: GoodbyeTable.Table | undefined,
  lost?: Lost,
): Effect.fn.Return<Repaired, ArchiveError> {
  /** No child reaches beyond this. */
  const last = own?.start ?? directory.bound - GoodbyeTable.MIN_SIZE
  const flaws: Array<Flaw> = []
  const flaw = (error: FormatError.FormatError, loses: boolean, name?: Uint8Array, slot?: number): void => {
    const hash = slot === undefined || own === undefined ? undefined : GoodbyeTable.hashAt(own, slot)
    if (flaws.length < MAX_FLAWS) flaws.push({ error, name, loses, hash })
  }
  if (lost !== undefined) flaw(lost.reason, false)
  const slots = own === undefined ? noSlots : yield* Turns.run(() => GoodbyeTable.slotsInArchiveOrder(own))
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
    Effect.catch(
      blocks.decode({
        position: decoder.position,
        extent: 0,
        decode: (window, begun): ForwardDecoder.Event | FormatError.FormatError => {
          try {
            return decoder.next(window, begun)
          } catch (thrown) {
            if (thrown instanceof FormatError.FormatError) return thrown
            throw thrown
          }
        },
      }),
      (error) =>
        error.check === LOST
          ? Effect.succeed(FormatError.malformed("H6", error.offset, error.detail))
          : Effect.fail(error),
    ),
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
  const add = ({ name, nameStart }: Named, to: number, child?: Child): void => {
    end = to
    passTo(nameStart)
    const slot = starts[known] === nameStart ? slots[known] : undefined
    // A name that cannot be read is that of its item, as far as is known.
    const said = own === undefined || slot === undefined ? undefined : GoodbyeTable.hashAt(own, slot)
    const hashed = name === undefined ? (said ?? hash(Bytes.empty)) : hash(name)
    GoodbyeEncoder.addChild(children, hashed, nameStart, to - nameStart)
    if (own === undefined || slot === undefined || child === undefined) return
    const compared = FormatError.capture(() => GoodbyeTable.checkChild(own, slot, child, to, hashed))
    if (Result.isFailure(compared)) flaw(compared.failure as FormatError.FormatError, false, name)
  }

  /** Goes on behind `decoder.position`, at the next place to which an item leads; `false` if there is none. */
  const resume = (): boolean => {
    passTo(decoder.position + 1)
    const start = starts[known]
    if (start !== undefined) decoder.jump(start, 1)
    return start !== undefined
  }

  /** Ends the subfolder that is open, at `to` or where it must have ended. */
  const close = ({ folder, limit }: Open, to: number): void => {
    open = undefined
    if (to > limit || decoder.depth > 1) decoder.jump(limit, 1)
    add(folder, Math.min(to, limit))
  }

  /** The first place between two others where a child begins that is what its item says. */
  const firstGenuine = Effect.fnUntraced(function* (
    from: number,
    to: number,
  ): Effect.fn.Return<number | undefined, ArchiveError> {
    if (own === undefined) return undefined
    passTo(from)
    for (let rank = known; (starts[rank] ?? to) < to; rank++) {
      const start = starts[rank] as number
      if (start === from) continue
      const name = yield* nameOf(start)
      if (name !== undefined && isSame(hash(name), GoodbyeTable.hashAt(own, slots[rank] as number))) return start
    }
    return undefined
  })

  /** A child that is no folder. One that reaches into a sibling is cut there. */
  const leaf = Effect.fnUntraced(function* (
    event: ForwardDecoder.Leaf | ForwardDecoder.Bad,
    to: number,
  ): Effect.fn.Return<void, ArchiveError> {
    const sibling = yield* firstGenuine(event.nameStart, to)
    if (sibling !== undefined) decoder.jump(sibling, 1)
    add(event, sibling ?? to, event._tag === "Leaf" && sibling === undefined ? event : undefined)
  })

  /** A folder ends where its item and the next one say; else where any says, if its tail is there; else it is read. */
  const folder = Effect.fnUntraced(function* (
    event: ForwardDecoder.Enter | ForwardDecoder.Bad,
    start: number,
  ): Effect.fn.Return<void, ArchiveError> {
    const { nameStart } = event
    passTo(nameStart)
    const hasItem = starts[known] === nameStart
    const beside = starts[hasItem ? known + 1 : known] ?? last
    const said = own && hasItem ? nameStart + GoodbyeTable.sizeAt(own, slots[known] as number) : beside
    let to = hasItem && said === beside ? said : undefined
    const from = hasItem ? known + 1 : known
    for (const at of [said, ...starts.subarray(from, from + MAX_SIBLINGS), last]) {
      if (to === undefined && (yield* endsAt(start, at))) to = at
    }
    if (to === undefined) {
      open = { folder: event, limit: (yield* firstGenuine(nameStart, last)) ?? last }
      return
    }
    decoder.jump(to, 1)
    add(event, to, event._tag === "Enter" ? event : undefined)
  })

  /** What to make of a place where nothing can be decoded. */
  const stop = Effect.fnUntraced(function* (error: FormatError.FormatError): Effect.fn.Return<void, ArchiveError> {
    const { position } = decoder
    passTo(position)
    // A child that an item leads to is there, and says itself what is wrong with it.
    if (starts[known] !== position) return flaw(error, own === undefined)
    const name = yield* nameOf(position)
    add({ name, nameStart: position }, starts[known + 1] ?? last)
  })

  const nameOf = (start: number): Effect.Effect<Uint8Array | undefined, ArchiveError> =>
    Effect.matchEffect(
      blocks.decode({
        position: start,
        extent: 0,
        decode: (window) => EntryDecoder.readName(window, start, last).name,
      }),
      {
        onFailure: (error) => (error.kind === "IO" ? Effect.fail(error) : Effect.undefined),
        onSuccess: (name) => Effect.succeed(name),
      },
    )

  /** The child at a place to which an item leads, if it is what that says and ends before the next one. */
  const readAt = (nameStart: number, bound: number): Effect.Effect<Child | undefined, ArchiveError> =>
    Effect.matchEffect(
      blocks.decode({
        position: nameStart,
        extent: bound - nameStart,
        decode: (window, begun) => EntryDecoder.readChild(window, nameStart, bound, version, limits, false, begun),
      }),
      {
        onFailure: (error) => (error.kind === "IO" ? Effect.fail(error) : Effect.undefined),
        onSuccess: (child) => {
          const isIt = own !== undefined && isSame(hash(child.name), GoodbyeTable.hashAt(own, slots[known] as number))
          return Effect.succeed(isIt ? child : undefined)
        },
      },
    )

  /** Takes the child at the decoder's position as its item says; `false` if that is not possible. */
  const takeByItem = Effect.fnUntraced(function* (): Effect.fn.Return<boolean, ArchiveError> {
    passTo(decoder.position)
    if (starts[known] !== decoder.position) return false
    const child = yield* readAt(decoder.position, starts[known + 1] ?? last)
    if (child === undefined) return false
    const { entry } = child
    if (entry._tag === "Entry" && entry.body._tag === "Directory") {
      yield* folder({ _tag: "Enter", name: child.name, nameStart: child.nameStart, entry }, entry.start)
    } else {
      decoder.jump(entry.end, 1)
      add(child, entry.end, child)
    }
    return true
  })

  let reachedTable = false
  for (let seen = 1; decoder.depth > 1 || (decoder.depth === 1 && decoder.position !== own?.start); seen++) {
    if (seen % TURN === 0) yield* Effect.yieldNow
    if (children.count === limits.directoryEntries) break
    if (own !== undefined && open === undefined && (yield* takeByItem())) continue
    const { position } = decoder
    let event: ForwardDecoder.Event | FormatError.FormatError = yield* next
    if (event._tag === "Leave" && decoder.depth === 0 && own !== undefined) {
      decoder.jump(position, 1)
      event = FormatError.malformed("H4", position, "GOODBYE item in place of a child")
    }
    if (event instanceof FormatError.FormatError) {
      if (open !== undefined) close(open, Infinity)
      else if (decoder.position === lost?.start) break
      else {
        yield* stop(event)
        if (!resume()) break
      }
    } else if (event._tag === "Leave") {
      if (decoder.depth === 1 && open !== undefined) close(open, event.end)
      else if (decoder.depth === 0) {
        reachedTable = true
        end = event.start
      }
    } else if (open !== undefined) {
      // Inside a subfolder.
    } else if (event._tag === "Leaf") {
      yield* leaf(event, event.entry.end)
    } else if (event._tag === "Enter") {
      yield* folder(event, event.entry.start)
    } else {
      yield* event.isFolder ? folder(event, event.start) : leaf(event, event.end)
    }
  }

  const tail = {
    start: own?.start ?? (reachedTable ? end : Math.max(end, Math.min(decoder.position, last))),
    end: directory.bound,
    directoryStart: directory.start,
  }
  const claimed = own === undefined ? children : yield* TableMatch.match(own, slots, children, tail, flaw)
  /** The slot of a child whose name is that of its item: another, which took its name later, does not hide it. */
  const slotOf = (start: number, hashed: Hash): number => {
    const rank = own === undefined ? undefined : GoodbyeTable.rankAt(own, start)
    const slot = rank === undefined ? undefined : slots[rank]
    if (own === undefined || slot === undefined) return Infinity
    return isSame(hashed, GoodbyeTable.hashAt(own, slot)) ? slot : Infinity
  }
  const shown = yield* SameNames.hide(claimed, slotOf, nameOf, (name) =>
    flaw(FormatError.malformed("D9", directory.bound, "a second entry of one name, hidden by the first"), true, name),
  )
  const table = yield* Turns.run(() => GoodbyeEncoder.toTable(shown, tail, directory.contentsStart))
  return { ...table, flaws }
})

const isSame = (a: Hash, b: Hash): boolean => a.high === b.high && a.low === b.low

const noStarts = new Float64Array(0)
const noSlots = new Uint32Array(0)
