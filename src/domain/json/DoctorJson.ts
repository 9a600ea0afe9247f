/**
 * A line of `doctor --json`: one thing that was looked at.
 */
import * as Schema from "effect/Schema"

/** A line of `doctor --json`. */
export const DoctorJson = Schema.Struct({
  /** A stable name of what was looked at. */
  check: Schema.String,
  /** `fail`: something does not work; `warn`: something does not work for some; `ok`: as it should be. */
  state: Schema.Literals(["ok", "warn", "fail"]),
  /** What was found. */
  found: Schema.String,
  /** What to do about it. */
  advice: Schema.optionalKey(Schema.String),
})
/** A line of `doctor --json`, as a type. */
export type DoctorJson = typeof DoctorJson.Type
