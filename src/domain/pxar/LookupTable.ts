/**
 * The counting state of the lookup registry: nodes, each with the references that the kernel holds (delivered) and
 * those of replies under way (pending).
 *
 * A node is in the table as long as one of its counts is above zero. A walk of a large tree leaves every entry here,
 * so a record is 42 bytes in columns of numbers, in pieces that never move, and 5 to 11 bytes of an open-addressing
 * index; 4 more in a tree of many archives. What the columns have no room for (the root, the second name of a hard link)
 * is kept as it is.
 *
 * The ids that the kernel knows nodes by are those of their archive, or, in a tree of many, allotted: such an id is free
 * again when its node is dropped.
 *
 * Not a service and not a policy: who counts what, and when, is the registry's business.
 */
import type { Key, Node } from "./Node.ts"
import * as NodeId from "./NodeId.ts"

/** No record: an empty place of the index, the end of the list of free records. */
const NONE = -1

/** `pending` of a record that is free. */
const FREE = -1

/** Records of a piece. */
const PIECE_BITS = 14
const PIECE = 1 << PIECE_BITS

/** `contentsAhead` of a record whose node stands in `irregular`. */
const IRREGULAR = 0xffff_ffff

class Piece {
  readonly starts = new Float64Array(PIECE)
  readonly bounds = new Float64Array(PIECE)
  readonly parents = new Float64Array(PIECE)
  /** Bytes from the FILENAME header to the start of the entry. */
  readonly nameBack = new Uint16Array(PIECE)
  /** Bytes from the start of a directory to its contents; 0 for all but directories. */
  readonly contentsAhead = new Uint32Array(PIECE)
  readonly delivered = new Uint32Array(PIECE)
  readonly pending = new Int32Array(PIECE).fill(FREE)
  /** Number of the archive and 1, or 0 outside of all. */
  readonly archives: Uint32Array | undefined
  constructor(many: boolean) {
    this.archives = many ? new Uint32Array(PIECE) : undefined
  }
}

/** Where a node's id comes from: its archive, or this table. */
export type Ids = "own" | "allotted"

/** The first id that is allotted, to a folder or, negative, to anything else. */
const FIRST_ALLOTTED = 2

const TWO_32 = 0x1_0000_0000

/** A pending reference: the record of its node, which stays where it is as long as there is one. */
export type Pending = number

export class LookupTable {
  private index = new Int32Array(256).fill(NONE)
  private readonly pieces: Array<Piece> = []
  /** By record. */
  private readonly irregular = new Map<number, Node>()
  /** Free records are chained through `starts`. */
  private firstFree = NONE
  private used = 0
  /** By record: counts of delivered references, as far as they do not fit into the column. */
  private readonly overflow = new Map<number, number>()
  private readonly isAllotted: boolean

  constructor(ids: Ids = "own") {
    this.isAllotted = ids === "allotted"
  }

  /** Number of nodes. */
  get size(): number {
    return this.used
  }

  /** The node with this id, or `undefined`. */
  get(id: NodeId.NodeId): Node | undefined {
    const record = this.recordOf(id)
    return record === NONE ? undefined : this.nodeAt(record)
  }

  /** The node with this key, or `undefined`. */
  byKey(key: Key): Node | undefined {
    const record = this.find(key)
    return record === NONE ? undefined : this.nodeAt(record)
  }

  /** References that the kernel holds on a node: 0 for one that is not in the table. */
  count(id: NodeId.NodeId): number {
    const record = this.recordOf(id)
    return record === NONE ? 0 : this.countOf(record)
  }

  /** Ids of all nodes, in no particular order. */
  *keys(): Generator<NodeId.NodeId> {
    for (const record of this.index) if (record !== NONE) yield this.idOf(record)
  }

  /**
   * Adds a pending reference; the first one puts the node into the table. What it returns stands for the reference, until
   * that is delivered or released.
   */
  retain(node: Node): Pending {
    let record = this.find(node)
    if (record === NONE) record = this.insert(node)
    add(this.pieceOf(record).pending, record, 1)
    return record
  }

  /** The id of the node that a pending reference is to. */
  idOf(record: Pending): NodeId.NodeId {
    const own = this.ownId(record)
    if (!this.isAllotted || (own === NodeId.ROOT && this.archiveOf(record) === undefined)) return own
    return NodeId.isDirectory(own) ? record + FIRST_ALLOTTED : -(record + FIRST_ALLOTTED)
  }

  /** The node's id in its archive. */
  private ownId(record: number): NodeId.NodeId {
    const piece = this.pieceOf(record)
    const contentsAhead = at(piece.contentsAhead, record)
    if (contentsAhead === 0) return NodeId.ofEntry(at(piece.starts, record))
    return contentsAhead === IRREGULAR ? this.irregularAt(record).id : NodeId.ofDirectory(at(piece.bounds, record))
  }

  /** Turns a pending reference into a delivered one. */
  deliver(record: Pending): void {
    const { delivered, pending } = this.pieceOf(record)
    add(pending, record, -1)
    if (at(delivered, record) === 0xffff_ffff) this.overflow.set(record, (this.overflow.get(record) ?? 0) + TWO_32)
    // Wraps around: what does not fit is in `overflow`.
    add(delivered, record, 1)
  }

  private countOf(record: number): number {
    const count = at(this.pieceOf(record).delivered, record)
    return this.overflow.size === 0 ? count : count + (this.overflow.get(record) ?? 0)
  }

  /** Takes a pending reference back. True if that was the node's last. */
  release(record: Pending): boolean {
    add(this.pieceOf(record).pending, record, -1)
    return this.dropUnreferenced(record)
  }

  /**
   * Takes `count` delivered references back. True if those were the node's last. The caller has made sure that there
   * are so many.
   */
  forget(id: NodeId.NodeId, count: number): boolean {
    const record = this.recordOf(id)
    const left = this.countOf(record) - count
    this.pieceOf(record).delivered[record % PIECE] = left
    if (this.overflow.size > 0) {
      if (left < TWO_32) this.overflow.delete(record)
      else this.overflow.set(record, left - (left % TWO_32))
    }
    return this.dropUnreferenced(record)
  }

  private dropUnreferenced(record: number): boolean {
    const piece = this.pieceOf(record)
    if (at(piece.pending, record) + at(piece.delivered, record) > 0) return false
    this.removeFromIndex(record)
    this.irregular.delete(record)
    this.free(piece, record)
    this.used--
    return true
  }

  private free(piece: Piece, record: number): void {
    piece.pending[record % PIECE] = FREE
    piece.starts[record % PIECE] = this.firstFree
    this.firstFree = record
  }

  private insert(node: Node): number {
    if (this.firstFree === NONE) this.grow()
    const record = this.firstFree
    const piece = this.pieceOf(record)
    this.firstFree = at(piece.starts, record)
    const place = record % PIECE
    const regular = isRegular(node)
    piece.starts[place] = node.start
    piece.bounds[place] = node.bound
    piece.parents[place] = node.parent
    piece.nameBack[place] = node.start - node.nameStart
    piece.contentsAhead[place] = !regular ? IRREGULAR : node.contentsStart === 0 ? 0 : node.contentsStart - node.start
    piece.delivered[place] = 0
    piece.pending[place] = 0
    if (piece.archives !== undefined) piece.archives[place] = node.archive === undefined ? 0 : node.archive + 1
    if (!regular) this.irregular.set(record, node)
    this.used++
    if (this.used * 4 > this.index.length * 3) this.rehash()
    else this.addToIndex(record)
    return record
  }

  private nodeAt(record: number): Node {
    const piece = this.pieceOf(record)
    const contentsAhead = at(piece.contentsAhead, record)
    if (contentsAhead === IRREGULAR) return this.irregularAt(record)
    const start = at(piece.starts, record)
    const node: Node = {
      id: this.ownId(record),
      parent: at(piece.parents, record),
      nameStart: start - at(piece.nameBack, record),
      start,
      bound: at(piece.bounds, record),
      contentsStart: contentsAhead === 0 ? 0 : start + contentsAhead,
    }
    const archive = this.archiveOf(record)
    return archive === undefined ? node : { ...node, archive }
  }

  /** The archive that the node is in. */
  private archiveOf(record: number): number | undefined {
    const { archives } = this.pieceOf(record)
    if (archives === undefined) return undefined
    const number = at(archives, record)
    return number === 0 ? undefined : number - 1
  }

  private irregularAt(record: number): Node {
    return this.irregular.get(record) as Node
  }

  private pieceOf(record: number): Piece {
    const piece = this.pieces[record >> PIECE_BITS]
    // Counting wrongly must not go on as if nothing had happened.
    if (piece === undefined) throw new Error("reference to a node that is not in the table")
    return piece
  }

  private grow(): void {
    const first = this.pieces.length * PIECE
    const piece = new Piece(this.isAllotted)
    this.pieces.push(piece)
    for (let record = first + PIECE - 1; record >= first; record--) this.free(piece, record)
  }

  private rehash(): void {
    this.index = new Int32Array(this.index.length * 2).fill(NONE)
    for (const [number, piece] of this.pieces.entries()) {
      for (let place = 0; place < PIECE; place++) {
        const record = number * PIECE + place
        if (piece.pending[place] !== FREE) this.addToIndex(record)
      }
    }
  }

  /** The record of the node that the kernel knows by this id. */
  private recordOf(id: NodeId.NodeId): number {
    if (!this.isAllotted || id === NodeId.ROOT) return this.find({ id })
    const record = Math.abs(id) - FIRST_ALLOTTED
    const piece = this.pieces[record >> PIECE_BITS]
    const isThere = record >= 0 && piece !== undefined && at(piece.pending, record) !== FREE
    return isThere && this.idOf(record) === id ? record : NONE
  }

  private find({ archive, id }: Key): number {
    const mask = this.index.length - 1
    for (let slot = hash(id, archive) & mask; ; slot = (slot + 1) & mask) {
      const record = this.index[slot] as number
      if (record === NONE) return NONE
      if (this.ownId(record) === id && (!this.isAllotted || this.archiveOf(record) === archive)) return record
    }
  }

  /** Where the search for a record begins. */
  private homeOf(record: number): number {
    return hash(this.ownId(record), this.archiveOf(record)) & (this.index.length - 1)
  }

  private addToIndex(record: number): void {
    const mask = this.index.length - 1
    let slot = this.homeOf(record)
    while (this.index[slot] !== NONE) slot = (slot + 1) & mask
    this.index[slot] = record
  }

  private removeFromIndex(record: number): void {
    const mask = this.index.length - 1
    let hole = this.homeOf(record)
    while (this.index[hole] !== record) hole = (hole + 1) & mask
    // Entries behind the hole that could have stood in it move up, so that searches need no tombstones.
    for (let slot = (hole + 1) & mask; this.index[slot] !== NONE; slot = (slot + 1) & mask) {
      const home = this.homeOf(this.index[slot] as number)
      if (((slot - home) & mask) >= ((slot - hole) & mask)) {
        this.index[hole] = this.index[slot] as number
        hole = slot
      }
    }
    this.index[hole] = NONE
  }
}

type Column = Float64Array | Int32Array | Uint32Array | Uint16Array

const at = (column: Column, record: number): number => column[record % PIECE] as number

const add = (column: Column, record: number, amount: number): void => {
  column[record % PIECE] = at(column, record) + amount
}

/** Whether the columns can hold the node, and its id in its archive can be told from them. */
const isRegular = ({ bound, contentsStart, id, nameStart, start }: Node): boolean => {
  const nameBack = start - nameStart
  const contentsAhead = contentsStart - start
  return (
    nameBack >= 0 &&
    nameBack <= 0xffff &&
    (contentsStart === 0
      ? id === NodeId.ofEntry(start)
      : contentsAhead > 0 && contentsAhead < IRREGULAR && id === NodeId.ofDirectory(bound))
  )
}

/** Ids are offsets, close together: multiplying spreads them. */
const hash = (id: NodeId.NodeId, archive: number | undefined): number => {
  const positive = Math.abs(id)
  const mixed =
    Math.imul((positive % 0x1_0000_0000) | 0, 0x9e37_79b1) ^ Math.imul((positive / 0x1_0000_0000) | 0, 0x85eb_ca6b)
  const ofArchive = archive === undefined ? mixed : mixed ^ Math.imul(archive + 1, 0x27d4_eb2d)
  return ofArchive ^ (ofArchive >>> 15)
}
