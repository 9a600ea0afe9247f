/**
 * A folder on a web server as a store of blobs.
 *
 * Folders are listed as JSON: the form is that of nginx (`autoindex_format json`), which `serve --chunks` answers too.
 * Blobs are files below the folder's URL.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { HttpClient, Response } from "../http/HttpClient.ts"
import { fromStatus, type HttpError, permanent, shown } from "../http/HttpError.ts"
import * as BlobStore from "./BlobStore.ts"
import { fromHttp } from "./S3BlobStore.ts"

/** What a server says of a folder: other fields, such as sizes, are not looked at. */
export const Listing = Schema.Array(
  Schema.Struct({ name: Schema.String, type: Schema.Literals(["file", "directory", "other"]) }),
)

const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(Listing))
const decoder = new TextDecoder()

/** Bytes of a folder's listing: 65,536 chunk folders with all that nginx says of each. */
const MOST_OF_LISTING = 64 * 1024 * 1024
/** Where chunks are. nginx does not list what begins with a dot. */
const CHUNKS = ".chunks"

/** The store at a URL that ends with a slash. */
export const make = (client: HttpClient, url: string): BlobStore.BlobStore => {
  const name = shown(url).replace(/\/$/, "")
  const at = (path: string): string => new URL(path.split("/").map(encodeURIComponent).join("/"), url).href
  const fail = (blob: string) => (error: HttpError) => fromHttp(name, blob, error)
  const checked = <A>(blob: string, effect: Effect.Effect<A, HttpError>) =>
    blob === "" || BlobStore.isSafe(blob)
      ? Effect.mapError(effect, fail(blob))
      : Effect.fail(
          new BlobStore.BlobError({
            store: name,
            blob,
            reason: "Denied",
            detail: "leads out of the folder",
            isTransient: false,
          }),
        )

  const list = (folder: string): Effect.Effect<ReadonlyArray<BlobStore.Item>, HttpError> =>
    Effect.flatMap(
      client.request({
        url: folder === "" ? url : `${at(folder)}/`,
        headers: { accept: "application/json" },
        limit: MOST_OF_LISTING,
      }),
      listed,
    )

  return {
    name,
    list: (folder) =>
      checked(
        folder,
        folder !== ""
          ? list(folder)
          : Effect.flatMap(list(""), (items) =>
              items.some((item) => item.name === CHUNKS)
                ? Effect.succeed(items)
                : Effect.match(list(CHUNKS), {
                    // Then it is no datastore.
                    onFailure: () => items,
                    onSuccess: () => [...items, { name: CHUNKS, kind: "folder" as const }],
                  }),
            ),
      ),
    read: (blob, limit) =>
      checked(
        blob,
        Effect.flatMap(client.request({ url: at(blob), limit }), (response) =>
          response.status === 200
            ? Effect.succeed(response.body)
            : Effect.fail(fromStatus(response.url, response.status)),
        ),
      ),
  }
}

const listed = (response: Response): Effect.Effect<ReadonlyArray<BlobStore.Item>, HttpError> => {
  if (response.status !== 200) return Effect.fail(fromStatus(response.url, response.status))
  return Effect.matchEffect(decode(decoder.decode(response.body)), {
    onFailure: () => {
      const hint = "serve it with pxar-fuse serve --chunks, or nginx with `autoindex on; autoindex_format json;`"
      return Effect.fail(permanent(response.url, "Failed", `the server does not list this folder as JSON: ${hint}`))
    },
    onSuccess: (items) =>
      Effect.succeed(
        items.flatMap((item): ReadonlyArray<BlobStore.Item> => {
          const name = item.name.replace(/\/$/, "")
          const isName = BlobStore.isSafe(name) && !name.includes("/")
          return isName ? [{ name, kind: item.type === "directory" ? "folder" : "blob" }] : []
        }),
      ),
  })
}
