/**
 * The counting state of the lookup registry: nodes, each with the references that the kernel holds (delivered) and
 * those of replies under way (pending).
 *
 * A node is in the table as long as one of its counts is above zero. A walk of a large tree leaves every entry here,
 * so records are columns of numbers, about 75 bytes a node, and found through an open-addressing index.
 *
 * Not a service and not a policy: who counts what, and when, is the registry's business.
 */
import type * as Node from "./Node.ts"
import type * as NodeId from "./NodeId.ts"

const FREE = -1

export class LookupTable {
  private index = new Int32Array(256).fill(FREE)
  private capacity = 0
  private firstFree = FREE
  private used = 0

  private ids = new Float64Array(0)
  private parents = new Float64Array(0)
  private nameStarts = new Float64Array(0)
  private starts = new Float64Array(0)
  private bounds = new Float64Array(0)
  private contentsStarts = new Float64Array(0)
  private delivered = new Float64Array(0)
  private pending = new Int32Array(0)

  /** Number of nodes. */
  get size(): number {
    return this.used
  }

  /** The node with this id, or `undefined`. */
  get(id: NodeId.NodeId): Node.Node | undefined {
    const record = this.find(id)
    return record === FREE
      ? undefined
      : {
          id,
          parent: at(this.parents, record),
          nameStart: at(this.nameStarts, record),
          start: at(this.starts, record),
          bound: at(this.bounds, record),
          contentsStart: at(this.contentsStarts, record),
        }
  }

  /** References that the kernel holds on a node: 0 for one that is not in the table. */
  count(id: NodeId.NodeId): number {
    const record = this.find(id)
    return record === FREE ? 0 : at(this.delivered, record)
  }

  /** Ids of all nodes, in no particular order. */
  *keys(): Generator<NodeId.NodeId> {
    for (const record of this.index) if (record !== FREE) yield at(this.ids, record)
  }

  /** Adds a pending reference; the first one puts the node into the table. */
  retain(node: Node.Node): void {
    let record = this.find(node.id)
    if (record === FREE) record = this.insert(node)
    this.pending[record] = at(this.pending, record) + 1
  }

  /** Turns a pending reference into a delivered one. */
  deliver(id: NodeId.NodeId): void {
    const record = this.find(id)
    this.pending[record] = at(this.pending, record) - 1
    this.delivered[record] = at(this.delivered, record) + 1
  }

  /** Takes a pending reference back. True if that was the node's last. */
  release(id: NodeId.NodeId): boolean {
    const record = this.find(id)
    this.pending[record] = at(this.pending, record) - 1
    return this.dropUnreferenced(id, record)
  }

  /**
   * Takes `count` delivered references back. True if those were the node's last. The caller has made sure that there
   * are so many.
   */
  forget(id: NodeId.NodeId, count: number): boolean {
    const record = this.find(id)
    this.delivered[record] = at(this.delivered, record) - count
    return this.dropUnreferenced(id, record)
  }

  private dropUnreferenced(id: NodeId.NodeId, record: number): boolean {
    // An unknown id has no record: counting wrongly must not end in searching for ever.
    if (record === FREE || at(this.pending, record) + at(this.delivered, record) > 0) return false
    this.removeFromIndex(id)
    // Free records are chained through `parents`.
    this.parents[record] = this.firstFree
    this.firstFree = record
    this.used--
    return true
  }

  private insert(node: Node.Node): number {
    if (this.firstFree === FREE) this.grow()
    const record = this.firstFree
    this.firstFree = at(this.parents, record)
    this.ids[record] = node.id
    this.parents[record] = node.parent
    this.nameStarts[record] = node.nameStart
    this.starts[record] = node.start
    this.bounds[record] = node.bound
    this.contentsStarts[record] = node.contentsStart
    this.delivered[record] = 0
    this.pending[record] = 0
    this.used++
    if (this.used * 2 > this.index.length) this.rehash()
    else this.addToIndex(record)
    return record
  }

  private grow(): void {
    const before = this.capacity
    this.capacity = Math.max(64, Math.ceil(before * 1.5))
    this.ids = extend(this.ids, this.capacity)
    this.parents = extend(this.parents, this.capacity)
    this.nameStarts = extend(this.nameStarts, this.capacity)
    this.starts = extend(this.starts, this.capacity)
    this.bounds = extend(this.bounds, this.capacity)
    this.contentsStarts = extend(this.contentsStarts, this.capacity)
    this.delivered = extend(this.delivered, this.capacity)
    const pending = new Int32Array(this.capacity)
    pending.set(this.pending)
    this.pending = pending
    for (let record = before; record < this.capacity; record++) {
      this.parents[record] = record + 1 < this.capacity ? record + 1 : FREE
    }
    this.firstFree = before
  }

  private rehash(): void {
    this.index = new Int32Array(this.index.length * 2).fill(FREE)
    const free = new Set<number>()
    for (let record = this.firstFree; record !== FREE; record = at(this.parents, record)) free.add(record)
    for (let record = 0; record < this.capacity; record++) if (!free.has(record)) this.addToIndex(record)
  }

  private find(id: NodeId.NodeId): number {
    const mask = this.index.length - 1
    for (let slot = hash(id) & mask; ; slot = (slot + 1) & mask) {
      const record = this.index[slot] as number
      if (record === FREE || this.ids[record] === id) return record
    }
  }

  private addToIndex(record: number): void {
    const mask = this.index.length - 1
    let slot = hash(at(this.ids, record)) & mask
    while (this.index[slot] !== FREE) slot = (slot + 1) & mask
    this.index[slot] = record
  }

  private removeFromIndex(id: NodeId.NodeId): void {
    const mask = this.index.length - 1
    let hole = hash(id) & mask
    while (at(this.ids, this.index[hole] as number) !== id) hole = (hole + 1) & mask
    // Entries behind the hole that could have stood in it move up, so that searches need no tombstones.
    for (let slot = (hole + 1) & mask; this.index[slot] !== FREE; slot = (slot + 1) & mask) {
      const home = hash(at(this.ids, this.index[slot] as number)) & mask
      if (((slot - home) & mask) >= ((slot - hole) & mask)) {
        this.index[hole] = this.index[slot] as number
        hole = slot
      }
    }
    this.index[hole] = FREE
  }
}

const at = (column: Float64Array | Int32Array, record: number): number => column[record] as number

const extend = (column: Float64Array, capacity: number): Float64Array<ArrayBuffer> => {
  const longer = new Float64Array(capacity)
  longer.set(column)
  return longer
}

/** Ids are offsets, close together: multiplying spreads them. */
const hash = (id: NodeId.NodeId): number => {
  const positive = Math.abs(id)
  const mixed =
    Math.imul((positive % 0x1_0000_0000) | 0, 0x9e37_79b1) ^ Math.imul((positive / 0x1_0000_0000) | 0, 0x85eb_ca6b)
  return mixed ^ (mixed >>> 15)
}
