/**
 * Which files a reader will read next, with their contents: those that are worth storing in the kernel's page cache before its
 * READ is answered (fuse-protocol §9).
 *
 * A reader that reads the files of a folder one after the other, in the order of the archive, gets more and more of those
 * that follow. It stops where a stored file is read all the same, and where stored files are never reached; the next try then
 * takes twice as many files in order. Only one reader is served: while there are others nothing is stored.
 *
 * It chooses only files whose nodes the kernel holds and whose bytes are at hand; nothing waits. `Stores` says how much.
 */
import type * as Node from "../../domain/pxar/Node.ts"
import * as NodeId from "../../domain/pxar/NodeId.ts"
import type { AtHand } from "../../services/archive/AtHand.ts"
import type * as LookupRegistry from "../../services/LookupRegistry.ts"
import { MAX_MESSAGES, Stores } from "../wire/Stores.ts"

/** The largest file that is stored, in bytes: what the kernel's first READ of a file asks for. */
export const MAX_FILE: number = 64 * 1024
/** READs of one process in a row after which it counts as the only reader. Fewer do not pay for beginning, which costs 40 ms. */
export const ALONE = 1000
/** Entries that a reader in order may leave out: links, empty files, what it does not want. */
const GAP = 8
/** Files stored at first; twice as many each time that they were wanted. */
const FIRST_FILES = 8
/** Fewer are not worth a thread. */
const MIN_FILES = 2
/** Files in order that must have been read before the first are stored, at least and at most. */
const LEAST_PATIENCE = 2
const MOST_PATIENCE = 1024
/** So many folders may be filled to their end before it is seen whether such files are wanted. */
const UNSEEN = 3

/** No folder has this id. */
const NONE = 0

export class NextFiles {
  private readonly atHand: AtHand
  private readonly registry: Pick<LookupRegistry.LookupRegistry, "find">
  private readonly stores = new Stores()
  /** Who read last, and how often in a row. */
  private reader = 0
  private alone = 0
  private readonly needed: number
  /** The folder read last, what comes next there, and files read in order. */
  private folder: number = NONE
  private next = 0
  private inOrder = 0
  /** Files to store; 0 while the reader is watched. */
  private files = 0
  private patience = LEAST_PATIENCE
  /** What was stored last: children of a folder, from the first to before the last. */
  private filled: number = NONE
  private from = 0
  private to = 0
  /** Folders filled to their end since it was last seen that what is stored is wanted. */
  private unseen = 0
  /** A file left out to see whether its reader comes that far. */
  private probed: number = NONE
  private probe = 0

  /** `needed` are the READs in a row, `ALONE` unless given. */
  constructor(atHand: AtHand, registry: Pick<LookupRegistry.LookupRegistry, "find">, needed: number = ALONE) {
    this.needed = needed
    this.atHand = atHand
    this.registry = registry
  }

  /** A process reads: to be called for each READ, in any case. 0 is one that the kernel cannot name, and may be any number. */
  sees(pid: number): void {
    this.alone = pid === this.reader && pid !== 0 ? this.alone + 1 : 0
    this.reader = pid
  }

  /**
   * What to store before the READ seen last is answered, which is one from `offset` on of the file found last in `atHand`;
   * `undefined` for nothing. It is valid until the next call.
   */
  after(id: NodeId.NodeId, offset: number): Stores | undefined {
    if (offset !== 0) return undefined
    const { atHand, registry } = this
    const { size } = atHand.scan
    const node = registry.find(id)
    const parent = node && registry.find(node.parent)
    const count = parent === undefined ? -1 : atHand.enter(parent)
    if (node === undefined || parent === undefined || count < 0) return undefined
    const index = atHand.indexOf(node.nameStart)
    if (!this.judge(parent, index, size)) return undefined
    const isSame = this.folder === parent.id
    const isNext = isSame && index >= this.next && index <= this.next + GAP
    this.folder = parent.id
    this.next = index + 1
    if (isNext) this.inOrder++
    else if (isSame) this.stop()
    if (this.files === 0) {
      if (this.inOrder < this.patience) return undefined
      this.files = FIRST_FILES
    } else if (!isNext && !this.isFirst(index)) return undefined
    return this.alone < this.needed ? undefined : this.fill(parent, index + 1, count)
  }

  /** What a READ says of what was stored. False for a file among it that was too large to be stored. */
  private judge({ id }: Node.Node, index: number, size: number): boolean {
    if (this.probed === id && this.probe === index) this.succeed()
    else if (this.filled === id && index >= this.from) {
      if (index >= this.to) {
        this.filled = NONE
        if (index <= this.to + GAP) this.succeed()
      } else {
        if (size > MAX_FILE) return false
        this.fail()
      }
    }
    return true
  }

  private succeed(): void {
    this.unseen = 0
    this.probed = NONE
    this.files = Math.min(MAX_MESSAGES, this.files * 2)
    this.patience = Math.max(LEAST_PATIENCE, this.patience / 2)
  }

  private fail(): void {
    this.stop()
    this.unseen = 0
    this.filled = NONE
    this.probed = NONE
    this.patience = Math.min(MOST_PATIENCE, this.patience * 2)
  }

  private stop(): void {
    this.files = 0
    this.inOrder = 0
  }

  /** Whether a reader in order begins with this child: it is the folder's first, or comes behind a folder. */
  private isFirst(index: number): boolean {
    return index === 0 || (this.atHand.child(index - 1) && this.atHand.scan.isFolder)
  }

  /** Takes the files from a child of the folder entered last on, up to the next folder, which is read before what follows it. */
  private fill(folder: Node.Node, from: number, count: number): Stores | undefined {
    const { atHand, files, registry, stores } = this
    const { scan } = atHand
    stores.clear()
    let index = from
    let last = from
    let isWhole = false
    for (; stores.count < files; index++) {
      isWhole = index === count
      if (isWhole || !atHand.child(index)) break
      isWhole = scan.isFolder
      if (isWhole) break
      const { size } = scan
      if (!scan.isFile || size === 0 || size > MAX_FILE) continue
      const id = NodeId.ofEntry(scan.start)
      const target = registry.find(id) && stores.add(id, size)
      if (target === undefined) break
      if (!atHand.content(0, target)) {
        stores.drop()
        break
      }
      last = index
    }
    if (isWhole && this.unseen >= UNSEEN && stores.count > MIN_FILES) {
      if (this.probed !== NONE) {
        this.fail()
        return undefined
      }
      stores.drop()
      this.probed = folder.id
      this.probe = last
      index = last
    }
    if (stores.count < MIN_FILES) return undefined
    if (isWhole) this.unseen++
    this.filled = folder.id
    this.from = from
    this.to = index
    this.next = index
    return stores
  }
}
