/**
 * File contents of a split archive (§2.13, §4.5).
 *
 * A payload archive cannot be parsed (§1.7): each reference is checked against the PAYLOAD header it names (P3, P4)
 * before its first byte is read. Without one, reading content fails and says which file is missing (P5).
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as ArchiveHead from "../../domain/pxar/ArchiveHead.ts"
import * as Bytes from "../../domain/Bytes.ts"
import type { Content } from "../../domain/pxar/Entry.ts"
import * as FormatError from "../../domain/pxar/FormatError.ts"
import * as Item from "../../domain/pxar/Item.ts"
import * as ItemType from "../../domain/pxar/ItemType.ts"
import * as ArchiveError from "./ArchiveError.ts"
import type { Source } from "../bytes/ByteSource.ts"

/** The payload archive, or what is known of its absence. */
export type Payload =
  | { readonly _tag: "Present"; readonly source: Source }
  /** `expected` names the file that was looked for, for messages. */
  | { readonly _tag: "Absent"; readonly expected: string | undefined }

/** The payload archive that belongs to `ByteSource`: none unless a layer says so. */
export const PayloadSource = Context.Reference<Payload>("pxar-fuse/services/PayloadSource", {
  defaultValue: () => ({ _tag: "Absent", expected: undefined }),
})

/** The contents of a split archive. */
export interface PayloadReader {
  /** Bytes of the payload archive, 0 without one. */
  readonly size: number
  /** Fills `target` with a file's bytes from `offset` on; the range must lie within the file. */
  readonly read: (
    content: Content,
    offset: number,
    target: Uint8Array,
  ) => Effect.Effect<void, ArchiveError.ArchiveError>
  /** The same at once; false if that is not possible. */
  readonly readCached: (content: Content, offset: number, target: Uint8Array) => boolean
}

/** References whose header has been checked, remembered up to this many. */
const MAX_CHECKED = 65_536

/** Opens the payload archive of an archive. Checks P1, reports P2, refuses one that belongs to no v2 archive. */
export const make = Effect.fnUntraced(function* (
  archive: Source,
  payload: Payload,
  version: 1 | 2,
): Effect.fn.Return<PayloadReader, ArchiveError.ArchiveError> {
  if (payload._tag === "Absent") {
    const detail =
      payload.expected === undefined
        ? "file contents are in a payload archive (.ppxar), which was not given"
        : `file contents are in the payload archive ${payload.expected}, which is missing`
    return {
      size: 0,
      readCached: () => false,
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
  const check = (offset: number, test: (window: Item.Window) => void) =>
    Effect.suspend(() => {
      const bytes = new Uint8Array(Item.HEADER_SIZE)
      return Effect.flatMap(Effect.mapError(source.read(bytes, offset), ArchiveError.fromSource), () => {
        const result = FormatError.capture(() => test(Item.makeWindow(bytes, offset)))
        if (Result.isSuccess(result)) return Effect.void
        if (result.failure._tag === "NeedBytes") return Effect.die(new Error("a header of 16 bytes did not suffice"))
        return Effect.fail(ArchiveError.fromFormat(source.name, result.failure))
      })
    })

  if (source.size < ArchiveHead.MIN_PAYLOAD_SIZE) {
    return yield* ArchiveError.fromFormat(
      source.name,
      FormatError.malformed("P1", 0, `${source.size} bytes are too few for a payload archive`),
    )
  }
  yield* check(0, (window) => ArchiveHead.checkPayloadStart(window, source.size))
  const tail = source.size - Item.HEADER_SIZE
  const complete = yield* Effect.result(check(tail, (window) => ArchiveHead.checkPayloadTail(window, tail)))
  if (Result.isFailure(complete)) {
    if (complete.failure.kind === "IO") return yield* complete.failure
    yield* Effect.logWarning(`${complete.failure.message}; the upload may have been cut short`)
  }

  // Their length by their start: another reference can name the same payload with another length.
  const checked = new Map<number, number>()
  const remember = (content: Content): void => {
    if (checked.size >= MAX_CHECKED) checked.clear()
    checked.set(content.start, content.length)
  }
  const checkReference = (content: Content) => {
    const header = content.start - Item.HEADER_SIZE
    if (content.start + content.length > source.size) {
      return Effect.fail(
        ArchiveError.fromFormat(
          source.name,
          FormatError.malformed("P4", header, `payload of ${content.length} bytes crosses the end of the archive`),
        ),
      )
    }
    return Effect.map(
      check(header, (window) => {
        if (!isHeaderOf(window.view, content)) {
          throw FormatError.malformed("P3", header, "no PAYLOAD item of the expected size where a file points")
        }
      }),
      () => remember(content),
    )
  }

  const cachedHeader = Item.makeWindow(new Uint8Array(Item.HEADER_SIZE), 0)
  const isCheckedAtOnce = (content: Content): boolean => {
    if (checked.get(content.start) === content.length) return true
    if (content.start + content.length > source.size) return false
    if (source.readCached?.(cachedHeader.bytes, content.start - Item.HEADER_SIZE) !== true) return false
    if (!isHeaderOf(cachedHeader.view, content)) return false
    remember(content)
    return true
  }

  return {
    size: source.size,
    readCached: (content, offset, target) =>
      isCheckedAtOnce(content) && source.readCached?.(target, content.start + offset) === true,
    read: (content, offset, target) => {
      const read = Effect.mapError(source.read(target, content.start + offset), ArchiveError.fromSource)
      return Effect.suspend(() =>
        checked.get(content.start) === content.length ? read : Effect.flatMap(checkReference(content), () => read),
      )
    },
  }
})

/** Whether this is the PAYLOAD header that belongs to a file's content. */
const isHeaderOf = (view: DataView, content: Content): boolean =>
  ItemType.fromHalves(view.getUint32(0, true), view.getUint32(4, true)) === ItemType.PAYLOAD &&
  Bytes.getU64(view, 8) === Item.HEADER_SIZE + content.length
