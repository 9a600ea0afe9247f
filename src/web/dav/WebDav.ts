/**
 * WebDAV, class 1, read-only, on `/dav/` (RFC 4918): a folder for each repository, in it its tree.
 *
 * `PROPFIND` goes one level deep; what it answers is sent while it is made, and clients that go have it ended. Symbolic
 * links, devices and sockets are not shown: WebDAV has none. What cannot be read is left out of listings, as is what a
 * datastore has not opened yet only in its size.
 */
import * as Xml from "effect/encoding/Xml"
import * as Effect from "effect/Effect"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import * as ArchivePath from "../../domain/pxar/ArchivePath.ts"
import * as Bytes from "../../domain/Bytes.ts"
import * as PathText from "../../domain/PathText.ts"
import type { Listed } from "../../services/archive/ArchiveTree.ts"
import type * as TreeWalk from "../../services/tree/TreeWalk.ts"
import * as ApiError from "../api/ApiError.ts"
import * as ContentResponse from "../ContentResponse.ts"
import * as ContentType from "../ContentType.ts"
import type { Served } from "../Served.ts"
import type { WebContext } from "../WebContext.ts"
import { WebRefusal } from "../WebRefusal.ts"
import * as DavPath from "./DavPath.ts"
import * as Multistatus from "./Multistatus.ts"
import * as PropfindBody from "./PropfindBody.ts"

const METHODS = "OPTIONS, GET, HEAD, PROPFIND"

/** Answers what is asked below `/dav`. It takes the path as it came: routers refuse what is not UTF-8. */
export const handler =
  (context: WebContext) =>
  (request: HttpServerRequest.HttpServerRequest): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
    Effect.catch(answer(context, request), (error) => Effect.succeed(refusal(error)))

/** Whether a path is below `/dav`. */
export const isBelow = (path: string): boolean => path === "/dav" || path.startsWith("/dav/")

const statuses = { NotFound: 404, BadRequest: 400, Forbidden: 403, Busy: 503, Unreadable: 500 } as const

const refusal = (error: ApiError.ApiError): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.text(`${error.message} [${error.id}]\n`, { status: statuses[error._tag] })

/** Where a path leads: to the list of repositories, or into one. */
type Place =
  | { readonly _tag: "Top" }
  | { readonly _tag: "Within"; readonly served: Served; readonly found: TreeWalk.Found; readonly href: string }

const answer = Effect.fnUntraced(function* (
  context: WebContext,
  request: HttpServerRequest.HttpServerRequest,
): Effect.fn.Return<HttpServerResponse.HttpServerResponse, ApiError.ApiError> {
  const { headers, method } = request
  if (method === "OPTIONS") {
    return HttpServerResponse.empty({ status: 200, headers: { allow: METHODS, dav: "1", "ms-author-via": "DAV" } })
  }
  if (method !== "GET" && method !== "HEAD" && method !== "PROPFIND") {
    return HttpServerResponse.text(`only reading is possible here [${WebRefusal.ids.Method}]\n`, {
      status: 405,
      headers: { allow: METHODS },
    })
  }
  const place = yield* find(context, request.url.split("?", 1)[0] as string)
  if (method === "PROPFIND") return yield* propfind(context, request, place)
  if (place._tag === "Top" || place.found.entry.body._tag === "Directory") {
    return HttpServerResponse.text("This is a folder: connect to it with a program that speaks WebDAV.\n")
  }
  if (!isShown(place.found.entry.body._tag)) return yield* notThere(PathText.print(place.found.path))
  return yield* ContentResponse.make(place.served, place.found, { method, headers }, context.downloads, false)
})

const notThere = (path: string) =>
  new ApiError.NotFound({ id: "PXF-PATH-NOT-FOUND", message: `${path}: there is nothing of that name` })

const find = Effect.fnUntraced(function* (
  context: WebContext,
  url: string,
): Effect.fn.Return<Place, ApiError.ApiError> {
  const names = DavPath.decode(url.slice("/dav".length))
  if (names === undefined) return yield* notThere(url)
  const [first, ...rest] = names
  if (first === undefined) return { _tag: "Top" }
  const served = yield* context.repository(Bytes.toText(first))
  const found = yield* ApiError.orAnswer(served.archive.find(rest.reduce(ArchivePath.join, ArchivePath.ROOT)))
  const href = ["/dav", ...names.map(DavPath.encode)].join("/")
  return { _tag: "Within", served, found, href }
})

const isShown = (kind: TreeWalk.Found["entry"]["body"]["_tag"]): boolean => kind === "File" || kind === "Directory"

const propfind = Effect.fnUntraced(function* (
  context: WebContext,
  request: HttpServerRequest.HttpServerRequest,
  place: Place,
): Effect.fn.Return<HttpServerResponse.HttpServerResponse, ApiError.ApiError> {
  const depth = request.headers["depth"] ?? "infinity"
  if (depth !== "0" && depth !== "1") {
    // RFC 4918 §9.1: a server may refuse to go all the way down, and says so like this.
    return HttpServerResponse.text(
      '<?xml version="1.0" encoding="utf-8"?>\n<D:error xmlns:D="DAV:"><D:propfind-finite-depth/></D:error>\n',
      { status: 403, contentType: "application/xml; charset=utf-8" },
    )
  }
  if (place._tag === "Within" && !isShown(place.found.entry.body._tag)) {
    return yield* notThere(PathText.print(place.found.path))
  }
  const asked = yield* askedOf(request)
  const own = resourceOf(place)
  const below = depth === "0" || !own.isFolder ? Stream.empty : children(context, place)
  const events = Stream.make(own).pipe(
    Stream.concat(below),
    Stream.map((resource) => Multistatus.response(resource, asked)),
    Stream.flattenIterable,
  )
  const xml = Stream.fromIterable(Multistatus.head).pipe(
    Stream.concat(events),
    Stream.concat(Stream.fromIterable(Multistatus.tail)),
    Stream.rechunk(4096),
    Stream.pipeThroughChannel(Xml.encode()),
  )
  const stream = yield* context.downloads.counted(xml)
  return HttpServerResponse.stream(stream, { status: 207, contentType: "application/xml; charset=utf-8" })
})

const askedOf = (
  request: HttpServerRequest.HttpServerRequest,
): Effect.Effect<Multistatus.Asked, ApiError.BadRequest> => {
  const bad = new ApiError.BadRequest({ id: WebRefusal.ids.Method, message: "the body is no PROPFIND of WebDAV" })
  const length = request.headers["content-length"]
  if (length === "0" || (length === undefined && request.headers["transfer-encoding"] === undefined)) {
    return Effect.succeed({ _tag: "All" })
  }
  if (length !== undefined && Number(length) > PropfindBody.MAX_SIZE) return Effect.fail(bad)
  return request.stream.pipe(
    Stream.mapAccum(
      () => 0,
      (sum, bytes) => [sum + bytes.length, sum > PropfindBody.MAX_SIZE ? [] : [bytes]] as const,
    ),
    Stream.runCollect,
    Effect.flatMap((parts) => PropfindBody.parse(Bytes.concat(parts))),
    Effect.mapError(() => bad),
  )
}

/** What a place is. */
const resourceOf = (place: Place): Multistatus.Resource => {
  if (place._tag === "Top") return folder("/dav/", "backups", undefined)
  const { found, href, served } = place
  const name = found.path.length === 1 ? served.id : PathText.print(found.name)
  return entryResource(served, found, href, name)
}

const folder = (href: string, displayname: string, mtime: bigint | undefined): Multistatus.Resource => ({
  href,
  isFolder: true,
  values: {
    resourcetype: "",
    displayname,
    getlastmodified: mtime === undefined ? undefined : ContentResponse.httpDate(mtime),
    creationdate: mtime === undefined ? undefined : isoDate(mtime),
    supportedlock: "",
  } as Multistatus.Resource["values"],
})

const entryResource = (
  served: Served,
  found: Pick<TreeWalk.Found, "entry" | "path">,
  href: string,
  displayname: string,
): Multistatus.Resource => {
  const { body, mtimeSeconds } = found.entry
  const base = folder(body._tag === "Directory" ? `${href}/` : href, displayname, mtimeSeconds)
  if (body._tag !== "File") return base
  return {
    href: base.href,
    isFolder: false,
    values: {
      ...base.values,
      getcontentlength: String(body.content.length),
      getcontenttype: ContentType.BYTES,
      getetag: ContentResponse.etag(served, found),
    },
  }
}

const isoDate = (seconds: bigint): string | undefined =>
  ContentResponse.httpDate(seconds) === undefined ? undefined : new Date(Number(seconds) * 1000).toISOString()

/** Children listed at once. */
const BATCH = 512

/** What is in a folder. */
const children = (context: WebContext, place: Place): Stream.Stream<Multistatus.Resource> => {
  if (place._tag === "Top") {
    return Stream.fromIterable(context.served.map(({ id }) => folder(`/dav/${encodeURIComponent(id)}/`, id, undefined)))
  }
  const { found, href, served } = place
  const { reader } = served.archive
  const resource = (child: Listed): ReadonlyArray<Multistatus.Resource> => {
    if (child._tag === "Unreadable") return []
    const at = `${href}/${DavPath.encode(child.name)}`
    const name = PathText.print(child.name)
    if (child._tag === "Unopened") return [folder(`${at}/`, name, undefined)]
    if (!isShown(child.entry.body._tag)) return []
    return [entryResource(served, { entry: child.entry, path: ArchivePath.join(found.path, child.name) }, at, name)]
  }
  return Stream.unfold(0 as number | undefined, (from) => {
    if (from === undefined) return Effect.undefined
    const batch: Array<Multistatus.Resource> = []
    let next: number | undefined
    let count = 0
    const listed = reader.list(found.node, from, (child, following) => {
      batch.push(...resource(child))
      count++
      if (count < BATCH) return true
      next = following
      return false
    })
    return Effect.map(
      Effect.catch(listed, (error) => Effect.logWarning(`${PathText.print(found.path)}: ${error.message}`)),
      () => [batch, next] as const,
    )
  }).pipe(Stream.flattenIterable)
}
