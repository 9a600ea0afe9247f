/**
 * Finding a name among the children that have its hash (§3.6).
 *
 * Names are compared in the order of the format, so that the first of several equal ones is found. However many children
 * share a hash, their names are read once: what was found first of each is remembered with the folder's table.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Bytes from "../../domain/Bytes.ts"
import * as GoodbyeTable from "../../domain/pxar/GoodbyeTable.ts"
import * as SipHash from "../../domain/pxar/SipHash.ts"
import type * as ArchiveError from "./ArchiveError.ts"
import type { ArchiveParts } from "./ArchiveParts.ts"
import type { Read } from "./ArchiveTree.ts"
import type { BlockCache } from "./BlockCache.ts"
import type { FolderTable } from "./FolderTable.ts"
import { TURN } from "./Turns.ts"

/** What a search reads with. */
export interface Members {
  readonly blocks: BlockCache
  readonly parts: ArchiveParts
  /** The hash of goodbye tables. */
  readonly hash: (name: Uint8Array) => SipHash.Hash
}

/** Gives the slot of a folder's table in which a name is found first; `undefined` if there is no such name. */
export const make = ({
  blocks,
  hash,
  parts,
}: Members): ((folder: FolderTable, name: Uint8Array) => Read<number | undefined>) => {
  /** Goes through the names of many children with one hash, once. */
  const goThrough = Effect.fnUntraced(function* (
    folder: FolderTable,
    wanted: SipHash.Hash,
  ): Effect.fn.Return<ReadonlyArray<number>, ArchiveError.ArchiveError> {
    const firsts: Array<number> = []
    const names = new Set<string>()
    let unreadable = false
    let seen = 0
    for (const slot of GoodbyeTable.candidates(folder.table, wanted)) {
      if (++seen % TURN === 0) yield* Effect.yieldNow
      const stored = yield* Effect.result(blocks.decode(parts.nameInSlot(folder.table, slot)))
      if (Result.isFailure(stored)) {
        if (stored.failure.kind === "IO") return yield* stored.failure
        if (!unreadable) firsts.push(slot)
        unreadable = true
        continue
      }
      // A name with another hash than its slot's (D8) is never what is looked for.
      const key = Bytes.toKey(stored.success)
      if (names.has(key) || SipHash.compare(hash(stored.success), wanted) !== 0) continue
      names.add(key)
      firsts.push(slot)
    }
    folder.remember(wanted, firsts)
    return firsts
  })

  /**
   * The slot in which `name` is found first (§3.6). A candidate whose very name cannot be read does not hide the
   * others; if none of them is it, that one could have been, so that the name is not known to be absent.
   */
  const findSlot = Effect.fnUntraced(function* (
    folder: FolderTable,
    name: Uint8Array,
  ): Effect.fn.Return<number | undefined, ArchiveError.ArchiveError> {
    const wanted = hash(name)
    let unreadable: ArchiveError.ArchiveError | undefined
    for (const slot of folder.contenders(wanted) ?? (yield* goThrough(folder, wanted))) {
      const stored = yield* Effect.result(blocks.decode(parts.nameInSlot(folder.table, slot)))
      if (Result.isFailure(stored)) {
        if (stored.failure.kind === "IO") return yield* stored.failure
        unreadable ??= stored.failure
      } else if (Bytes.equals(stored.success, name)) {
        return slot
      }
    }
    return unreadable === undefined ? undefined : yield* unreadable
  })

  return findSlot
}
