/**
 * Why a chunk cannot be had: a failed check of datastore §8, or a store that failed, which is no damage.
 *
 * A plain value: a damaged chunk is asked for as often as somebody reads there. Who asked adds what it costs.
 */
import * as Data from "effect/Data"
import type { Check } from "../../domain/datastore/DatastoreFault.ts"

/** Why a chunk cannot be had. */
export class ChunkFault extends Data.TaggedClass("ChunkFault")<{
  /** `IO`: the store failed. */
  readonly check: Check | "IO"
  /** The chunk's file: its store and its name within. */
  readonly file: string
  readonly detail: string
  /** Whether trying again may help. */
  readonly isTransient: boolean
}> {
  get message(): string {
    return `${this.file}: ${this.detail}`
  }
}

/** Whether the bytes are lost: neither a failing store nor a missing key says that. */
export const isLoss = ({ check }: ChunkFault): boolean =>
  check !== "IO" && check !== "KeyRequired" && check !== "WrongKey"
