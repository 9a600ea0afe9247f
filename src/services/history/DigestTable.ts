/**
 * A table of chunks by digest, with two numbers for each: 20 bytes a chunk, whatever a datastore holds.
 *
 * Chunks are told apart by the first 8 bytes of their digests. Among ten million chunks the odds that two share those are one
 * to 400,000; what is counted with it is then wrong by one chunk, and nothing else is.
 */
import * as Bytes from "../../domain/Bytes.ts"

export class DigestTable {
  private size = 0
  private capacity: number
  private keys: Uint32Array
  private first: Int32Array
  private second: Uint32Array
  private used: Uint8Array

  constructor(capacity = 1024) {
    this.capacity = capacity
    this.keys = new Uint32Array(2 * capacity)
    this.first = new Int32Array(capacity)
    this.second = new Uint32Array(capacity)
    this.used = new Uint8Array(capacity)
  }

  /** Number of chunks. */
  get count(): number {
    return this.size
  }

  /** The place of a chunk, which is put in with zeros if it is not there. It holds until the next call. */
  at(digest: Uint8Array): number {
    if (this.size * 4 > this.capacity * 3) this.grow()
    const view = Bytes.dataView(digest)
    return this.place(view.getUint32(0, true), view.getUint32(4, true))
  }

  /** The first number of a place: 31 bits and a sign. */
  getFirst(place: number): number {
    return this.first[place] as number
  }

  setFirst(place: number, value: number): void {
    this.first[place] = value
  }

  /** The second number of a place: 32 bits. */
  getSecond(place: number): number {
    return this.second[place] as number
  }

  setSecond(place: number, value: number): void {
    this.second[place] = value
  }

  private place(low: number, high: number): number {
    let at = low % this.capacity
    while (this.used[at] === 1) {
      if (this.keys[2 * at] === low && this.keys[2 * at + 1] === high) return at
      at = at + 1 === this.capacity ? 0 : at + 1
    }
    this.used[at] = 1
    this.keys[2 * at] = low
    this.keys[2 * at + 1] = high
    this.size++
    return at
  }

  private grow(): void {
    const old = new DigestTable(this.capacity * 2)
    for (let at = 0; at < this.capacity; at++) {
      if (this.used[at] === 0) continue
      const to = old.place(this.keys[2 * at] as number, this.keys[2 * at + 1] as number)
      old.first[to] = this.first[at] as number
      old.second[to] = this.second[at] as number
    }
    this.capacity = old.capacity
    this.keys = old.keys
    this.first = old.first
    this.second = old.second
    this.used = old.used
  }
}
