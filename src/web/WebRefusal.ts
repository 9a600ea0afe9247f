/**
 * Requests that a server does not do, whatever is in the repositories.
 */
import * as Schema from "effect/Schema"
import type { ErrorId } from "../domain/ErrorId.ts"

const ids = {
  Access: "PXF-WEB-ACCESS",
  Busy: "PXF-WEB-BUSY",
  Cursor: "PXF-WEB-CURSOR",
  Host: "PXF-WEB-HOST",
  Job: "PXF-WEB-JOB",
  Method: "PXF-WEB-METHOD",
  Origin: "PXF-WEB-ORIGIN",
  Page: "PXF-WEB-PAGE",
  Repository: "PXF-WEB-REPOSITORY",
  Restore: "PXF-WEB-RESTORE",
  RestoreTarget: "PXF-WEB-RESTORE-TARGET",
  Url: "PXF-WEB-URL",
} as const satisfies Record<string, ErrorId>

/** Why a request is refused. */
export type Reason = keyof typeof ids

/** A refusal. */
export class WebRefusal extends Schema.TaggedError<WebRefusal>()("WebRefusal", {
  reason: Schema.Literals(Object.keys(ids) as ReadonlyArray<Reason>),
  detail: Schema.String,
}) {
  static readonly ids = ids
  /** See docs/errors.md. */
  get id(): ErrorId {
    return ids[this.reason]
  }
  override get message(): string {
    return this.detail
  }
}
