/** `serve --chunks`: a datastore as a source for others, over sockets. */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ChunkServer from "../../support/ChunkServer.ts"
import * as Datastores from "../../support/Datastores.ts"
import * as Processes from "../../support/Processes.ts"
import { encrypted, output, plain, run } from "./stores.ts"

/** The environment of a command that knows it as the place `other`. */
const knowing = Effect.fnUntraced(function* ({ token, url }: ChunkServer.ChunkServer) {
  const folder = yield* Processes.temporaryFolder
  fs.mkdirSync(path.join(folder, "pxar-fuse"))
  const places = { other: { address: `${url}chunks/`, user: "x", password: { env: "TOKEN" } } }
  fs.writeFileSync(path.join(folder, "pxar-fuse/places.json"), JSON.stringify(places), { mode: 0o600 })
  return { XDG_CONFIG_HOME: folder, XDG_CACHE_HOME: path.join(folder, "cache"), TOKEN: token }
})

describe("serve --chunks", () => {
  it.live("is a datastore for others, encrypted ones too", () =>
    Effect.gen(function* () {
      const env = yield* Effect.flatMap(ChunkServer.start(encrypted), knowing)
      const keys = ["--key-file", Datastores.keyFile("key1-none.json")]
      const local = yield* run(["snapshots", encrypted, ...keys])
      const remote = yield* run(["snapshots", "place:other", ...keys], env)
      const named = (text: string) => text.replaceAll(/^ {4}.*\/(host|ns)\//gm, "    $1/")
      assert.strictEqual(named(remote.stdout), named(local.stdout))
      assert.strictEqual(remote.code, local.code)
    }),
  )

  it.live("heals a copy that lacks chunks, by --also", () =>
    Effect.gen(function* () {
      const env = yield* Effect.flatMap(ChunkServer.start(plain), knowing)
      const copy = Datastores.copyOf(plain)
      yield* Effect.addFinalizer(() => Effect.sync(copy.dispose))
      fs.rmSync(path.join(copy.path, ".chunks"), { recursive: true })
      fs.mkdirSync(path.join(copy.path, ".chunks"))
      const listed = yield* run(["list", "--also", "place:other", `${copy.path}::host/beta/latest`], env)
      assert.strictEqual(listed.code, 0, listed.stderr)
      assert.strictEqual(listed.stdout, yield* output(["list", `${plain}::host/beta/latest`]))
    }),
  )

  it.live("says that chunks and indexes never change, gives ranges, and nothing else that is in the folder", () =>
    Effect.gen(function* () {
      const { token, url } = yield* ChunkServer.start(plain)
      const get = (name: string, headers: Record<string, string> = {}) =>
        Effect.promise(() =>
          fetch(`${url}chunks/${name}`, { headers: { authorization: `Bearer ${token}`, ...headers } }),
        )
      const json = (name: string) =>
        Effect.flatMap(get(name), (response) =>
          Effect.promise(() => response.json() as Promise<ReadonlyArray<{ name: string; type: string }>>),
        )
      const [folder] = yield* json(".chunks/")
      const [chunk] = yield* json(`.chunks/${folder!.name}/`)
      const name = `.chunks/${folder!.name}/${chunk!.name}`
      const bytes = fs.readFileSync(path.join(plain, name))
      const whole = yield* get(name)
      assert.include(whole.headers.get("cache-control") ?? "", "immutable")
      assert.isTrue(Buffer.from(yield* Effect.promise(() => whole.arrayBuffer())).equals(bytes))
      const part = yield* get(name, { range: "bytes=2-5" })
      assert.deepStrictEqual([part.status, part.headers.get("content-range")], [206, `bytes 2-5/${bytes.length}`])
      assert.isTrue(Buffer.from(yield* Effect.promise(() => part.arrayBuffer())).equals(bytes.subarray(2, 6)))
      assert.strictEqual((yield* get(name, { "if-none-match": whole.headers.get("etag")! })).status, 304)
      for (const other of [
        ".lock",
        "..%2f..%2fetc%2fpasswd",
        "nothing",
        ".chunks/0000/x",
        "host/alpha/..%2f..%2f.lock",
      ])
        assert.strictEqual((yield* get(other)).status, 404, other)
      assert.strictEqual((yield* Effect.promise(() => fetch(`${url}chunks/${name}`))).status, 401)
    }),
  )
})
