/**
 * A line of `verify --json` for a datastore: a problem, or the verdict, which is the last of a run. Lines of several runs
 * (`--shard`) can be put together.
 */
import * as Schema from "effect/Schema"
import { Count } from "./JsonText.ts"

/** A problem, or the verdict. */
export const DatastoreVerifyJson = Schema.Union([
  Schema.Struct({
    /** Path of the backup in the datastore. */
    snapshot: Schema.String,
    /** Name of the file on disk. */
    file: Schema.optionalKey(Schema.String),
    severity: Schema.Literals(["error", "note"]),
    /** Failure class of the datastore's specification, or `IO`. */
    check: Schema.String,
    detail: Schema.String,
    /** What is lost of the file. */
    start: Schema.optionalKey(Count),
    end: Schema.optionalKey(Count),
    /** The copy that has what is missing or damaged. */
    healable_from: Schema.optionalKey(Schema.String),
    /** Whether it was checked in full, or only by the checksum stored with it, for want of a key. */
    healable_proof: Schema.optionalKey(Schema.Literals(["full", "checksum"])),
  }),
  Schema.Struct({
    verdict: Schema.Literals(["sound", "notes", "damaged"]),
    errors: Count,
    notes: Count,
    /** Errors of which a copy has what is missing or damaged. */
    healable: Count,
    snapshots: Count,
    chunks: Count,
    /** Chunks that had been checked before. */
    skipped: Count,
    /** Chunks of which only header and checksum could be checked. */
    partly: Count,
    /** Bytes of the content of chunks checked. */
    bytes: Count,
  }),
])
/** A problem, or the verdict, as a type. */
export type DatastoreVerifyJson = typeof DatastoreVerifyJson.Type
