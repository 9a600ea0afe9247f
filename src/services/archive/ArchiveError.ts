/**
 * Why something in an archive could not be read: a failed check of its bytes, or a failing byte source.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { ErrorId } from "../../domain/ErrorId.ts"
import { EINVAL, EIO } from "../../domain/Errno.ts"
import type { FormatError } from "../../domain/pxar/FormatError.ts"
import type { SourceError } from "../bytes/ByteSource.ts"

/** A failed check of an archive, or a failed read of its source. */
export class ArchiveError extends Schema.TaggedError<ArchiveError>()("ArchiveError", {
  /** Name of the source concerned: the archive or its payload archive. */
  archive: Schema.String,
  /** The failure class of §0. */
  kind: Schema.Literals(["Malformed", "Unsupported", "Limit", "IO"]),
  /** The check of §7 that failed, or `UNAVAILABLE`, `RANGE` or `LOST`. */
  check: Schema.String,
  /** Offset in the source. */
  offset: Schema.Finite,
  detail: Schema.String,
  /** Where the bytes of the source end that cannot be had, and which begin at `offset`; absent where that is not known. */
  end: Schema.optionalKey(Schema.Finite),
  /** Bytes of a file that are lost for good, counted from its start: of a read of its content. */
  inFile: Schema.optionalKey(Schema.Struct({ start: Schema.Finite, end: Schema.Finite })),
  /** Bytes of a file before the first that cannot be had: of a read of its content, where that is known. */
  intact: Schema.optionalKey(Schema.Finite),
  /** Errno that an operation answers (§9.3): EIO, but ELOOP for a chain of hard links, EINVAL for a bad range. */
  errno: Schema.Finite,
  /** Whether the same may succeed when it is tried again (see `SourceError`). */
  retryable: Schema.Boolean.pipe(Schema.withConstructorDefault(Effect.succeed(false))),
}) {
  static readonly ids = {
    NotPxar: "PXF-ARCHIVE-NOT-PXAR",
    Malformed: "PXF-ARCHIVE-DAMAGED",
    Unsupported: "PXF-ARCHIVE-UNSUPPORTED",
    NoPayload: "PXF-ARCHIVE-NO-PAYLOAD",
    Limit: "PXF-ARCHIVE-LIMIT",
    IO: "PXF-ARCHIVE-READ",
    Unavailable: "PXF-ARCHIVE-UNAVAILABLE",
    Range: "PXF-ARCHIVE-RANGE",
  } as const satisfies Record<string, ErrorId>
  /** See docs/errors.md. */
  get id(): ErrorId {
    if (this.check === UNAVAILABLE) return ArchiveError.ids.Unavailable
    if (this.check === RANGE) return ArchiveError.ids.Range
    if (this.check === "P5") return ArchiveError.ids.NoPayload
    return isNotPxar(this) ? ArchiveError.ids.NotPxar : ArchiveError.ids[this.kind]
  }
  override get message(): string {
    if (this.check === UNAVAILABLE || this.check === RANGE || this.check === LOST)
      return `${this.archive}: ${this.detail}`
    // What is no archive has no place where it is wrong.
    if (this.check === "H4" && this.offset === 0) return `${this.archive}: ${this.detail}`
    return `${this.archive}: ${this.detail} (check ${this.check} at byte ${this.offset})`
  }
}

/** Whether what was opened does not even begin like an archive. */
export const isNotPxar = ({ check, kind, offset }: ArchiveError): boolean =>
  kind === "Malformed" && offset === 0 && (check === "H4" || check === "A1")

/** In place of a check where nothing is wrong with bytes: the archive cannot be had at all. */
export const UNAVAILABLE = "unavailable"

/** An archive that cannot be had. */
export const unavailable = (archive: string, detail: string): ArchiveError =>
  new ArchiveError({ archive, kind: "IO", check: UNAVAILABLE, offset: 0, detail, errno: EIO.code })

/** In place of a check where what was asked for cannot be in an archive: a range outside of a file. */
export const RANGE = "range"

/** In place of a check where the bytes are lost for good (see `SourceError`): the archive is damaged there. */
export const LOST = "lost"

/** A read of what is not in the file, or of something that is no file. */
export const outOfRange = (archive: string, detail: string): ArchiveError =>
  new ArchiveError({ archive, kind: "Limit", check: RANGE, offset: 0, detail, errno: EINVAL.code })

/** A failed check of the bytes of `archive`. */
export const fromFormat = (archive: string, error: FormatError): ArchiveError =>
  new ArchiveError({
    archive,
    kind: error.kind,
    check: error.check,
    offset: error.offset,
    detail: error.detail,
    errno: (error.errno ?? EIO).code,
  })

/** A source that failed. */
export const fromSource = (error: SourceError): ArchiveError =>
  new ArchiveError({
    archive: error.source,
    kind: error.isLost ? "Malformed" : "IO",
    check: error.isLost ? LOST : "H6",
    offset: error.offset,
    detail: error.detail,
    errno: EIO.code,
    ...(error.end === undefined ? {} : { end: error.end }),
    retryable: error.retryable,
  })

/** A source that failed in a read of a file, whose content is `length` bytes from `start` on. */
export const fromContent = (
  error: SourceError,
  { length, start }: { readonly start: number; readonly length: number },
): ArchiveError => {
  const failed = new ArchiveError({ ...fromSource(error), intact: Math.max(0, error.offset - start) })
  if (!error.isLost || error.end === undefined) return failed
  const inFile = { start: Math.max(0, error.offset - start), end: Math.min(length, error.end - start) }
  return new ArchiveError({ ...failed, inFile })
}

/** Content that reaches beyond `end`, where the archive is cut; `start` is where that of the file begins. */
export const cutShort = (archive: string, end: number, start?: number): ArchiveError =>
  new ArchiveError({
    archive,
    kind: "Malformed",
    check: "A4",
    offset: end,
    detail:
      start === undefined || start >= end
        ? "the archive ends in the midst of this file"
        : `the archive ends in the midst of this file, of which the first ${end - start} bytes are there`,
    errno: EIO.code,
    ...(start === undefined ? {} : { intact: Math.max(0, end - start) }),
  })
