/**
 * A line of `--log-format json`: a message for people.
 */
import * as Schema from "effect/Schema"
import { Time } from "./JsonText.ts"

/** A message may have more members, such as those of a request that is logged. */
export const LogJson = Schema.StructWithRest(
  Schema.Struct({
    time: Time,
    /** `fatal` for what ended the command. */
    level: Schema.Literals(["fatal", "error", "warning", "info", "debug"]),
    message: Schema.String,
    /** Of a bug: its cause. */
    detail: Schema.optionalKey(Schema.String),
  }),
  [Schema.Record(Schema.String, Schema.Unknown)],
)
/** A message for people, as a type. */
export type LogJson = typeof LogJson.Type
