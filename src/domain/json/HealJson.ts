/**
 * A line of `heal --json`: something that was missing or damaged, or the verdict, which is the last.
 */
import * as Schema from "effect/Schema"
import { Count } from "./JsonText.ts"

/** Something that was missing or damaged, or the verdict. */
export const HealJson = Schema.Union([
  Schema.Struct({
    /** `healable` is what a dry run would heal. */
    state: Schema.Literals(["healed", "healable", "lost"]),
    /** Path of the backup in the datastore. */
    snapshot: Schema.String,
    /** Name of the file of the backup that needs it. */
    file: Schema.String,
    /** Path of the file concerned in the datastore. */
    blob: Schema.String,
    /** What was wrong: a failure class of the datastore's specification, or `IO`. */
    check: Schema.String,
    detail: Schema.String,
    /** The copy that has it. */
    from: Schema.optionalKey(Schema.String),
    /** What vouches for it. */
    proof: Schema.optionalKey(Schema.Literals(["digest", "checksum", "manifest", "signature", "files"])),
    /** Bytes of the file. */
    size: Schema.optionalKey(Count),
  }),
  Schema.Struct({
    verdict: Schema.Literals(["sound", "healed", "damaged"]),
    snapshots: Count,
    /** Backups that were never finished: here and in the copies they have no manifest. */
    unfinished: Count,
    /** Chunks looked at. */
    chunks: Count,
    healed: Count,
    /** Of those, chunks for which only a stored checksum vouches. */
    partly: Count,
    /** Bytes of the files that were written. */
    bytes: Count,
    lost: Count,
  }),
])
/** A line, as a type. */
export type HealJson = typeof HealJson.Type
