/**
 * The files of datastores, as another of us, nginx or a CDN takes them: chunks and indexes, which never change and may be
 * kept for ever, and what stands beside them. Folders are listed in the form of nginx (`autoindex_format json`).
 *
 * Files go out as they are stored, encrypted ones so. Names that a datastore does not have are not given out.
 */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Layer from "effect/Layer"
import * as Semaphore from "effect/Semaphore"
import * as BlobStore from "../../services/blobs/BlobStore.ts"
import * as ByteRange from "../ByteRange.ts"

/** What is below this path; each datastore below its id there. */
export const PATH = "/chunks"

/** A datastore, and where it is below `PATH`: nothing for one alone. */
export interface Source {
  readonly id: string
  readonly store: BlobStore.BlobStore
}

/** Bytes of a chunk with its header, and of an index or a blob. */
const MOST_OF_CHUNK = 16 * 1024 * 1024 + 4096
const MOST_OF_FILE = 256 * 1024 * 1024
/** Files that are read at once: each is whole in memory. */
const AT_ONCE = 16

const IMMUTABLE = "public, max-age=31536000, immutable"

/** Routes to these datastores. */
export const layer = (sources: ReadonlyArray<Source>): Layer.Layer<never, never, HttpRouter.HttpRouter> =>
  HttpRouter.add("GET", `${PATH}/*`, (request) => answer(sources, request))

const reading = Semaphore.makeUnsafe(AT_ONCE)

const plain = (status: number, text: string) => HttpServerResponse.text(`${text}\n`, { status })

const answer = (sources: ReadonlyArray<Source>, request: HttpServerRequest.HttpServerRequest) =>
  Effect.suspend(() => {
    const path = pathOf(request.url)
    const source =
      path === undefined ? undefined : sources.find(({ id }) => id === "" || path === id || path.startsWith(`${id}/`))
    if (path === undefined || source === undefined) return Effect.succeed(plain(404, "not there"))
    const within = path.slice(source.id.length).replace(/^\//, "")
    const name = within.replace(/\/$/, "")
    const isFolder = within === "" || within.endsWith("/")
    if (name !== "" && (!BlobStore.isSafe(name) || !isGivenOut(name))) return Effect.succeed(plain(404, "not there"))
    return Effect.match(isFolder ? list(source.store, name) : file(source.store, name, request), {
      onFailure: refused,
      onSuccess: (response) => response,
    })
  })

/** The path below `PATH`, unescaped. */
const pathOf = (url: string): string | undefined => {
  try {
    return decodeURIComponent((url.split("?", 1)[0] as string).slice(PATH.length + 1))
  } catch {
    return undefined
  }
}

/** Chunks, and what is in folders of groups: no lock and nothing else that begins with a dot. */
const isGivenOut = (name: string): boolean =>
  /^\.chunks(?:\/[0-9a-f]{4}(?:\/[0-9a-f]{64}(?:\.\d\.bad)?)?)?$/.test(name) ||
  (/^(?:ns|host|vm|ct)(?:\/|$)/.test(name) &&
    name.split("/").every((part) => !part.startsWith(".") || part === ".protected"))

const list = (store: BlobStore.BlobStore, folder: string) =>
  Effect.map(store.list(folder), (items) =>
    HttpServerResponse.jsonUnsafe(
      items
        .filter(({ name }) => isGivenOut(folder === "" ? name : `${folder}/${name}`))
        .map(({ kind, name }) => ({ name, type: kind === "folder" ? "directory" : "file" })),
      { headers: { "cache-control": "no-cache" } },
    ),
  )

const file = (store: BlobStore.BlobStore, name: string, { headers }: HttpServerRequest.HttpServerRequest) => {
  const isChunk = name.startsWith(".chunks/")
  // By its name: a chunk's is its digest, an index's has the time of its backup.
  const isFixed = (isChunk && !name.endsWith(".bad")) || /\.[df]idx$/.test(name)
  const etag = isFixed ? `"${isChunk ? name.slice(-64) : Buffer.from(name).toString("base64url")}"` : undefined
  const fixed = etag === undefined ? { "cache-control": "no-cache" } : { "cache-control": IMMUTABLE, etag }
  if (etag !== undefined && headers["if-none-match"] === etag) {
    return Effect.succeed(HttpServerResponse.empty({ status: 304, headers: fixed }))
  }
  return reading.withPermits(1)(
    Effect.map(store.read(name, isChunk ? MOST_OF_CHUNK : MOST_OF_FILE), (bytes) => {
      const more = { ...fixed, "accept-ranges": "bytes" }
      const contentType = "application/octet-stream"
      const condition = headers["if-range"]
      const wanted = condition === undefined || condition === etag ? headers["range"] : undefined
      const range = ByteRange.parse(wanted, bytes.length)
      if (range === undefined) return HttpServerResponse.uint8Array(bytes, { headers: more, contentType })
      if (range === "unsatisfiable") {
        return HttpServerResponse.empty({ status: 416, headers: { "content-range": `bytes */${bytes.length}` } })
      }
      const end = range.start + range.length
      return HttpServerResponse.uint8Array(bytes.subarray(range.start, end), {
        status: 206,
        headers: { ...more, "content-range": `bytes ${range.start}-${end - 1}/${bytes.length}` },
        contentType,
      })
    }),
  )
}

/** What could not be read says nothing of what is there, unless it is not there. */
const refused = ({ isTransient, reason }: BlobStore.BlobError): HttpServerResponse.HttpServerResponse => {
  if (reason === "NotFound") return plain(404, "not there")
  return plain(reason === "Denied" ? 403 : isTransient ? 503 : 500, "cannot be read")
}
