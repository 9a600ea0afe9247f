/**
 * The page: a few files that the build has made, kept in memory as they go over the wire.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as zlib from "node:zlib"
import * as HttpServerResponse from "effect/http/HttpServerResponse"

/** Answers for a path; `undefined` if it is none of the page's. */
export type PageFiles = (
  path: string,
  acceptEncoding: string | undefined,
) => HttpServerResponse.HttpServerResponse | undefined

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
}

/** Where the build puts them, from a source file or from the bundle. */
const places = ["../page", "../../dist/page"].map((place) => path.join(import.meta.dirname, place))

/** Reads the files of the page from the first of these folders that has one; `undefined` if none has. */
export const load = (folders: ReadonlyArray<string> = places): PageFiles | undefined => {
  const folder = folders.find((folder) => fs.existsSync(path.join(folder, "index.html")))
  if (folder === undefined) return undefined
  const files = new Map<string, { readonly type: string; readonly bytes: Buffer; readonly zipped: Buffer }>()
  for (const name of fs.readdirSync(folder)) {
    const type = types[path.extname(name)]
    if (type === undefined) continue
    const bytes = fs.readFileSync(path.join(folder, name))
    const at = name === "index.html" ? "/" : `/assets/${name}`
    files.set(at, { type, bytes, zipped: zlib.gzipSync(bytes, { level: 9 }) })
  }
  return (at, acceptEncoding) => {
    const file = files.get(at)
    if (file === undefined) return undefined
    const isZipped = /\bgzip\b/.test(acceptEncoding ?? "")
    return HttpServerResponse.uint8Array(isZipped ? file.zipped : file.bytes, {
      contentType: file.type,
      headers: {
        // The names of assets have a digest of what is in them.
        "cache-control": at === "/" ? "no-cache" : "private, max-age=31536000, immutable",
        vary: "accept-encoding",
        ...(isZipped && { "content-encoding": "gzip" }),
      },
    })
  }
}
