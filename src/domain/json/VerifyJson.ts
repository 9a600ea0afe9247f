/**
 * A line of `verify --json`: a finding, or the verdict, which is the last.
 */
import * as Schema from "effect/Schema"
import { Check } from "./ErrorJson.ts"
import { Count, Path } from "./JsonText.ts"

/** Something that is wrong, or strange. */
export const FindingJson = Schema.Struct({
  ...Path,
  severity: Schema.Literals(["error", "note"]),
  kind: Schema.Literals(["Malformed", "Unsupported", "Limit", "IO", "Note"]),
  check: Check,
  archive: Schema.String,
  offset: Count,
  detail: Schema.String,
})
/** Something that is wrong, or strange, as a type. */
export type FindingJson = typeof FindingJson.Type

/** What it comes to. */
export const VerdictJson = Schema.Struct({
  verdict: Schema.Literals(["consistent", "notes", "damaged"]),
  /** Whether the archive could be opened; if not, nothing else was checked. */
  opened: Schema.Boolean,
  errors: Count,
  notes: Count,
  entries: Count,
  /** Bytes of contents read. */
  content_bytes: Count,
})
/** What it comes to, as a type. */
export type VerdictJson = typeof VerdictJson.Type

/** A finding, or the verdict. */
export const VerifyJson = Schema.Union([FindingJson, VerdictJson])
/** A finding, or the verdict, as a type. */
export type VerifyJson = typeof VerifyJson.Type
