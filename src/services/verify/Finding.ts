/**
 * What `Verifier` finds: the events of its stream.
 */
import * as Data from "effect/Data"
import type * as ArchiveError from "../archive/ArchiveError.ts"

/**
 * How bad it is. An error contradicts the format, or cannot be read. A note is something that the format puts up with
 * ("report" in §7), or that says nothing about the archive (a limit of this program).
 */
export type Severity = "error" | "note"

/** The failure class of §0 that a reader raises; `Note` where it raises none. */
export type Kind = ArchiveError.ArchiveError["kind"] | "Note"

/** One thing that is wrong, or strange. */
export class Finding extends Data.TaggedClass("Finding")<{
  readonly severity: Severity
  readonly kind: Kind
  /**
   * The check of §7, or one of those that need the whole archive: `V1` bytes between children that belong to none (§4.3),
   * `V2` payloads that overlap, `V3` a hard link whose path is not that of its target.
   */
  readonly check: string
  /** Path of the entry concerned, with a leading slash; `/` also for what concerns the whole archive. */
  readonly path: Uint8Array
  /** Name of the source concerned: the archive or its payload archive. */
  readonly archive: string
  /** Offset in that source, in bytes. */
  readonly offset: number
  readonly detail: string
}> {}

/** How far a verification has come. */
export interface Progress {
  readonly entries: number
  /** The archive has been checked up to this byte. */
  readonly position: number
  /** Bytes of contents read. */
  readonly contentBytes: number
}

/** The last event. */
export class Verdict extends Data.TaggedClass("Verdict")<{
  /**
   * `consistent`: nothing in the archive contradicts the format, itself, or its payload archive. Whether contents are those
   * that were stored cannot be told: pxar has no checksums. `notes`: consistent, but there were notes.
   */
  readonly result: "consistent" | "notes" | "damaged"
  readonly errors: number
  readonly notes: number
  /** Entries that could be read. */
  readonly entries: number
  /** Bytes of contents read. */
  readonly contentBytes: number
  /** Why the archive could not even be opened: then nothing else was checked. */
  readonly failure: ArchiveError.ArchiveError | undefined
}> {}

/**
 * An error as a finding at `path`.
 *
 * @internal
 */
export const fromError = (path: Uint8Array, error: ArchiveError.ArchiveError): Finding =>
  new Finding({
    severity: error.kind === "Limit" ? "note" : "error",
    kind: error.kind,
    check: error.check,
    path,
    archive: error.archive,
    offset: error.offset,
    detail: error.detail,
  })

/**
 * A note: something that the format puts up with.
 *
 * @internal
 */
export const note = (check: string, path: Uint8Array, archive: string, offset: number, detail: string): Finding =>
  new Finding({ severity: "note", kind: "Note", check, path, archive, offset, detail })

/**
 * Takes what is found.
 *
 * @internal
 */
export type Report = (finding: Finding) => void
