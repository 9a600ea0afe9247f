/**
 * The examples of `docs/embedding.md`, run as programs of their own. `npm run check:package` runs this file again, over
 * copies in a project that has installed the package, with each supported version of Node.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Datastores from "../support/Datastores.ts"
import * as Golden from "../support/Golden.ts"
import * as Processes from "../support/Processes.ts"
import * as RangeServer from "../support/RangeServer.ts"
import { need } from "../support/Requirements.ts"

const folder = process.env["PXAR_FUSE_EXAMPLES"] ?? path.join(import.meta.dirname, "../../examples")
const node = process.env["PXAR_FUSE_NODE"] ?? process.execPath
const hello = Golden.helloV1.archive

const start = (example: string, ...args: ReadonlyArray<string>) =>
  Processes.start(node, [path.join(folder, example), ...args])

/** Waits until a program has printed a line; gives what the pattern captures. */
const line = (program: Processes.Process, pattern: RegExp) =>
  Effect.map(
    Processes.eventually(
      `${pattern} in the output`,
      Effect.sync(() => program.stdout().toString() + program.stderr()),
      (text) => pattern.test(text),
    ),
    (text) => pattern.exec(text)?.[1] ?? "",
  )

/** The end of a program without complaints: what it has printed. */
const ended = Effect.fnUntraced(function* (program: Processes.Process) {
  const { code, stderr, stdout } = yield* program.ended
  assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
  return stdout.toString()
})

const unmount = (mountPoint: string) => Processes.run("umount", [mountPoint])

it.live("walk.ts prints the tree, and how many bytes its files have", () =>
  Effect.gen(function* () {
    const output = yield* ended(yield* start("walk.ts", hello))
    assert.strictEqual(output, "/ (Directory)\n/hello (File)\n/link (Symlink)\n3 bytes\n")
  }),
)

it.live("datastore.ts prints the newest finished backup of every group", () =>
  Effect.gen(function* () {
    const newest = (text: string) =>
      text
        .split("\n")
        .slice(0, -2)
        .map((line) => line.replace(/: [1-9]\d* entries$/, ""))
    const output = yield* ended(yield* start("datastore.ts", Datastores.store("datastore-plain")))
    const expected = [
      "host/alpha/2024-04-01T03:00:00Z/root.pxar",
      "host/alpha/2024-04-01T03:00:00Z/data.pxar",
      "host/beta/2024-01-16T12:30:45Z/synth.pxar",
      "ns/a/ct/100/2024-01-03T00:00:00Z/root.pxar",
      "ns/a/ns/b/host/alpha/2024-01-06T00:00:00Z/etc.pxar",
    ]
    assert.deepStrictEqual(newest(output), expected)
    assert.match(output, /\n[1-9]\d* bytes read\n$/)
    // The same backups, encrypted; without the group whose chunks are of other keys.
    const copy = yield* Effect.acquireRelease(
      Effect.sync(() => Datastores.copyOf(Datastores.store("datastore-encrypted"))),
      ({ dispose }) => Effect.sync(dispose),
    )
    fs.rmSync(path.join(copy.path, "host/keys"), { recursive: true })
    const encrypted = yield* ended(yield* start("datastore.ts", copy.path, Datastores.keyFile("key1-none.json")))
    assert.deepStrictEqual(newest(encrypted), expected)
  }),
)

it.live("http-server.ts serves files and ranges of them", () =>
  Effect.gen(function* () {
    const server = yield* start("http-server.ts", hello, "0")
    const address = yield* line(server, /Listening on (\S+)/)
    const get = (url: string, range?: string) =>
      Effect.promise(async () => {
        const response = await fetch(address + url, { headers: { ...(range !== undefined && { range }) } })
        return [response.status, response.headers.get("content-range"), await response.text()] as const
      })
    assert.deepStrictEqual(yield* get("/hello"), [200, null, "hi\n"])
    assert.deepStrictEqual(yield* get("/hello", "bytes=1-"), [206, "bytes 1-2/3", "i\n"])
    assert.deepStrictEqual(yield* get("/hello", "bytes=0-0"), [206, "bytes 0-0/3", "h"])
    assert.deepStrictEqual(yield* get("/hello", "bytes=1-99"), [206, "bytes 1-2/3", "i\n"])
    assert.deepStrictEqual(yield* get("/hello", "bytes=-1"), [206, "bytes 2-2/3", "\n"])
    assert.deepStrictEqual(yield* get("/hello", "bytes=3-"), [416, "bytes */3", ""])
    assert.deepStrictEqual(yield* get("/hello", "bytes=-"), [200, null, "hi\n"])
    assert.deepStrictEqual(yield* get("/nothing"), [404, null, ""])
    assert.deepStrictEqual(yield* get("/"), [403, null, ""])
  }),
)

it.live("file-server.ts serves files and ranges of them, and none of this machine", () =>
  Effect.gen(function* () {
    const server = yield* start("file-server.ts", hello, "0")
    const address = yield* line(server, /Listening on (\S+)/)
    const get = (url: string, range?: string) =>
      Effect.promise(async () => {
        const response = await fetch(address + url, { headers: { ...(range !== undefined && { range }) } })
        return [response.status, await response.text()] as const
      })
    assert.deepStrictEqual(yield* get("/hello"), [200, "hi\n"])
    assert.deepStrictEqual(yield* get("/link"), [200, "hi\n"])
    assert.deepStrictEqual(yield* get("/hello", "bytes=1-"), [206, "i\n"])
    assert.strictEqual((yield* get(import.meta.filename))[0], 404)
  }),
)

it.live("entry-json.ts prints an entry that a schema reads, or an id", () =>
  Effect.gen(function* () {
    const output = yield* ended(yield* start("entry-json.ts", hello, "hello"))
    const [text = "", told] = output.split("\n")
    assert.deepInclude(JSON.parse(text), { path: "/hello", kind: "file", size: 3 })
    assert.strictEqual(told, "a file of 3 bytes")
    assert.strictEqual(yield* ended(yield* start("entry-json.ts", hello, "nope")), "PXF-PATH-NOT-FOUND\n")
    assert.strictEqual(yield* ended(yield* start("entry-json.ts", "/nowhere.pxar")), "PXF-OPEN-MISSING\n")
  }),
)

it.live("backup.ts archives a folder and finds the archive sound", () =>
  Effect.gen(function* () {
    const place = yield* Processes.temporaryFolder
    fs.mkdirSync(path.join(place, "source"))
    fs.writeFileSync(path.join(place, "source/file"), "12345")
    const output = yield* ended(yield* start("backup.ts", path.join(place, "source"), path.join(place, "a.pxar")))
    assert.strictEqual(output, "spans: pxar-fuse.create\n2 entries with 5 bytes, 0 warnings\n0 errors in 2 entries\n")
  }),
)

it.live("doubles.test.ts passes", () =>
  Effect.gen(function* () {
    const program = yield* Processes.start(node, ["--test", path.join(folder, "doubles.test.ts")])
    assert.include(yield* ended(program), "pass 3")
  }),
)

describe("mounted", () => {
  beforeEach(need({ mount: true, root: true, tools: ["umount"] }))

  it.live("mount-in-app.ts shows an archive from the web until it is unmounted", () =>
    Effect.gen(function* () {
      const address = yield* RangeServer.make(Golden.load(Golden.helloV1).bytes)
      const mountPoint = yield* Processes.mountPoint()
      const program = yield* start("mount-in-app.ts", `${address}/hello.pxar`, mountPoint)
      yield* line(program, / is on /)
      const content = yield* Effect.promise(() => fs.promises.readFile(path.join(mountPoint, "hello"), "utf8"))
      assert.strictEqual(content, "hi\n")
      yield* unmount(mountPoint)
      const output = yield* ended(program)
      assert.include(output, `${address}/hello.pxar is on ${mountPoint}\n`)
      assert.include(output, "the kernel holds 1 nodes\n")
      assert.match(output, /\nunmounted\n$/)
    }),
  )

  it.live("mount-in-app.ts unmounts when it is told to end", () =>
    Effect.gen(function* () {
      const address = yield* RangeServer.make(Golden.load(Golden.helloV1).bytes)
      const mountPoint = yield* Processes.mountPoint()
      const program = yield* start("mount-in-app.ts", address, mountPoint)
      yield* line(program, / is on /)
      yield* program.kill("SIGTERM")
      assert.strictEqual((yield* program.ended).code, 130)
      assert.deepStrictEqual(yield* Processes.mountsBelow(mountPoint), [])
    }),
  )

  it.live("observe.ts tells every request, then counts and times", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const program = yield* start("observe.ts", hello, mountPoint)
      yield* line(program, /mounted on /)
      yield* Effect.promise(() => fs.promises.readFile(path.join(mountPoint, "hello")))
      yield* Effect.promise(() => fs.promises.readlink(path.join(mountPoint, "link")))
      yield* unmount(mountPoint)
      const output = yield* ended(program)
      assert.match(output, /^LOOKUP \/hello: ok, 128 bytes in \d+ µs$/m)
      assert.match(output, /^READ \/hello: ok, 3 bytes in \d+ µs$/m)
      assert.match(output, /^READLINK \/link: ok, 5 bytes in \d+ µs$/m)
      assert.match(output, /^\d+ replies, \d+ of them errors, to \{.*"LOOKUP":2,.*\}$/m)
      assert.match(output, /^slowest pxar-fuse\.read: \d/m)
    }),
  )
})
