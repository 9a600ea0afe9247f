/** Mounts and the processes around them: unmounting by every way, servers that stop or die, mounts beside and in mounts. */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Golden from "../support/Golden.ts"
import * as MountedTree from "../support/MountedTree.ts"
import * as MountServer from "../support/MountServer.ts"
import * as Processes from "../support/Processes.ts"
import { need } from "../support/Requirements.ts"

beforeEach(need({ mount: true, root: true, tools: ["umount", "fusermount3"] }))

const set = Golden.helloV1
const content = (mountPoint: string): string => fs.readFileSync(path.join(mountPoint, "hello"), "utf8")
const expected = set.view().map(MountedTree.expected)

/** A program in another process, which may have to wait for the mount. */
const cat = (mountPoint: string) => Processes.start("cat", [path.join(mountPoint, "hello")])

describe("a mount ends", () => {
  it.live("by fusermount3 -u", () =>
    Effect.gen(function* () {
      const server = yield* MountServer.golden(set)
      assert.strictEqual((yield* Processes.run("fusermount3", ["-u", server.mountPoint])).code, 0)
      yield* server.sessionEnded
      assert.deepInclude(yield* server.end, { session: "ended", held: 0, devices: 0, code: 0, log: [] })
    }),
  )

  it.live("not by umount while a file is open, and goes on", () =>
    Effect.gen(function* () {
      const { mountPoint } = yield* MountServer.golden(set)
      const descriptor = fs.openSync(path.join(mountPoint, "hello"), "r")
      const { code, stderr } = yield* Processes.run("umount", [mountPoint])
      fs.closeSync(descriptor)
      assert.notStrictEqual(code, 0)
      assert.match(stderr, /busy/)
      assert.strictEqual(content(mountPoint), "hi\n")
    }),
  )

  it.live("for new users by umount -l, and for those who have a file open when they close it", () =>
    Effect.gen(function* () {
      const server = yield* MountServer.golden(set)
      const descriptor = fs.openSync(path.join(server.mountPoint, "hello"), "r")
      assert.strictEqual((yield* Processes.run("umount", ["-l", server.mountPoint])).code, 0)
      assert.deepStrictEqual(fs.readdirSync(server.mountPoint), [])
      assert.strictEqual(fs.readSync(descriptor, Buffer.alloc(10)), 3)
      fs.closeSync(descriptor)
      yield* server.sessionEnded
      assert.deepInclude(yield* server.end, { session: "ended", held: 0, devices: 0, code: 0, log: [] })
    }),
  )
})

describe("a server that is killed", () => {
  it.live("leaves a mount that answers ENOTCONN, and after unmounting a new one works", () =>
    Effect.gen(function* () {
      const server = yield* MountServer.golden(set)
      assert.strictEqual(content(server.mountPoint), "hi\n")
      process.kill(server.pid, "SIGKILL")
      const { code, stderr } = yield* Processes.eventually(
        "the mount to be dead",
        Processes.run("ls", [server.mountPoint], { env: { ...process.env, LC_ALL: "C" } }),
        ({ code }) => code !== 0,
      )
      assert.notStrictEqual(code, 0)
      assert.match(stderr, /not connected|connection abort/)
      assert.strictEqual((yield* Processes.run("umount", [server.mountPoint])).code, 0)
      const again = yield* MountServer.golden(set, { mountPoint: server.mountPoint })
      assert.deepStrictEqual(MountedTree.read(again.mountPoint), expected)
    }),
  )

  it.live("while somebody waits for it leaves nobody waiting", () =>
    Effect.gen(function* () {
      const server = yield* MountServer.golden(Golden.treeV2, { stall: true })
      const large = Golden.treeV2.view().find(({ size }) => size === 1024 * 1024)
      const reader = yield* Processes.start("cat", [path.join(server.mountPoint, String(large?.path))])
      yield* Processes.eventually("the reader to wait", server.ask("stalled"), (count) => count > 0)
      process.kill(server.pid, "SIGKILL")
      assert.strictEqual((yield* reader.ended).code, 1)
    }),
  )
})

describe("a server that is stopped", () => {
  it.live("answers when it goes on", () =>
    Effect.gen(function* () {
      const server = yield* MountServer.golden(set)
      process.kill(server.pid, "SIGSTOP")
      const reader = yield* cat(server.mountPoint)
      const state = Effect.sync(
        () => /^State:\s+(\w)/m.exec(fs.readFileSync(`/proc/${reader.pid}/status`, "utf8"))?.[1],
      )
      // Waiting for the mount shows as sleep, of either kind.
      yield* Processes.eventually("the reader to wait", state, (state) => state === "S" || state === "D")
      assert.strictEqual(reader.stdout().length, 0)
      process.kill(server.pid, "SIGCONT")
      const { code, stdout } = yield* reader.ended
      assert.deepStrictEqual([code, stdout.toString()], [0, "hi\n"])
    }),
  )

  it.live("holds nobody up who is killed meanwhile", () =>
    Effect.gen(function* () {
      const server = yield* MountServer.golden(set)
      process.kill(server.pid, "SIGSTOP")
      const reader = yield* cat(server.mountPoint)
      yield* reader.kill("SIGKILL")
      assert.strictEqual((yield* reader.ended).signal, "SIGKILL")
      process.kill(server.pid, "SIGCONT")
      assert.strictEqual(content(server.mountPoint), "hi\n")
      yield* Processes.eventually("the requests to end", server.ask("inFlight"), (count) => count === 0)
    }),
  )
})

describe("several mounts", () => {
  it.live("of one archive show the same, and do not depend on each other", () =>
    Effect.gen(function* () {
      const [one, other] = yield* Effect.all([MountServer.golden(set), MountServer.golden(set)])
      assert.deepStrictEqual(MountedTree.read(one.mountPoint), MountedTree.read(other.mountPoint))
      yield* one.end
      assert.deepStrictEqual(MountedTree.read(other.mountPoint), expected)
    }),
  )

  it.live("one in a folder of the other", () =>
    Effect.gen(function* () {
      const outer = yield* MountServer.golden(Golden.treeV1)
      const inner = yield* MountServer.golden(set, { mountPoint: path.join(outer.mountPoint, "empty/e1") })
      assert.deepStrictEqual(MountedTree.read(inner.mountPoint), expected)
      // The outer one cannot be unmounted first.
      assert.notStrictEqual((yield* Processes.run("umount", [outer.mountPoint])).code, 0)
      assert.deepInclude(yield* inner.end, { session: "ended", devices: 0 })
      assert.deepStrictEqual(fs.readdirSync(path.join(outer.mountPoint, "empty/e1")), [])
      assert.deepInclude(yield* outer.end, { session: "ended", devices: 0 })
    }),
  )

  it.live("one over the other is refused, and the first goes on", () =>
    Effect.gen(function* () {
      const { mountPoint } = yield* MountServer.golden(set)
      const options = { mountPoint, options: ["nonempty"] }
      const refused = yield* Effect.flip(MountServer.start(Golden.legacyEmpty.archive, options))
      assert.match(refused.message, /already a mount point/)
      assert.deepStrictEqual(MountedTree.read(mountPoint), expected)
    }),
  )
})
