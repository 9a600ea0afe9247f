/** A mount with the page and WebDAV beside it: one process, one cache. */
import * as crypto from "node:crypto"
import * as fs from "node:fs"
import * as http from "node:http"
import type { AddressInfo } from "node:net"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as Command from "../../support/Command.ts"
import * as Datastores from "../../support/Datastores.ts"
import * as Golden from "../../support/Golden.ts"
import * as Nginx from "../../support/Nginx.ts"
import * as Processes from "../../support/Processes.ts"
import { need } from "../../support/Requirements.ts"
import { send } from "../../web/harness.ts"

beforeEach(need({ mount: true }))

/** A datastore on a web server that counts what is fetched. */
const counted = Effect.fnUntraced(function* (root: string) {
  const fetched: Array<string> = []
  const server = http.createServer((request, response) => {
    const name = decodeURIComponent(request.url!.slice(1))
    const file = path.join(root, name)
    if (!fs.existsSync(file)) return void response.writeHead(404).end()
    if (!fs.statSync(file).isDirectory()) {
      fetched.push(name)
      return void response.end(fs.readFileSync(file))
    }
    const items = fs.readdirSync(file, { withFileTypes: true })
    response.end(
      JSON.stringify(items.map((item) => ({ name: item.name, type: item.isDirectory() ? "directory" : "file" }))),
    )
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
    () =>
      Effect.callback<void>((resume) => {
        server.closeAllConnections()
        server.close(() => resume(Effect.void))
      }),
  )
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, fetched }
})

const linkOf = (child: Processes.Process) =>
  Effect.map(
    Processes.eventually(
      "the link",
      Effect.sync(() => child.stdout().toString()),
      (text) => text.includes("\n"),
    ),
    (text) => {
      const [url = "", token = ""] = text.trim().split("#token=")
      return { port: Number(new URL(url).port), token }
    },
  )

describe("a mount with --serve", () => {
  it.live("fetches a chunk once for the kernel, the page, WebDAV and those who take chunks, at the same time", () =>
    Effect.gen(function* () {
      const { fetched, url } = yield* counted(Datastores.store("datastore-plain"))
      const mountPoint = yield* Processes.mountPoint()
      const child = yield* Command.start([
        "mount",
        "--foreground",
        "--no-cache",
        "--serve",
        "127.0.0.1:0",
        url,
        mountPoint,
      ])
      const { port, token } = yield* linkOf(child)
      const folder = "host/alpha/2024-02-01T03:00:00Z/root.pxar/sizes"
      yield* Processes.eventually(
        "the mount",
        Processes.run("ls", [path.join(mountPoint, folder)]),
        ({ code }) => code === 0,
      )
      const headers = { authorization: `Bearer ${token}` }
      const repositories = (yield* send(port, "/api/v1/server", { headers })).json.repositories
      const content = `/api/v1/repositories/${repositories[0].id}/content?path=/${folder}/s1048576`
      // Which chunks the file is in, told by who fetches nothing here.
      const inspected = yield* Command.run([
        "inspect",
        `${Datastores.store("datastore-plain")}::${folder.replace(/\/sizes$/, "")}/sizes/s1048576`,
        "--json",
      ])
      const own = [...new Set(inspected.stdout.toString().match(/\b[0-9a-f]{64}\b/g))]
      assert.isAbove(own.length, 5)
      const [seen, page, dav, ...given] = yield* Effect.all(
        [
          Processes.run("sha256sum", [path.join(mountPoint, folder, "s1048576")]),
          send(port, content, { headers }),
          send(port, `/dav/${repositories[0].id}/${folder}/s1048576`, { headers }),
          ...own.map((name) => send(port, `/chunks/.chunks/${name.slice(0, 4)}/${name}`, { headers })),
        ],
        { concurrency: "unbounded" },
      )
      for (const [at, name] of own.entries()) {
        const stored = fs.readFileSync(
          path.join(Datastores.store("datastore-plain"), ".chunks", name.slice(0, 4), name),
        )
        assert.isTrue(given[at]!.body.equals(stored), name)
      }
      const digest = crypto.createHash("sha256").update(page.body).digest("hex")
      assert.strictEqual(page.body.length, 1_048_576)
      assert.isTrue(page.body.equals(dav.body))
      assert.strictEqual(seen.stdout.toString().split(" ")[0], digest)
      const chunks = fetched.filter((name) => name.startsWith(".chunks/"))
      assert.isAbove(chunks.length, 5)
      assert.deepStrictEqual(chunks.toSorted(), [...new Set(chunks)].toSorted())
      assert.strictEqual((yield* send(port, content, {})).status, 401)
      yield* Processes.run("umount", [mountPoint])
      assert.strictEqual((yield* child.ended).code, 0)
    }),
  )

  it.live("goes on in the background, and ends with the mount", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const free = yield* Nginx.freePort
      const mounted = yield* Command.run(["mount", "--serve", String(free), Golden.helloV1.archive, mountPoint])
      assert.strictEqual(mounted.code, 0, mounted.stderr)
      const [, port, token] = /^http:\/\/127\.0\.0\.1:(\d+)\/#token=(\S+)\n$/.exec(mounted.stdout.toString()) ?? []
      assert.strictEqual(Number(port), free)
      const headers = { authorization: `Bearer ${token}` }
      assert.strictEqual((yield* send(free, "/api/v1/server", { headers })).status, 200)
      yield* Command.run(["unmount", mountPoint])
      yield* Processes.eventually(
        "the port to be free",
        Effect.result(Effect.catchDefect(send(free, "/api/v1/health", {}), (error) => Effect.fail(error))),
        ({ _tag }) => _tag === "Failure",
      )
    }),
  )

  it.live.each([
    [["--serve", "0.0.0.0:8017"], "loopback only"],
    [["--serve", "0"], "needs a port"],
    [["--serve", "8017", "--subdir", "x"], "--subdir"],
  ] as const)("%j is refused", ([flags, words]) =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const { code, stderr } = yield* Command.run(["mount", ...flags, Golden.helloV1.archive, mountPoint])
      assert.strictEqual(code, ExitCode.USAGE)
      assert.include(stderr, words)
    }),
  )
})
