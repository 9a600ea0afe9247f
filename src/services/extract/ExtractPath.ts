/**
 * The path of the entry that is being extracted, in one buffer that is written over: nobody needs a path of its own
 * for an entry that meets neither a problem nor a pattern.
 */
const INITIAL_SIZE = 4096
const SLASH = 0x2f

export class ExtractPath {
  /** Bytes in use: the path relative to the root, without a slash at either end; 0 for the root. */
  length = 0
  /** The path in its first `length` bytes. Valid until the next `enter`. */
  buffer = new Uint8Array(INITIAL_SIZE)

  /** Goes to `name` in the folder whose path is the first `base` bytes. */
  enter(base: number, name: Uint8Array): void {
    const start = base === 0 ? 0 : base + 1
    const length = start + name.length
    if (length > this.buffer.length) {
      const longer = new Uint8Array(2 * length)
      longer.set(this.buffer.subarray(0, base))
      this.buffer = longer
    }
    if (base > 0) this.buffer[base] = SLASH
    this.buffer.set(name, start)
    this.length = length
  }

  /** Goes back to the folder whose path is the first `length` bytes. */
  leaveTo(length: number): void {
    this.length = length
  }

  /** A copy of the first `length` bytes, of the whole path by default. */
  bytes(length: number = this.length): Uint8Array {
    return this.buffer.slice(0, length)
  }
}
