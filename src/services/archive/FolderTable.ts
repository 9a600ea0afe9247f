/**
 * The goodbye table of a directory that is in use, with what is worked out from it when it is first needed: the order of
 * its children in the archive, and which of many children with one hash stand for a name of their own.
 *
 * Memory is 4 bytes a child for the order, and a record for each hash that more than `FEW` children have.
 */
import * as GoodbyeTable from "../../domain/pxar/GoodbyeTable.ts"
import type { Hash } from "../../domain/pxar/SipHash.ts"

/** So many children with one hash are looked at one by one each time. */
const FEW = 16

export class FolderTable {
  readonly table: GoodbyeTable.Table
  private order: Uint32Array | undefined
  private readonly firsts = new Map<string, ReadonlyArray<number>>()

  constructor(table: GoodbyeTable.Table) {
    this.table = table
  }

  /** The end of the directory. */
  get end(): number {
    return this.table.end
  }

  /** Number of children. */
  get count(): number {
    return this.table.count
  }

  /** The slot of the child number `index` in the order of the archive. */
  slotAt(index: number): number {
    this.order ??= GoodbyeTable.slotsInArchiveOrder(this.table)
    return this.order[index] as number
  }

  /**
   * The slots in which a name with this hash can be found first, in the order of §3.6; `undefined` if there are many that
   * have not been gone through yet: `remember` then takes what is left of them.
   */
  contenders(hash: Hash): ReadonlyArray<number> | undefined {
    if (!this.table.hasEqualHashes) {
      const slot = GoodbyeTable.slotOf(this.table, hash)
      return slot === undefined ? none : [slot]
    }
    const known = this.firsts.get(keyOf(hash))
    if (known !== undefined) return known
    const slots: Array<number> = []
    for (const slot of GoodbyeTable.candidates(this.table, hash)) {
      if (slots.length === FEW) return undefined
      slots.push(slot)
    }
    return slots
  }

  /** Remembers which of all the slots with a hash are worth looking at. */
  remember(hash: Hash, firsts: ReadonlyArray<number>): void {
    this.firsts.set(keyOf(hash), firsts)
  }
}

const none: ReadonlyArray<number> = []

const keyOf = ({ high, low }: Hash): string => `${high}:${low}`
