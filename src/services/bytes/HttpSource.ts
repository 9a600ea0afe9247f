/**
 * A byte source over a file on a web server or in a bucket, by ranges.
 *
 * It is one and the same file for as long as it is open: every answer must have the size, and the ETag or else the time,
 * that the first one had. Where it has not, the source fails from then on, so that bytes of two files never come together.
 * A file without either is held to its size alone.
 */
import * as Effect from "effect/Effect"
import type { Headers, Request, Response } from "../http/HttpClient.ts"
import { fromStatus, type HttpError, permanent } from "../http/HttpError.ts"
import * as ByteSource from "./ByteSource.ts"

/** How a file is asked for: the rest of the request is the place's own, as a signature. */
export interface Remote {
  /** For messages. */
  readonly name: string
  /** Asks for the file. */
  readonly request: (request: Pick<Request, "headers" | "limit" | "into">) => Effect.Effect<Response, HttpError>
  /** What a failed answer says, where the place has codes of its own. */
  readonly failure?: ((response: Response) => HttpError) | undefined
}

/** A byte source that is somewhere else. */
export interface HttpSource extends ByteSource.ByteSource {
  /** What tells this file from another under its name: its size with its ETag or time. */
  readonly identity: string
}

/** What all answers must agree on. */
interface Identity {
  readonly size: number
  readonly etag: string | undefined
  readonly modified: string | undefined
}

/** Bytes that are asked for to learn the size: they are kept, since an archive is read from its beginning. */
const HEAD = 64 * 1024

/** Opens a file: one request. Fails with `NoRanges` if the server sends it only whole. */
export const open = Effect.fnUntraced(function* (remote: Remote): Effect.fn.Return<HttpSource, HttpError> {
  const response = yield* remote.request({ headers: { range: `bytes=0-${HEAD - 1}` }, limit: HEAD })
  const { identity, head } = yield* first(remote, response)
  /** Once it has changed it is gone. */
  let gone: HttpError | undefined

  const ask = Effect.fnUntraced(function* (target: Uint8Array, offset: number): Effect.fn.Return<void, HttpError> {
    if (gone !== undefined) return yield* gone
    const range = `bytes=${offset}-${offset + target.length - 1}`
    const asked = { headers: { range, ...condition(identity) }, limit: target.length, into: target }
    const found = problem(remote, yield* remote.request(asked), identity, offset, target.length)
    if (found === undefined) return
    if (found.reason === "Changed") gone = found
    return yield* found
  })

  return {
    name: remote.name,
    size: identity.size,
    identity: `${identity.size} ${identity.etag ?? identity.modified ?? ""}`,
    read: (target, offset) => {
      if (!ByteSource.isRange(offset, target.length, identity.size)) {
        return Effect.fail(new ByteSource.SourceError({ source: remote.name, offset: 0, detail: "read past the end" }))
      }
      // A range has one byte at least.
      if (target.length === 0) return Effect.void
      if (offset + target.length <= head.length) {
        target.set(head.subarray(offset, offset + target.length))
        return Effect.void
      }
      return Effect.mapError(ask(target, offset), (error) => fromHttp(remote.name, offset, error))
    },
  }
})

/** A failed read. */
const fromHttp = (source: string, offset: number, { detail, isTransient, reason }: HttpError): ByteSource.SourceError =>
  new ByteSource.SourceError({ source, offset, detail, retryable: isTransient, isChanged: reason === "Changed" })

const first = (remote: Remote, response: Response) =>
  Effect.suspend(() => {
    const { body, headers, status } = response
    const fail = (error: HttpError) => Effect.fail(error)
    // An empty file has no range (RFC 9110 §15.5.17).
    if (status === 416 && /^bytes \*\/0$/.test(headers["content-range"] ?? "")) {
      return Effect.succeed({ identity: identityOf(response, 0), head: new Uint8Array(0) })
    }
    if (status === 200 && headers["content-length"] === "0") {
      return Effect.succeed({ identity: identityOf(response, 0), head: new Uint8Array(0) })
    }
    if (status === 200) return fail(noRanges(response))
    if (status !== 206) return fail(failure(remote, response))
    const range = rangeOf(headers)
    if (range === undefined || range.start !== 0 || range.end !== body.length) {
      return fail(permanent(response.url, "Failed", "the server answers with another range than it was asked for"))
    }
    return Effect.succeed({ identity: identityOf(response, range.size), head: body })
  })

const noRanges = ({ url }: Response): HttpError =>
  permanent(url, "NoRanges", "the server sends this file only whole, not parts of it: copy it to this machine first")

const failure = (remote: Remote, response: Response): HttpError =>
  remote.failure?.(response) ?? fromStatus(response.url, response.status)

/** What is wrong with the answer for a range. */
const problem = (
  remote: Remote,
  response: Response,
  identity: Identity,
  offset: number,
  length: number,
): HttpError | undefined => {
  const { headers, status } = response
  const changed = () =>
    permanent(response.url, "Changed", "has changed on the server since it was opened: open it again")
  // The whole file is what a server sends where the condition does not hold.
  if (status === 200) return changed()
  if (status === 412 || status === 416) return changed()
  if (status !== 206) return failure(remote, response)
  const range = rangeOf(headers)
  if (range === undefined) return permanent(response.url, "Failed", "the server does not say which range it sends")
  const now = identityOf(response, range.size)
  if (now.size !== identity.size || differ(now.etag, identity.etag)) return changed()
  // Servers behind one name may have an ETag in common and not the time.
  if (identity.etag === undefined && differ(now.modified, identity.modified)) return changed()
  return range.start === offset && range.end === offset + length
    ? undefined
    : permanent(response.url, "Failed", "the server answers with another range than it was asked for")
}

const differ = (now: string | undefined, before: string | undefined): boolean =>
  now !== undefined && before !== undefined && now !== before

const identityOf = ({ headers }: Response, size: number): Identity => ({
  size,
  etag: headers["etag"],
  modified: headers["last-modified"],
})

/** Only a strong ETag is one of bytes (RFC 9110 §13.1.5); the weak are compared by us. */
const condition = ({ etag, modified }: Identity): Headers => {
  const validator = etag === undefined || etag.startsWith("W/") ? modified : etag
  return validator === undefined ? {} : { "if-range": validator }
}

/** From `Content-Range` (RFC 9110 §14.4): start, end and size in bytes. */
const rangeOf = (headers: Headers) => {
  const [, start, last, size] = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16})$/.exec(headers["content-range"] ?? "") ?? []
  if (size === undefined || !Number.isSafeInteger(Number(size))) return undefined
  return { start: Number(start), end: Number(last) + 1, size: Number(size) }
}
