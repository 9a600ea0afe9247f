/**
 * Acceptance point 4: what the kernel does not have to ask. Counted by the server, request by request.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Golden from "../support/Golden.ts"
import * as MountServer from "../support/MountServer.ts"
import * as Processes from "../support/Processes.ts"
import { need } from "../support/Requirements.ts"

beforeEach(need({ mount: true, root: true, tools: ["find"] }))

type Requests = Readonly<Record<string, number>>

/** Runs an effect; gives the requests that it caused. */
const requestsOf = Effect.fnUntraced(function* <A, E, R>(
  server: MountServer.MountServer,
  effect: Effect.Effect<A, E, R>,
) {
  const before: Requests = (yield* server.ask("counters")).requests
  yield* effect
  const after: Requests = (yield* server.ask("counters")).requests
  return Object.fromEntries(
    Object.entries(after)
      .map(([name, count]) => [name, count - (before[name] ?? 0)] as const)
      .filter(([, count]) => count > 0),
  ) as Requests
})

/** A program that must succeed in silence. */
const command = Effect.fnUntraced(function* (cwd: string, name: string, ...args: ReadonlyArray<string>) {
  const { code, stderr, stdout } = yield* Processes.run(name, args, { cwd })
  assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
  return stdout.toString("latin1")
})

const readFile = (file: string) => Effect.sync(() => fs.readFileSync(file))

describe("a second walk", () => {
  for (const golden of [Golden.treeV1, Golden.synthV2, Golden.collisionsV1]) {
    it.live(`of ${golden.name} with find -ls sends no request but the statfs(2) that find makes`, () =>
      Effect.gen(function* () {
        const server = yield* MountServer.golden(golden)
        const walk = command(server.mountPoint, "find", ".", "-ls")
        const first = yield* requestsOf(server, walk)
        assert.isAbove(first["READDIRPLUS"] ?? 0, 0)
        // find asks for the type of the file system, and no kernel remembers the answer.
        const { STATFS, ...others } = yield* requestsOf(server, walk)
        assert.isAtMost(STATFS ?? 0, 1)
        assert.deepStrictEqual(others, {})
      }),
    )
  }

  it.live("with readdir, lstat and readlink alone sends no request at all", () =>
    Effect.gen(function* () {
      const server = yield* MountServer.golden(Golden.treeV1)
      const visit = (file: Buffer): number => {
        const stat = fs.lstatSync(file)
        if (stat.isSymbolicLink()) fs.readlinkSync(file)
        if (!stat.isDirectory()) return 1
        return fs
          .readdirSync(file, { encoding: "buffer" })
          .reduce((count, name) => count + visit(Buffer.concat([file, Buffer.from("/"), name])), 1)
      }
      const walk = Effect.sync(() => visit(Buffer.from(server.mountPoint)))
      assert.strictEqual(yield* walk, Golden.treeV1.view().length)
      assert.deepStrictEqual(yield* requestsOf(server, walk), {})
    }),
  )

  it.live("with find -ls asks for no name alone: listings bring everything", () =>
    Effect.gen(function* () {
      const server = yield* MountServer.golden(Golden.treeV1)
      const requests = yield* requestsOf(server, command(server.mountPoint, "find", ".", "-ls"))
      const links = Golden.treeV1.view().filter(({ kind }) => kind === "symlink").length
      const folders = Golden.treeV1.view().filter(({ kind }) => kind === "directory").length
      assert.strictEqual(requests["LOOKUP"], undefined)
      assert.strictEqual(requests["READLINK"], links)
      // Each listing, and that there is no more; the folder of 400 takes some more.
      assert.isAtMost(requests["READDIRPLUS"]!, 2 * folders + 10)
      // Refused once, for good.
      assert.strictEqual(requests["OPENDIR"], 1)
    }),
  )
})

describe("a file", () => {
  it.live("is opened and read by the server once, however often it is read from open to close", () =>
    Effect.gen(function* () {
      const server = yield* MountServer.golden(Golden.treeV1)
      const small = Golden.treeV1.view().find(({ kind, size }) => kind === "file" && size === 4096)!
      const file = path.join(server.mountPoint, small.path.toString())
      const first = yield* requestsOf(server, readFile(file))
      assert.strictEqual(first["READ"], 1)
      assert.strictEqual(first["OPEN"], 1)
      assert.deepStrictEqual(yield* requestsOf(server, readFile(file)), {})
    }),
  )

  it.live("costs one READ: after the first of the mount there is no OPEN, FLUSH or RELEASE any more", () =>
    Effect.gen(function* () {
      const server = yield* MountServer.golden(Golden.collisionsV1)
      const [first, ...others] = Golden.collisionsV1
        .view()
        .filter(({ kind }) => kind === "file")
        .map((view) => readFile(path.join(server.mountPoint, view.path.toString())))
      const { FLUSH, OPEN, READ, RELEASE } = yield* requestsOf(server, first!)
      assert.deepStrictEqual({ FLUSH, OPEN, READ, RELEASE }, { FLUSH: 1, OPEN: 1, READ: 1, RELEASE: undefined })
      const { LOOKUP: _, ...later } = yield* requestsOf(server, Effect.all(others))
      assert.deepStrictEqual(later, { READ: others.length })
    }),
  )

  it.live("of 1 MiB is read in requests of more than a page", () =>
    Effect.gen(function* () {
      const server = yield* MountServer.golden(Golden.treeV1)
      const large = Golden.treeV1.view().find(({ size }) => size === 1024 * 1024)!
      const requests = yield* requestsOf(server, readFile(path.join(server.mountPoint, large.path.toString())))
      assert.isAtMost(requests["READ"]!, 16)
    }),
  )
})

describe("ls -l of a folder with 400 files", () => {
  const list = (server: MountServer.MountServer) => command(path.join(server.mountPoint, "many"), "ls", "-l")

  it.live("sends no LOOKUP for its entries", () =>
    Effect.gen(function* () {
      const server = yield* MountServer.golden(Golden.treeV1)
      const requests = yield* requestsOf(server, list(server))
      // One LOOKUP for the folder itself, one GETATTR for the root.
      const { GETATTR, LOOKUP } = requests
      assert.deepStrictEqual({ GETATTR, LOOKUP }, { GETATTR: 1, LOOKUP: 1 })
      assert.strictEqual((yield* list(server)).trimEnd().split("\n").length, 401)
    }),
  )

  it.live("sends at most one request the second time: ls asks for labels until it is told that there are none", () =>
    Effect.gen(function* () {
      const server = yield* MountServer.golden(Golden.treeV1)
      yield* list(server)
      const { GETXATTR, ...others } = yield* requestsOf(server, list(server))
      assert.isAtMost(GETXATTR ?? 0, 1)
      assert.deepStrictEqual(others, {})
    }),
  )
})

describe("names that are not there", () => {
  it.live("are asked for once", () =>
    Effect.gen(function* () {
      const server = yield* MountServer.golden(Golden.treeV1)
      const absent = Effect.sync(() => fs.existsSync(path.join(server.mountPoint, "absent")))
      assert.strictEqual((yield* requestsOf(server, absent))["LOOKUP"], 1)
      assert.deepStrictEqual(yield* requestsOf(server, absent), {})
    }),
  )
})

describe("symbolic links", () => {
  it.live("are read once", () =>
    Effect.gen(function* () {
      const server = yield* MountServer.golden(Golden.helloV1)
      const link = Effect.sync(() => fs.readlinkSync(path.join(server.mountPoint, "link")))
      assert.strictEqual((yield* requestsOf(server, link))["READLINK"], 1)
      assert.deepStrictEqual(yield* requestsOf(server, link), {})
    }),
  )
})
