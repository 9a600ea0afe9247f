/**
 * Acceptance point 5: what the kernel holds is released when it forgets, and at the end of the mount, with every request
 * that was under way.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import * as Golden from "../support/Golden.ts"
import * as Wire from "../support/Wire.ts"
import * as MountedTree from "../support/MountedTree.ts"
import * as MountServer from "../support/MountServer.ts"
import * as Processes from "../support/Processes.ts"
import { need } from "../support/Requirements.ts"

const ROOT = 1n

/** Nothing is left: no node but the root and those the mount released, no request, no read, no descriptor. */
const nothing = { held: 0, inFlight: 0, stalled: 0, devices: 0, code: 0 }

/** A descriptor of the test's own on a file of a mount. */
const open = (file: string): Effect.Effect<number, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => fs.openSync(file, fs.constants.O_RDONLY)),
    // Closing tells the server, which may be gone; the descriptor is closed all the same.
    (descriptor) => Effect.ignore(Effect.try({ try: () => fs.closeSync(descriptor), catch: String })),
  )

describe("forgetting", () => {
  beforeEach(need({ mount: true, root: true }))

  const dropCaches = Effect.promise(() => fs.promises.writeFile("/proc/sys/vm/drop_caches", "2"))

  /** The kernel drops in turns, children before their folders; and the inodes that others use not at all. */
  const forgetAll = (server: MountServer.MountServer) =>
    Processes.eventually(
      "the kernel to forget",
      Effect.andThen(dropCaches, server.ask("held")),
      (held) => held.length === 1,
    )

  for (const golden of [Golden.treeV1, Golden.treeV2, Golden.synthV1, Golden.synthV2, Golden.collisionsV1]) {
    it.live(`leaves the root alone after a walk through ${golden.name}`, () =>
      Effect.gen(function* () {
        const server = yield* MountServer.golden(golden)
        const inodes = new Set(MountedTree.read(server.mountPoint).map(({ ino }) => ino))
        assert.deepStrictEqual(new Set((yield* server.ask("held")).map(Wire.inodeOf)), inodes)
        assert.deepStrictEqual(yield* forgetAll(server), [ROOT])
        assert.deepStrictEqual(yield* server.ask("log"), [])
      }),
    )
  }

  it.live("is followed by finding everything again, the same", () =>
    Effect.gen(function* () {
      const server = yield* MountServer.golden(Golden.treeV2)
      const before = MountedTree.read(server.mountPoint)
      yield* forgetAll(server)
      assert.deepStrictEqual(MountedTree.read(server.mountPoint), before)
    }),
  )

  it.live("spares a file that is open, and its folders", () =>
    Effect.gen(function* () {
      const server = yield* MountServer.golden(Golden.treeV1)
      const view = Golden.treeV1.view()
      const file = view.find((view) => view.path.toString("latin1").startsWith("/acl/") && view.kind === "file")!
      const folder = view.find((view) => view.path.toString("latin1") === "/acl")!
      yield* open(path.join(server.mountPoint, file.path.toString()))
      MountedTree.read(server.mountPoint)
      const held = yield* Processes.eventually(
        "the kernel to forget",
        Effect.andThen(dropCaches, server.ask("held")),
        (held) => held.length === 3,
      )
      assert.deepStrictEqual(new Set(held), new Set([ROOT, folder.ino, file.ino]))
    }),
  )
})

describe("after an unmount", () => {
  beforeEach(need({ mount: true, root: true, tools: ["umount"] }))

  it.live("nothing is held, and nothing runs", () =>
    Effect.gen(function* () {
      const server = yield* MountServer.golden(Golden.treeV1)
      MountedTree.read(server.mountPoint)
      assert.isAbove((yield* server.ask("held")).length, 1)
      const report = yield* server.end
      assert.deepInclude(report, { ...nothing, session: "ended", lazy: [], log: [] })
      assert.deepStrictEqual(yield* Processes.mountsBelow(server.mountPoint), [])
    }),
  )

  it.live("with a file open nothing is held either, and the file is dead", () =>
    Effect.gen(function* () {
      const server = yield* MountServer.golden(Golden.treeV1)
      const large = Golden.treeV1.view().find(({ size }) => size === 1024 * 1024)!
      const descriptor = yield* open(path.join(server.mountPoint, large.path.toString()))
      const { lazy, ...report } = yield* server.end
      assert.deepInclude(report, { ...nothing, session: "cut off", log: [] })
      assert.strictEqual(lazy.length, 1)
      assert.match(lazy[0]!, /is in use \(umount2: EBUSY\): detached, it ends with its last user$/)
      assert.deepStrictEqual(yield* Processes.mountsBelow(server.mountPoint), [])
      assert.throws(() => fs.readSync(descriptor, Buffer.alloc(10)), /ENOTCONN|ECONNABORTED/)
    }),
  )

  it.live("from outside the session ends, and nothing is held", () =>
    Effect.gen(function* () {
      const server = yield* MountServer.golden(Golden.treeV1)
      MountedTree.read(server.mountPoint)
      assert.strictEqual((yield* Processes.run("umount", [server.mountPoint])).code, 0)
      yield* server.sessionEnded
      assert.strictEqual(yield* server.ask("unmount"), "gone")
      assert.deepInclude(yield* server.end, { ...nothing, session: "ended", lazy: [], log: [] })
    }),
  )

  it.live("that is lazy, from outside, files stay readable until they are closed", () =>
    Effect.gen(function* () {
      const server = yield* MountServer.golden(Golden.treeV1)
      const large = Golden.treeV1.view().find(({ size }) => size === 1024 * 1024)!
      yield* Effect.scoped(
        Effect.gen(function* () {
          const descriptor = yield* open(path.join(server.mountPoint, large.path.toString()))
          assert.strictEqual((yield* Processes.run("umount", ["-l", server.mountPoint])).code, 0)
          assert.strictEqual(fs.readSync(descriptor, Buffer.alloc(1024 * 1024)), 1024 * 1024)
        }),
      )
      yield* server.sessionEnded
      assert.deepInclude(yield* server.end, { ...nothing, session: "ended", lazy: [], log: [] })
    }),
  )
})

describe("requests that wait for a slow source", () => {
  beforeEach(need({ mount: true, root: true }))

  const large = Golden.treeV2.view().find(({ size }) => size === 1024 * 1024)!

  /** A mount whose file contents do not come, and a process that waits for them. */
  const stalled = Effect.fnUntraced(function* (...command: readonly [string, ...ReadonlyArray<string>]) {
    const server = yield* MountServer.golden(Golden.treeV2, { stall: true })
    const [name, ...args] = command
    const reader = yield* Processes.start(name, [...args, path.join(server.mountPoint, large.path.toString())])
    yield* Processes.eventually("the reader to wait", server.ask("stalled"), (count) => count > 0)
    return { server, reader }
  })

  it.live("are under way until it answers, and hold up no others", () =>
    Effect.gen(function* () {
      const { reader, server } = yield* stalled("sha256sum", "-b")
      assert.isAbove(yield* server.ask("inFlight"), 0)
      const [file] = MountedTree.list(Buffer.from(path.join(server.mountPoint, "many")))
      assert.isTrue(fs.lstatSync(path.join(server.mountPoint, "many", file!.name.toString())).isFile())
      yield* server.ask("goOn")
      const { code, stdout } = yield* reader.ended
      assert.strictEqual(code, 0)
      assert.strictEqual(stdout.toString().slice(0, 64), large.sha256)
      yield* Processes.eventually("the requests to end", server.ask("inFlight"), (count) => count === 0)
    }),
  )

  it.live("have ended when the mount has, and the reader is told", () =>
    Effect.gen(function* () {
      const { reader, server } = yield* stalled("cat")
      assert.deepInclude(yield* server.end, { ...nothing, session: "cut off" })
      const { code, stderr } = yield* reader.ended
      assert.strictEqual(code, 1)
      assert.match(stderr, /Interrupted system call|Software caused connection abort|not connected|Input\/output error/)
      assert.deepStrictEqual(yield* Processes.mountsBelow(server.mountPoint), [])
    }),
  )

  it.live("are interrupted, source and all, when the reader is killed; the mount goes on", () =>
    Effect.gen(function* () {
      // Past the page cache: requests of the kernel's own read-ahead belong to nobody who could be killed.
      const { reader, server } = yield* stalled("sh", "-c", 'exec dd iflag=direct bs=1M status=none if="$0"')
      yield* reader.kill("SIGINT")
      assert.strictEqual((yield* reader.ended).signal, "SIGINT")
      yield* Processes.eventually("the read to be interrupted", server.ask("stalled"), (count) => count === 0)
      assert.strictEqual(yield* server.ask("inFlight"), 0)
      assert.strictEqual(fs.readdirSync(server.mountPoint).length > 0, true)
    }),
  )
})
