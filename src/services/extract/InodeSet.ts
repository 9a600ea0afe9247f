/**
 * A set of inode numbers of one file system, in 16 to 32 bytes each.
 */
import type { Identity } from "./Identity.ts"

const INITIAL_SLOTS = 64

export class InodeSet {
  private size = 0
  /** Lower and upper half by turns, one pair a slot; a pair of zeros is an empty slot: no file has the number 0. */
  private slots = new Uint32Array(2 * INITIAL_SLOTS)

  add({ inodeHigh, inodeLow }: Identity): void {
    const at = this.find(inodeLow, inodeHigh)
    if (this.isUsed(at)) return
    this.slots[at] = inodeLow
    this.slots[at + 1] = inodeHigh
    if (4 * ++this.size > this.slots.length) this.grow()
  }

  has({ inodeHigh, inodeLow }: Identity): boolean {
    return this.isUsed(this.find(inodeLow, inodeHigh))
  }

  private isUsed(at: number): boolean {
    return this.slots[at] !== 0 || this.slots[at + 1] !== 0
  }

  /** Where a number is, or would be. */
  private find(low: number, high: number): number {
    const mask = this.slots.length / 2 - 1
    let slot = (Math.imul(low ^ Math.imul(high, 0x85eb_ca6b), 0x9e37_79b1) >>> 7) & mask
    while (this.isUsed(2 * slot) && (this.slots[2 * slot] !== low || this.slots[2 * slot + 1] !== high)) {
      slot = (slot + 1) & mask
    }
    return 2 * slot
  }

  private grow(): void {
    const before = this.slots
    this.slots = new Uint32Array(2 * before.length)
    for (let at = 0; at < before.length; at += 2) {
      const [low, high] = [before[at] as number, before[at + 1] as number]
      if (low === 0 && high === 0) continue
      const free = this.find(low, high)
      this.slots[free] = low
      this.slots[free + 1] = high
    }
  }
}
