/** A web server over the files of an archive, with folders, types and ranges: `node file-server.ts ARCHIVE PORT` */
import { createServer } from "node:http"
import { NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import { Layer, Path } from "effect"
import { HttpPlatform, HttpRouter, HttpStaticServer } from "effect/http"
import { Archive } from "pxar-fuse"
import * as ArchiveFileSystem from "pxar-fuse/FileSystem"

const [path = "backup.pxar", port = "8080"] = process.argv.slice(2)

// The generic platform reads through the file system; that of Node would open paths of this machine's disk.
const files = HttpStaticServer.layer({ root: "/" }).pipe(
  Layer.provide([Path.layer, HttpPlatform.layer]),
  Layer.provide(ArchiveFileSystem.layer),
  Layer.provide(Archive.layerFile(path)),
)

const server = HttpRouter.serve(files).pipe(
  Layer.provide(NodeHttpServer.layer(createServer, { host: "localhost", port: Number(port) })),
)
NodeRuntime.runMain(Layer.launch(server))
