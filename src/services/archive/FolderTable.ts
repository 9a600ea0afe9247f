/**
 * The goodbye table of a directory that is in use, with what is worked out from it when it is first needed: the order of
 * its children in the archive, and which of many children with one hash stand for a name of their own.
 *
 * Memory is 4 bytes a child for the order, and a record for each hash that more than `FEW` children have.
 */
import { partitionPoint } from "../../domain/PartitionPoint.ts"
import * as Work from "../../domain/Work.ts"
import * as GoodbyeTable from "../../domain/pxar/GoodbyeTable.ts"
import type { Hash } from "../../domain/pxar/SipHash.ts"
import type { Flaw } from "./TableRepair.ts"

/** So many children with one hash are looked at one by one each time. */
const FEW = 16

export class FolderTable {
  readonly table: GoodbyeTable.Table
  /** What was wrong with the directory's own table, if this one was made anew (see `TableRepair`). */
  readonly flaws: ReadonlyArray<Flaw> | undefined
  /** Those of the flaws that hide something. */
  readonly lost: ReadonlyArray<Flaw>
  private order: Uint32Array | undefined
  private readonly firsts = new Map<string, ReadonlyArray<number>>()

  constructor(table: GoodbyeTable.Table, flaws?: ReadonlyArray<Flaw>) {
    this.table = table
    this.flaws = flaws
    this.lost = flaws?.filter(({ loses }) => loses) ?? []
  }

  /** The end of the directory. */
  get end(): number {
    return this.table.end
  }

  /** Number of children, those that are lost counted. */
  get count(): number {
    return this.table.count + this.lost.length
  }

  /** The child with this hash that is lost. */
  lostOf({ high, low }: Hash): Flaw | undefined {
    return this.lost.find(({ hash }) => hash?.high === high && hash.low === low)
  }

  /** Whether it was made anew. */
  get isRepaired(): boolean {
    return this.flaws !== undefined
  }

  /** Number of the first child that begins at or behind `position`. */
  indexFrom(position: number): number {
    const { starts } = this.table
    return partitionPoint(starts.length, (at) => (starts[at] as number) < position)
  }

  /** Whether `slotAt` can be asked: a large folder is to be put in order before, which takes a while. */
  get isInOrder(): boolean {
    return this.order !== undefined || this.table.count <= Work.PIECE
  }

  /** Makes it so. */
  *putInOrder(): Work.Work<void> {
    this.order ??= yield* GoodbyeTable.slotsInArchiveOrder(this.table)
  }

  /** The slot of the child number `index` in the order of the archive. */
  slotAt(index: number): number {
    this.order ??= Work.finish(GoodbyeTable.slotsInArchiveOrder(this.table))
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
