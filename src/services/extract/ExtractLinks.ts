/**
 * Which files an extraction has written, or left as they are, so that hard links lead to these and to nothing else.
 *
 * Any file can be the target of a link that comes later, so all are remembered, in 16 bytes each: files come in the
 * order of the archive, and those of a folder, for the most part, one after the other. Names are not kept: the archive
 * has them.
 *
 * Links lead to files of their own archive. Where a tree has several, each is extracted whole before the next.
 */
import { partitionPoint } from "../../domain/PartitionPoint.ts"
import type { Folder } from "./Folder.ts"
import type { Identity } from "./Identity.ts"

/** A file that was written in this run, or was there as it is in the archive. */
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
  /** Number of the archive whose files these are, in a tree of many. */
  private archive: number | undefined
  private count = 0
  /** Positions of FILENAME headers, ascending. */
  private positions = new Float64Array(INITIAL_CAPACITY)
  /** Lower and upper half of the inode number, by turns. */
  private inodes = new Uint32Array(2 * INITIAL_CAPACITY)
  private runs: Array<Run> = []
  private readonly moved = new Map<number, Written>()

  /** What follows is of this archive; files of another one are forgotten. */
  enter(archive: number | undefined): void {
    if (archive === this.archive) return
    this.archive = archive
    this.count = 0
    this.runs = []
    this.moved.clear()
  }

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
    return { folder: run.folder, identity, name: undefined }
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

/** The last of `count` ascending values that is not greater than `wanted`; -1 if there is none. */
const lastAtMost = (count: number, valueAt: (index: number) => number, wanted: number): number =>
  partitionPoint(count, (at) => valueAt(at) <= wanted) - 1
