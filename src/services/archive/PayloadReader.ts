/**
 * File contents of a split archive (§2.13, §4.5).
 *
 * A payload archive cannot be parsed (§1.7): each reference is checked against the PAYLOAD header it names (P3, P4)
 * before its first byte is read. Without one, reading content fails and says which file is missing (P5).
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Bytes from "../../domain/Bytes.ts"
import type { Content } from "../../domain/pxar/Entry.ts"
import * as FormatError from "../../domain/pxar/FormatError.ts"
import * as Item from "../../domain/pxar/Item.ts"
import * as ItemType from "../../domain/pxar/ItemType.ts"
import * as AtOnce from "../AtOnce.ts"
import type { Payload } from "../bytes/ArchiveBytes.ts"
import type { ByteSource } from "../bytes/ByteSource.ts"
import * as ArchiveError from "./ArchiveError.ts"
import * as PayloadArchive from "./PayloadArchive.ts"

/** The contents of a split archive. */
export interface PayloadReader {
  /** Bytes of the payload archive, 0 without one. */
  readonly size: number
  /**
   * Fills `target` with a file's bytes from `offset` on; the range must lie within the file. Nothing to fill: checks that
   * all of the file is there.
   */
  readonly read: (
    content: Content,
    offset: number,
    target: Uint8Array,
  ) => Effect.Effect<void, ArchiveError.ArchiveError>
  /** The same of the content with this start and length, if it is at hand and nothing is wrong with it; `target` may else hold anything. */
  readonly readAtOnce: (start: number, length: number, offset: number, target: Uint8Array) => boolean
}

/** References whose header has been checked, remembered up to this many. */
const MAX_CHECKED = 65_536

/** When the start and the end of a payload archive are read: at once, or before the first content. */
export type Check = "opened" | "read"

/** Opens the payload archive of an archive. Checks P1, reports P2, refuses one that belongs to no v2 archive. */
export const make = Effect.fnUntraced(function* (
  archive: ByteSource,
  payload: Payload,
  version: 1 | 2,
  when: Check = "opened",
): Effect.fn.Return<PayloadReader, ArchiveError.ArchiveError> {
  if (payload._tag === "Absent") {
    const detail =
      payload.expected === undefined
        ? "file contents are in a payload archive (.ppxar), which was not given (--payload names it)"
        : `file contents are in the payload archive ${payload.expected}, which is missing: put it there, or name it (--payload)`
    return {
      size: 0,
      readAtOnce: () => false,
      read: () =>
        Effect.suspend(() =>
          Effect.fail(ArchiveError.fromFormat(archive.name, FormatError.unsupported("P5", 0, detail))),
        ),
    }
  }
  const { source } = payload
  if (version === 1) {
    return yield* ArchiveError.fromFormat(
      archive.name,
      FormatError.unsupported("A6", 0, `an archive of version 1 has no payload archive, but ${source.name} was given`),
    )
  }
  let isOpen = false
  const open = Effect.gen(function* () {
    if (when === "read") PayloadArchive.expect(source)
    yield* Effect.catchIf(
      PayloadArchive.checkStart(source),
      ({ check }) => check === ArchiveError.LOST,
      ({ message }) => Effect.logWarning(`${message}; what is behind can be read`),
    )
    const complete = yield* Effect.result(PayloadArchive.checkEnd(source))
    if (Result.isFailure(complete)) {
      if (complete.failure.kind === "IO") return yield* complete.failure
      yield* Effect.logWarning(`${complete.failure.message}; the upload may have been cut short`)
    }
    isOpen = true
  })
  if (when === "opened") yield* open

  // Their length by their start: another reference can name the same payload with another length.
  const checked = new Map<number, number>()
  const remember = (content: Content): void => {
    if (checked.size >= MAX_CHECKED) checked.clear()
    checked.set(content.start, content.length)
  }
  const wrong = (content: Content): ArchiveError.ArchiveError =>
    ArchiveError.fromFormat(
      source.name,
      FormatError.malformed(
        "P3",
        content.start - Item.HEADER_SIZE,
        "no PAYLOAD item of the expected size where a file points",
      ),
    )

  const crossing = (content: Content, intact: number): ArchiveError.ArchiveError => {
    const detail = `payload of ${content.length} bytes crosses the end of the archive`
    const error = FormatError.malformed("P4", content.start - Item.HEADER_SIZE, detail)
    return new ArchiveError.ArchiveError({ ...ArchiveError.fromFormat(source.name, error), intact })
  }

  /** Memory for a header, used again but for reads that wait. */
  let header = Item.makeWindow(new Uint8Array(Item.HEADER_SIZE), 0)
  const checkReference = (content: Content): Effect.Effect<void, ArchiveError.ArchiveError> => {
    const at = content.start - Item.HEADER_SIZE
    if (content.start > source.size) return Effect.fail(crossing(content, 0))
    const { bytes, view } = header
    const read = source.read(bytes, at)
    if (!AtOnce.hasEnded(read)) header = Item.makeWindow(new Uint8Array(Item.HEADER_SIZE), 0)
    return AtOnce.matchEffect(AtOnce.mapError(read, ArchiveError.fromSource), {
      // The content itself may be in another chunk: it is where the archive says, which is all that is known then.
      onFailure: (error) => (error.check === ArchiveError.LOST ? Effect.void : Effect.fail(error)),
      onSuccess: () => {
        if (!isHeaderOf(view, content)) {
          return Effect.fail(content.start + content.length > source.size ? crossing(content, 0) : wrong(content))
        }
        remember(content)
        return Effect.void
      },
    })
  }

  return {
    size: source.size,
    readAtOnce: (start, length, offset, target) => {
      if (!isOpen || start + offset + target.length > source.size) return false
      if (checked.get(start) !== length) {
        const content: Content = { source: "payload", start, length }
        const header = checkReference(content)
        if (!AtOnce.hasEnded(header) || !Exit.isSuccess(header)) return false
      }
      const read = source.read(target, start + offset)
      return AtOnce.hasEnded(read) && Exit.isSuccess(read)
    },
    read: (content, offset, target) => {
      const read = (): Effect.Effect<void, ArchiveError.ArchiveError> =>
        content.start + (target.length === 0 ? content.length : offset + target.length) > source.size
          ? Effect.fail(crossing(content, source.size - content.start))
          : AtOnce.mapError(source.read(target, content.start + offset), (error) =>
              ArchiveError.fromContent(error, content),
            )
      if (isOpen && checked.get(content.start) === content.length) return read()
      const checks = isOpen ? checkReference(content) : Effect.andThen(open, checkReference(content))
      return AtOnce.flatMap(checks, read)
    },
  }
})

/** Whether this is the PAYLOAD header that belongs to a file's content. */
const isHeaderOf = (view: DataView, content: Content): boolean =>
  ItemType.fromHalves(view.getUint32(0, true), view.getUint32(4, true)) === ItemType.PAYLOAD &&
  Bytes.getU64(view, 8) === Item.HEADER_SIZE + content.length
