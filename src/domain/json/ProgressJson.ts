/**
 * A line of `--progress json`: how far a command is.
 */
import * as Schema from "effect/Schema"
import { Count } from "./JsonText.ts"

/** How far a command is. */
export const ProgressJson = Schema.Struct({
  progress: Schema.Struct({
    entries: Count,
    /** Bytes of contents done, where those are what takes the time. */
    bytes: Schema.optionalKey(Count),
    /** How much of how much is done, in bytes, where it is known. */
    position: Schema.optionalKey(Count),
    size: Schema.optionalKey(Count),
    /** Bytes that came from a datastore, as they are stored there; and requests under way. */
    fetched: Schema.optionalKey(Count),
    in_flight: Schema.optionalKey(Count),
    /** Since the beginning. */
    seconds: Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0)),
    /** Whether this is the last one. */
    done: Schema.Boolean,
  }),
})
/** How far a command is, as a type. */
export type ProgressJson = typeof ProgressJson.Type
