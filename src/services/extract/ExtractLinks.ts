/**
 * Which files an extraction has written, so that hard links lead to these and to nothing else.
 *
 * Any file can be the target of a link that comes later, so all are remembered, in 16 bytes each: files come in the
 * order of the archive, and those of a folder, for the most part, one after the other. Names are not kept: the archive
 * has them.
 */
import type { Folder, Identity } from "./ExtractFolders.ts"

/** A file that was written in this run. */
export interface Written {
  readonly folder: Folder
  readonly identity: Identity
  /** Where that is not the name in the archive: the name of a link that became a file of its own. */
  readonly name: Uint8Array | undefined
}

/** Files in a row that are in one folder, on one device. */
interface Run {
  /** Number of the first. */
  readonly first: number
  readonly folder: Folder
  readonly device: number
}

const INITIAL_CAPACITY = 1024

export class ExtractLinks {
  private count = 0
  /** Positions of FILENAME headers, ascending. */
  private positions = new Float64Array(INITIAL_CAPACITY)
  /** Lower and upper half of the inode number, by turns. */
  private inodes = new Uint32Array(2 * INITIAL_CAPACITY)
  private readonly runs: Array<Run> = []
  private readonly moved = new Map<number, Written>()
  /** Their positions by inode number. */
  private readonly movedInodes = new Map<number, number>()
  /** For inode numbers that were given up how many files had been added by then: they can be in use again. */
  private readonly removed = new Map<number, number>()

  /** Remembers the file whose FILENAME header is at `position`, which is after those of all before. */
  add(position: number, folder: Folder, identity: Identity): void {
    if (this.count === this.positions.length) this.grow()
    const run = this.runs.at(-1)
    if (run === undefined || run.folder !== folder || run.device !== identity.device) {
      this.runs.push({ first: this.count, folder, device: identity.device })
    }
    this.positions[this.count] = position
    this.inodes[2 * this.count] = identity.inodeLow
    this.inodes[2 * this.count + 1] = identity.inodeHigh
    this.count++
  }

  /** Remembers that the file at `position` is to be found under another name from now on. */
  move(position: number, folder: Folder, name: Uint8Array, identity: Identity): void {
    this.moved.set(position, { folder, name, identity })
    this.movedInodes.set(inodeOf(identity), position)
  }

  /** Forgets a file that was removed, if it is one of this run. */
  remove(identity: Identity): void {
    const inode = inodeOf(identity)
    this.removed.set(inode, this.count)
    const position = this.movedInodes.get(inode)
    if (position === undefined) return
    this.moved.delete(position)
    this.movedInodes.delete(inode)
  }

  /** The file whose FILENAME header is at `position`, if it was written. */
  find(position: number): Written | undefined {
    const moved = this.moved.get(position)
    if (moved !== undefined) return moved
    const index = lastAtMost(this.count, (at) => this.positions[at] as number, position)
    if (index < 0 || this.positions[index] !== position) return undefined
    const run = this.runs[lastAtMost(this.runs.length, (at) => (this.runs[at] as Run).first, index)] as Run
    const identity = {
      device: run.device,
      inodeLow: this.inodes[2 * index] as number,
      inodeHigh: this.inodes[2 * index + 1] as number,
    }
    // Where two devices have the same number this costs a copy.
    const isRemoved = (this.removed.get(inodeOf(identity)) ?? 0) > index
    return isRemoved ? undefined : { folder: run.folder, identity, name: undefined }
  }

  private grow(): void {
    const positions = new Float64Array(2 * this.positions.length)
    positions.set(this.positions)
    this.positions = positions
    const inodes = new Uint32Array(2 * this.inodes.length)
    inodes.set(this.inodes)
    this.inodes = inodes
  }
}

const inodeOf = ({ inodeHigh, inodeLow }: Identity): number => inodeHigh * 0x1_0000_0000 + inodeLow

/** The last of `count` ascending values that is not greater than `wanted`; -1 if there is none. */
const lastAtMost = (count: number, valueAt: (index: number) => number, wanted: number): number => {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    if (valueAt(middle) <= wanted) low = middle + 1
    else high = middle
  }
  return low - 1
}
