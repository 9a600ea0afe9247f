/**
 * A failed check of an archive, or a failed read, as JSON.
 */
import * as Schema from "effect/Schema"
import { Count } from "./JsonText.ts"

/** The failure classes of §0. */
export const Kind = Schema.Literals(["Malformed", "Unsupported", "Limit", "IO"])

/** The checks of §7; `V1` to `V3` are those of `verify`. */
export const Check = Schema.String.check(
  Schema.isPattern(/^(H[1-6]|A[1-6]|P[1-5]|D([1-9]|1[01])|N[1-4]|E[1-8]|L[1-3]|R1|V[1-3])$/),
)

/** What failed, and where. */
export const ErrorJson = Schema.Struct({
  kind: Kind,
  check: Check,
  /** Name of the archive, or of its payload archive. */
  archive: Schema.String,
  /** In that file, in bytes. */
  offset: Count,
  detail: Schema.String,
})
/** What failed, and where, as a type. */
export type ErrorJson = typeof ErrorJson.Type

/** An error of an archive as JSON: without what only an operation of a mount needs. */
export const make = ({ archive, check, detail, kind, offset }: ErrorJson): ErrorJson => ({
  kind,
  check,
  archive,
  offset,
  detail,
})
