/**
 * Files of a folder that have what most files have, and nothing else: no attributes, no second name. They are compared as
 * numbers, at once, without an object for each. Whatever else there is, and what differs, is looked at as `Item`s.
 */

/** What a plain file has. The same object tells one file after the other. */
export interface PlainFile {
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Halves of the seconds since the epoch. */
  readonly mtimeLow: number
  readonly mtimeHigh: number
  readonly mtimeNanos: number
  /** Bytes. */
  readonly size: number
}

/** The entries of a listing, by their numbers, as plain files. */
export interface PlainFiles {
  /** Whether flags can be told: of a plain file they are not among what is. Two such trees are not compared so. */
  readonly hasFlags: boolean
  /** The entry number `index`, if it is a plain file and at hand: `leave` is then to be called before the next one. */
  readonly look: (index: number) => PlainFile | undefined
  /** Fills `target` with the first bytes of the file that was looked at last. False if they are not at hand. */
  readonly read: (target: Uint8Array) => boolean
  readonly leave: () => void
}

/** Largest content that is compared so, in bytes: plain system calls read it. */
const MAX_SIZE = 256 * 1024

/** Compares two such files, with memory of its own. */
export class PlainCompare {
  private readonly data: boolean
  private ours: Uint8Array | undefined
  private theirs: Uint8Array | undefined

  /** Contents are compared if `data` says so. */
  constructor(data: boolean) {
    this.data = data
  }

  /** The bytes of contents that were compared if two entries are plain files and the same; −1 if that is not known. */
  same(left: PlainFiles, leftIndex: number, right: PlainFiles, rightIndex: number): number {
    const ours = left.look(leftIndex)
    if (ours === undefined) return -1
    const theirs = right.look(rightIndex)
    const compared = theirs === undefined ? -1 : this.compare(left, ours, right, theirs)
    if (theirs !== undefined) right.leave()
    left.leave()
    return compared
  }

  private compare(left: PlainFiles, ours: PlainFile, right: PlainFiles, theirs: PlainFile): number {
    const { size } = ours
    const areAlike =
      size === theirs.size &&
      ours.mode === theirs.mode &&
      ours.uid === theirs.uid &&
      ours.gid === theirs.gid &&
      ours.mtimeLow === theirs.mtimeLow &&
      ours.mtimeHigh === theirs.mtimeHigh &&
      ours.mtimeNanos === theirs.mtimeNanos
    if (!areAlike) return -1
    if (!this.data || size === 0) return 0
    if (size > MAX_SIZE) return -1
    const a = (this.ours ??= new Uint8Array(MAX_SIZE)).subarray(0, size)
    const b = (this.theirs ??= new Uint8Array(MAX_SIZE)).subarray(0, size)
    return left.read(a) && right.read(b) && Buffer.compare(a, b) === 0 ? size : -1
  }
}
