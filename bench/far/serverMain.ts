/**
 * `node serverMain.ts FOLDER [HOST]`: the folder as a plain web server has it, on a port that it prints. Folders are listed
 * as nginx does (`autoindex_format json`); a folder in it is also a bucket, which is listed as S3 does and checks no
 * signature. It delays nothing: that is for the line in front of it.
 */
import * as fs from "node:fs"
import * as http from "node:http"
import type { AddressInfo } from "node:net"
import * as path from "node:path"

const root = path.resolve(process.argv[2] ?? ".")
const host = process.argv[3] ?? "127.0.0.1"

/** A listing of a bucket, by its delimiter: all that is below has no name of its own. */
const listing = (bucket: string, prefix: string): string => {
  const folder = path.join(bucket, prefix)
  const items = fs.existsSync(folder) ? fs.readdirSync(folder, { withFileTypes: true }) : []
  const escape = (name: string) => encodeURIComponent(prefix + name)
  const rows = items.map((item) =>
    item.isDirectory()
      ? `<CommonPrefixes><Prefix>${escape(item.name)}%2F</Prefix></CommonPrefixes>`
      : `<Contents><Key>${escape(item.name)}</Key></Contents>`,
  )
  return `<ListBucketResult><IsTruncated>false</IsTruncated><EncodingType>url</EncodingType>${rows.join("")}</ListBucketResult>`
}

const server = http.createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://x")
  const file = path.join(root, path.normalize(decodeURIComponent(pathname)))
  if (searchParams.has("list-type")) {
    return void response.writeHead(200).end(listing(file, searchParams.get("prefix") ?? ""))
  }
  const stats = fs.statSync(file, { throwIfNoEntry: false })
  if (stats === undefined) return void response.writeHead(404).end()
  if (stats.isDirectory()) {
    const items = fs.readdirSync(file, { withFileTypes: true })
    const listing = items.map((item) => ({ name: item.name, type: item.isDirectory() ? "directory" : "file" }))
    return void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(listing))
  }
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? []
  const start = Number(from ?? 0)
  const end = to === undefined || to === "" ? stats.size - 1 : Math.min(Number(to), stats.size - 1)
  response.writeHead(from === undefined ? 200 : 206, {
    "accept-ranges": "bytes",
    "content-length": Math.max(0, end - start + 1),
    "last-modified": stats.mtime.toUTCString(),
    ...(from === undefined ? {} : { "content-range": `bytes ${start}-${end}/${stats.size}` }),
  })
  if (request.method === "HEAD" || stats.size === 0) return void response.end()
  fs.createReadStream(file, { start, end, highWaterMark: 1024 * 1024 }).pipe(response)
})
server.keepAliveTimeout = 60_000
server.listen(0, host, () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`))
