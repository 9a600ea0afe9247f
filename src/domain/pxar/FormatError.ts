/**
 * What can be wrong with the bytes of an archive.
 *
 * A plain value, not an `Error`: damaged archives produce them by the thousand and nobody reads their stack. Decoders
 * of this room throw them; `capture` at the room's edge turns them into a `Result`. The services add the archive's
 * name and pass them on as an `ArchiveError`.
 */
import * as Data from "effect/Data"
import * as Result from "effect/Result"
import { ELOOP, type Errno } from "../Errno.ts"

/** Failure classes of §0 that bytes can cause (`IO` belongs to the byte source). */
export type Kind = "Malformed" | "Unsupported" | "Limit"

/** Check ids of §7. */
export type Check =
  | `H${1 | 2 | 3 | 4 | 5 | 6}`
  | `A${1 | 2 | 3 | 4 | 5 | 6}`
  | `P${1 | 2 | 3 | 4 | 5}`
  | `D${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11}`
  | `N${1 | 2 | 3 | 4}`
  | `E${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8}`
  | `L${1 | 2 | 3}`
  | "R1"

/** A failed check of §7. `offset` is the byte of the archive where the offending value stands. */
export class FormatError extends Data.TaggedClass("FormatError")<{
  readonly kind: Kind
  readonly check: Check
  readonly offset: number
  readonly detail: string
  /** What an operation answers, where that is not EIO. */
  readonly errno?: Errno
}> {
  get message(): string {
    return `${this.detail} (${this.check} at byte ${this.offset})`
  }
}

/** The bytes contradict the format. */
export const malformed = (check: Check, offset: number, detail: string): FormatError =>
  new FormatError({ kind: "Malformed", check, offset, detail })

/** A hard link to a hard link (L3), which is a loop to a file system (§4.6). */
export const hardLinkChain = (offset: number): FormatError =>
  new FormatError({ kind: "Malformed", check: "L3", offset, detail: "hard link to a hard link", errno: ELOOP })

/** A version, item type or companion file that this reader does not have. */
export const unsupported = (check: Check, offset: number, detail: string): FormatError =>
  new FormatError({ kind: "Unsupported", check, offset, detail })

/** A bound of `Limits` is exceeded: says nothing about validity. */
export const limit = (check: Check, offset: number, detail: string): FormatError =>
  new FormatError({ kind: "Limit", check, offset, detail })

/** A decoder ran past the bytes it was given and needs those before `end` (an offset in the archive). */
export class NeedBytes extends Data.TaggedClass("NeedBytes")<{ readonly end: number }> {}

/** Runs a decoder and returns what it threw as a value. Anything else it throws is a bug and passes through. */
export const capture = <A>(decode: () => A): Result.Result<A, FormatError | NeedBytes> => {
  try {
    return Result.succeed(decode())
  } catch (thrown) {
    if (thrown instanceof FormatError || thrown instanceof NeedBytes) return Result.fail(thrown)
    throw thrown
  }
}
