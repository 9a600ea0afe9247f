/** Serves the files of an archive over HTTP, or ranges of them: `node http-server.ts ARCHIVE PORT` */
import { createServer } from "node:http"
import { NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { Archive, PathText } from "pxar-fuse"

const [path = "backup.pxar", port = "8080"] = process.argv.slice(2)
const answer = (status: number, headers = {}) => HttpServerResponse.empty({ status, headers })

const serveFile = Effect.gen(function* () {
  const archive = yield* Archive.Archive
  const { headers, url } = yield* HttpServerRequest.HttpServerRequest
  const file = yield* archive.find(PathText.parse(decodeURIComponent(new URL(url, "http://localhost").pathname)))
  if (file.entry.body._tag !== "File") return answer(403)
  const size = file.entry.body.content.length
  const [range, first = "", last = ""] = /^bytes=(?=.*\d)(\d*)-(\d*)$/.exec(headers["range"] ?? "") ?? []
  const offset = first === "" && last !== "" ? Math.max(0, size - Number(last)) : Number(first)
  const length = (first === "" || last === "" ? size : Math.min(size, Number(last) + 1)) - offset
  if (range !== undefined && length <= 0) return answer(416, { "content-range": `bytes */${size}` })
  const contentRange = range && { "content-range": `bytes ${offset}-${offset + length - 1}/${size}` }
  return HttpServerResponse.stream(archive.content(file, { offset, length }), {
    status: range === undefined ? 200 : 206,
    contentLength: length,
    headers: { "accept-ranges": "bytes", ...contentRange },
  })
}).pipe(Effect.catchTag("PathError", () => Effect.succeed(answer(404))))

const server = HttpRouter.serve(HttpRouter.add("GET", "/*", serveFile)).pipe(
  Layer.provide(Archive.layerFile(path)),
  Layer.provide(NodeHttpServer.layer(createServer, { host: "localhost", port: Number(port) })),
)
NodeRuntime.runMain(Layer.launch(server))
