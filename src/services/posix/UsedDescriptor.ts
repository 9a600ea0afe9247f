/**
 * A descriptor that threads may still be using when it is to be closed: it is closed when the last of them has come back.
 * Before that its number could be another file's already, which they would read or overwrite.
 */
import * as fs from "node:fs"

export class UsedDescriptor {
  readonly number: number
  private users = 0
  private closing = false

  /** Takes an open descriptor over. */
  constructor(number: number) {
    this.number = number
  }

  /** Nobody may begin to use it any more. */
  get isClosed(): boolean {
    return this.closing
  }

  /** A thread begins to use it. */
  begin(): void {
    this.users++
  }

  /** It has come back. Whoever wanted it closed is gone, so that an error of closing reaches nobody. */
  end(): void {
    this.users--
    if (this.closing && this.users === 0) this.closeQuietly()
  }

  /** Closes it, once; later if it is in use. Throws what closing it now tells. */
  close(): void {
    if (this.closing) return
    this.closing = true
    if (this.users === 0) fs.closeSync(this.number)
  }

  /** The same for what was only read: closing tells nothing then. */
  discard(): void {
    if (this.closing) return
    this.closing = true
    if (this.users === 0) this.closeQuietly()
  }

  private closeQuietly(): void {
    try {
      fs.closeSync(this.number)
    } catch {
      // Closed it is, whatever the file system says.
    }
  }
}
