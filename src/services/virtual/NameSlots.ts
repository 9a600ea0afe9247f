/**
 * The names that a folder has or has had, each in a slot of its own for ever: what comes is added, what goes leaves its slot
 * behind. So a listing that is under way when something appears or goes misses nothing else and tells nothing twice.
 */
import * as Bytes from "../../domain/Bytes.ts"
import type { Item } from "./VirtualItem.ts"

/** A name in a folder. */
export interface Slot<A> {
  readonly name: Uint8Array
  item: Item
  /** Whether it is there. */
  isPresent: boolean
  /** What is kept of the item for as long as it is the same. */
  known: A | undefined
}

/** The names of one folder. */
export class NameSlots<A> {
  /** In the order in which they were seen first. */
  readonly all: Array<Slot<A>> = []
  private readonly byName = new Map<string, Slot<A>>()

  /** What is in the folder now. */
  update(items: ReadonlyArray<Item>): void {
    for (const slot of this.all) slot.isPresent = false
    for (const item of items) {
      const name = Bytes.fromText(item.name)
      const key = Bytes.toKey(name)
      const slot = this.byName.get(key)
      if (slot === undefined) {
        const made: Slot<A> = { name, item, isPresent: true, known: undefined }
        this.byName.set(key, made)
        this.all.push(made)
        continue
      }
      slot.isPresent = true
      if (slot.item.version === item.version) continue
      slot.item = item
      slot.known = undefined
    }
  }

  /** The slot of a name that is there. */
  find(name: Uint8Array): Slot<A> | undefined {
    const slot = this.byName.get(Bytes.toKey(name))
    return slot?.isPresent === true ? slot : undefined
  }
}
