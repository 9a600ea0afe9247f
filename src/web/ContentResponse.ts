/**
 * The content of a file as a response: whole or a range, with an entity tag, for `GET` and `HEAD` (RFC 9110).
 *
 * An archive does not change, so the tag is made of what the archive says of the file and where its content is. What it
 * is said to be is decided here, never by what is in it; unless it is asked for inline, it is to be saved.
 */
import { createHash } from "node:crypto"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as ArchivePath from "../domain/pxar/ArchivePath.ts"
import * as PathText from "../domain/PathText.ts"
import * as TextDiff from "../services/compare/TextDiff.ts"
import type * as TreeWalk from "../services/tree/TreeWalk.ts"
import * as ApiError from "./api/ApiError.ts"
import * as ByteRange from "./ByteRange.ts"
import * as ContentType from "./ContentType.ts"
import * as Disposition from "./Disposition.ts"
import type { Downloads } from "./Downloads.ts"
import type { Served } from "./Served.ts"

/** The headers of a request that matter. */
export interface Asked {
  readonly method: string
  readonly headers: Readonly<Record<string, string | undefined>>
}

/** Bytes by which is told whether a file is a text. */
const HEAD = 4096

/** Bytes that are read before they are sent. */
const AT_ONCE = 256 * 1024

/** A strong entity tag (RFC 9110 §8.8.3). */
export const etag = (served: Served, found: Pick<TreeWalk.Found, "entry" | "path">): string => {
  const { body, mtimeNanos, mtimeSeconds } = found.entry
  const content = body._tag === "File" ? `${body.content.source} ${body.content.start} ${body.content.length}` : ""
  const text = `${served.address}\0${PathText.print(found.path)}\0${mtimeSeconds}.${mtimeNanos}\0${content}`
  return `"${createHash("sha256").update(text).digest("base64url").slice(0, 27)}"`
}

/** A time as HTTP has it; `undefined` where that has none. */
export const httpDate = (seconds: bigint): string | undefined =>
  seconds < 0n || seconds > 253_402_300_799n ? undefined : new Date(Number(seconds) * 1000).toUTCString()

/** What a file is, by its name or, where that says nothing, its first bytes. */
export const typeOf = Effect.fnUntraced(function* (served: Served, found: TreeWalk.Found) {
  const known = ContentType.of(PathText.print(ArchivePath.lastName(found.path)))
  if (known.preview !== "none") return known
  const head = yield* Effect.orElseSucceed(served.archive.read(found, 0, HEAD), () => undefined)
  return head !== undefined && TextDiff.isText(head) ? { type: ContentType.TEXT, preview: "text" as const } : known
})

/** `inline`: to be shown. */
export const make = Effect.fnUntraced(function* (
  served: Served,
  found: TreeWalk.Found,
  asked: Asked,
  downloads: Downloads,
  inline: boolean,
): Effect.fn.Return<HttpServerResponse.HttpServerResponse, ApiError.ApiError> {
  const { body, mtimeSeconds } = found.entry
  const path = PathText.print(found.path)
  if (body._tag !== "File") {
    return yield* new ApiError.BadRequest({ id: "PXF-PATH-NOT-A-FILE", message: `${path}: not a file` })
  }
  const size = body.content.length
  const tag = etag(served, found)
  const date = httpDate(mtimeSeconds)
  const { type } = inline ? yield* typeOf(served, found) : { type: ContentType.BYTES }
  const headers: Record<string, string> = {
    etag: tag,
    "accept-ranges": "bytes",
    // What is in a backup stays the same; who may see it is asked each time.
    "cache-control": "private, no-cache",
    ...(date !== undefined && { "last-modified": date }),
    ...(!inline && {
      "content-disposition": Disposition.attachment(PathText.print(ArchivePath.lastName(found.path))),
    }),
  }
  if (isSame(asked.headers["if-none-match"], tag)) return HttpServerResponse.empty({ status: 304, headers })
  const wanted = asked.headers["if-range"]
  const range =
    asked.method === "GET" && (wanted === undefined || wanted === tag || wanted === date)
      ? ByteRange.parse(asked.headers["range"], size)
      : undefined
  if (range === "unsatisfiable") {
    return HttpServerResponse.empty({ status: 416, headers: { ...headers, "content-range": `bytes */${size}` } })
  }
  const { length, start } = range ?? { start: 0, length: size }
  const options = {
    status: range === undefined ? 200 : 206,
    contentType: type,
    contentLength: length,
    headers: { ...headers, ...(range && { "content-range": `bytes ${start}-${start + length - 1}/${size}` }) },
  }
  if (asked.method === "HEAD" || length === 0) {
    return HttpServerResponse.uint8Array(new Uint8Array(0), { ...options }).pipe(
      HttpServerResponse.setHeader("content-length", String(length)),
    )
  }
  // What is read before the status goes can still be told to be lost: all of what is small, of the rest the first byte.
  if (length <= AT_ONCE) {
    return HttpServerResponse.uint8Array(yield* ApiError.orAnswer(served.archive.read(found, start, length)), options)
  }
  yield* ApiError.orAnswer(served.archive.read(found, start, 1))
  const stream = yield* downloads.counted(served.archive.content(found, { offset: start, length }))
  return HttpServerResponse.stream(stream, options)
})

const isSame = (header: string | undefined, tag: string): boolean =>
  header !== undefined &&
  (header.trim() === "*" || header.split(",").some((candidate) => candidate.trim().replace(/^W\//, "") === tag))
