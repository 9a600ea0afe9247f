/**
 * The double of a backup server answers as the real one did: the requests that were recorded from one, over the same
 * datastore, are asked of it once more.
 */
import * as fs from "node:fs"
import * as http2 from "node:http2"
import * as https from "node:https"
import * as path from "node:path"
import type { Duplex } from "node:stream"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as BackupServer from "./BackupServer.ts"
import * as Datastores from "./Datastores.ts"
import * as Processes from "./Processes.ts"

const fixtures = path.join(import.meta.dirname, "../../fixtures/datastore/real")
const recorded = (file: string) => JSON.parse(fs.readFileSync(path.join(fixtures, file), "utf8"))

const authorization = `PBSAPIToken ${BackupServer.TOKEN}:${BackupServer.SECRET}`

interface Recorded {
  readonly label: string
  readonly status: number
  readonly body: string
}

interface Reply {
  readonly status: number
  readonly body: Buffer
  readonly socket?: Duplex
}

const ask = (port: number, options: https.RequestOptions, body?: string) =>
  Effect.callback<Reply>((resume) => {
    const request = https.request({ host: "127.0.0.1", port, rejectUnauthorized: false, agent: false, ...options })
    request.on("response", (response) => {
      const pieces: Array<Buffer> = []
      response.on("data", (piece: Buffer) => pieces.push(piece))
      response.on("end", () =>
        resume(Effect.succeed({ status: response.statusCode ?? 0, body: Buffer.concat(pieces) })),
      )
    })
    request.on("upgrade", (response, socket, head) => {
      if (head.length > 0) socket.unshift(head)
      resume(Effect.succeed({ status: response.statusCode ?? 0, body: Buffer.alloc(0), socket }))
    })
    request.end(body)
  })

/** Lists in any order, without what a clock or another disk makes different. */
const sorted = (text: string): unknown => {
  try {
    const { data } = JSON.parse(text) as { readonly data: unknown }
    return Array.isArray(data)
      ? data
          .map((row: Record<string, unknown>) =>
            Array.isArray(row["files"])
              ? { ...row, files: row["files"].map((file) => JSON.stringify(sortKeys(file))).toSorted() }
              : row,
          )
          .map((row) => JSON.stringify(sortKeys(row)))
          .toSorted()
      : data
  } catch {
    return text
  }
}
const sortKeys = (value: unknown): unknown =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(
        Object.entries(value)
          .map(([key, inner]) => [key, sortKeys(inner)] as const)
          .toSorted(([a], [b]) => (a < b ? -1 : 1)),
      )
    : value

describe("the double of a backup server", () => {
  const calls = new Set(["namespace", "groups", "snapshots", "files", "group-notes", "notes", "protected"])
  const rows = (recorded("rest/listing.json") as ReadonlyArray<Recorded>).filter(({ label }) =>
    calls.has(label.split("?")[0]!),
  )
  it.live.each(rows)("answers $label as recorded", ({ body, label, status }) =>
    Effect.gen(function* () {
      const server = yield* BackupServer.make(Datastores.realStore())
      const reply = yield* ask(server.port, {
        path: `/api2/json/admin/datastore/real/${label}`,
        headers: { authorization },
      })
      assert.strictEqual(reply.status, status)
      assert.deepStrictEqual(sorted(reply.body.toString()), sorted(body))
    }),
  )

  it.live("refuses those who prove nothing, after a while, and says nothing of why", () =>
    Effect.gen(function* () {
      const server = yield* BackupServer.make(Datastores.realStore())
      for (const headers of [{}, { authorization: `PBSAPIToken ${BackupServer.TOKEN}:bad` }]) {
        const reply = yield* ask(server.port, { path: "/api2/json/version", headers })
        assert.deepStrictEqual([reply.status, reply.body.toString()], [401, "authentication failed"])
      }
    }),
  )

  it.live("does not take a path and query of more than 3072 bytes", () =>
    Effect.gen(function* () {
      const server = yield* BackupServer.make(Datastores.realStore())
      const long = `/api2/json/version?x=${"y".repeat(3072)}`
      assert.strictEqual((yield* ask(server.port, { path: long, headers: { authorization } })).status, 414)
    }),
  )

  const refused = (recorded("rest/reader.json") as ReadonlyArray<Recorded>).filter(
    ({ label, status }) => status === 400 && /^(?:store|snapshot|group|ns) unknown$/.test(label),
  )
  it.live.each(refused)("refuses an upgrade as recorded: $label", ({ body, label }) =>
    Effect.gen(function* () {
      const server = yield* BackupServer.make(Datastores.realStore())
      const query = new URLSearchParams({
        store: label === "store unknown" ? "nope" : "real",
        "backup-type": "host",
        "backup-id": label === "group unknown" ? "nope" : "legacy",
        "backup-time": label === "snapshot unknown" ? "1750000001" : "1750000000",
        ...(label === "ns unknown" ? { ns: "nope" } : {}),
      })
      const reply = yield* ask(server.port, upgrade(query.toString()))
      assert.deepStrictEqual([reply.status, reply.body.toString()], [400, body])
    }),
  )

  const transcripts = fs
    .readdirSync(path.join(fixtures, "transcript"))
    .filter((name) => recorded(`transcript/${name}/transcript.json`).http2?.exchanges.length > 0)
  it.live.each(transcripts)("gives in a tunnel what was recorded: %s", (name) =>
    Effect.gen(function* () {
      const server = yield* BackupServer.make(Datastores.realStore())
      const { http1, http2: session } = recorded(`transcript/${name}/transcript.json`)
      const [, target] = /^GET (\S+)/.exec(http1.at(-1).request_head)!
      const { socket, status } = yield* ask(server.port, upgrade(target!.split("?")[1]!))
      assert.strictEqual(status, 101)
      const client = http2.connect("https://x", { createConnection: () => socket! })
      for (const { request_headers, response_body, response_headers } of session.exchanges) {
        const at = request_headers.find(([key]: [string]) => key === ":path")[1]
        const reply = yield* inTunnel(client, at)
        const wanted = response_headers.filter(([key]: [string]) => key !== "date")
        assert.deepStrictEqual(
          wanted.map(([key]: [string]) => String(reply.headers[key])),
          wanted.map(([, value]: [string, string]) => value),
        )
        const bytes = fs.readFileSync(path.join(fixtures, "transcript", name, response_body.file))
        assert.isTrue(reply.body.equals(bytes), at)
      }
      client.destroy()
    }),
  )

  it.live("gives no chunk of an index that was not downloaded", () =>
    Effect.gen(function* () {
      const server = yield* BackupServer.make(Datastores.realStore())
      const { socket } = yield* ask(
        server.port,
        upgrade("backup-type=host&backup-id=legacy&backup-time=1750000000&store=real"),
      )
      const client = http2.connect("https://x", { createConnection: () => socket! })
      const digest = "57438690e68d8713187053d03fac33a95525b47fb295ea3262f08200c54c1b0b"
      const before = yield* inTunnel(client, `/chunk?digest=${digest}`)
      assert.deepStrictEqual([before.status, before.body.toString()], [401, `download chunk ${digest} not allowed`])
      yield* inTunnel(client, "/download?file-name=tree.pxar.didx")
      assert.strictEqual((yield* inTunnel(client, `/chunk?digest=${digest}`)).body.length, 333_320)
      client.destroy()
    }),
  )

  it.live("ends a connection on which many requests are cancelled before they are answered", () =>
    Effect.gen(function* () {
      const server = yield* BackupServer.make(Datastores.realStore())
      const { socket } = yield* ask(
        server.port,
        upgrade("backup-type=host&backup-id=legacy&backup-time=1750000000&store=real"),
      )
      const client = http2.connect("https://x", { createConnection: () => socket! })
      client.on("error", () => {})
      const closed = Effect.callback<void>((resume) => void client.on("close", () => resume(Effect.void)))
      server.hold()
      const streams = Array.from({ length: 30 }, () =>
        client.request({ ":path": "/download?file-name=index.json.blob" }),
      )
      const asked = Effect.sync(() => server.requests.length)
      yield* Processes.eventually("30 requests", asked, (count) => count === 31)
      for (const stream of streams) stream.on("error", () => {}).close(http2.constants.NGHTTP2_CANCEL)
      yield* closed
      assert.strictEqual(server.dismissed(), 1)
      server.resume()
    }),
  )
})

const upgrade = (query: string): https.RequestOptions => ({
  path: `/api2/json/reader?${query}`,
  headers: { authorization, connection: "upgrade", upgrade: "proxmox-backup-reader-protocol-v1" },
})

const inTunnel = (client: http2.ClientHttp2Session, at: string) =>
  Effect.callback<Reply & { readonly headers: http2.IncomingHttpHeaders }>((resume) => {
    const stream = client.request({ ":path": at })
    const pieces: Array<Buffer> = []
    let headers: http2.IncomingHttpHeaders = {}
    stream.on("response", (found) => (headers = found))
    stream.on("data", (piece: Buffer) => pieces.push(piece))
    stream.on("close", () =>
      resume(Effect.succeed({ status: Number(headers[":status"]), headers, body: Buffer.concat(pieces) })),
    )
    stream.end()
  })
