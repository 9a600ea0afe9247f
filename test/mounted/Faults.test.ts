/**
 * Faults around a real mount: the archive's file is cut, replaced or written to meanwhile; descriptors run out; nobody
 * reads what is logged.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as B from "../support/ArchiveBuilder.ts"
import * as Command from "../support/Command.ts"
import * as Golden from "../support/Golden.ts"
import * as MountedTree from "../support/MountedTree.ts"
import * as MountServer from "../support/MountServer.ts"
import * as Processes from "../support/Processes.ts"
import { need } from "../support/Requirements.ts"

beforeEach(need({ mount: true, root: true, tools: ["umount"] }))

const { bytes } = Golden.load(Golden.treeV1)
const files = Golden.treeV1.view().filter(({ kind, size }) => kind === "file" && size > 0)

/** What a file reads as: its SHA-256 is compared, or the errno is given. */
const outcome = (mountPoint: string, view: Golden.View): string => {
  try {
    const seen = MountedTree.see(Buffer.concat([Buffer.from(mountPoint), view.path]), view.path)
    return seen.sha256 === view.sha256 ? "right" : "wrong"
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error).replace(/^.*: /, "")
  }
}
const outcomes = (mountPoint: string): Set<string> => new Set(files.map((view) => outcome(mountPoint, view)))

describe("an archive whose file changes while it is mounted", () => {
  const mounted = Effect.gen(function* () {
    const file = yield* Command.write("changing.pxar", bytes)
    return { file, server: yield* Effect.orDie(MountServer.start(file)) }
  })

  it.live("by being cut gives right bytes or EIO, and the mount goes on", () =>
    Effect.gen(function* () {
      const { file, server } = yield* mounted
      fs.truncateSync(file, bytes.length >> 2)
      const seen = outcomes(server.mountPoint)
      assert.isFalse(seen.has("wrong"))
      assert.isTrue(seen.has("EIO"))
      assert.isAbove(fs.statfsSync(server.mountPoint).blocks, 0)
      // Read-ahead that is under way may keep the mount busy: how the session ends does not matter here.
      assert.deepInclude(yield* server.end, { held: 0, devices: 0, code: 0 })
    }),
  )

  it.live("by being cut to nothing, too", () =>
    Effect.gen(function* () {
      const { file, server } = yield* mounted
      fs.truncateSync(file, 0)
      assert.isFalse(outcomes(server.mountPoint).has("wrong"))
      assert.isAbove(fs.statfsSync(server.mountPoint).blocks, 0)
      // Read-ahead that is under way may keep the mount busy: how the session ends does not matter here.
      assert.deepInclude(yield* server.end, { held: 0, devices: 0, code: 0 })
    }),
  )

  it.live("by being replaced shows the old one", () =>
    Effect.gen(function* () {
      const { file, server } = yield* mounted
      fs.writeFileSync(`${file}.new`, Golden.load(Golden.helloV1).bytes)
      fs.renameSync(`${file}.new`, file)
      assert.deepStrictEqual(outcomes(server.mountPoint), new Set(["right"]))
    }),
  )

  it.live("by being deleted shows the old one", () =>
    Effect.gen(function* () {
      const { file, server } = yield* mounted
      fs.unlinkSync(file)
      assert.deepStrictEqual(outcomes(server.mountPoint), new Set(["right"]))
    }),
  )
})

describe("descriptors that run out", () => {
  it.live("in the server change nothing: it opens none for a request", () =>
    Effect.gen(function* () {
      const server = yield* MountServer.golden(Golden.treeV1)
      assert.strictEqual(outcome(server.mountPoint, files[0] as Golden.View), "right")
      const open = fs.readdirSync(`/proc/${server.pid}/fd`).length
      assert.strictEqual(
        (yield* Processes.run("prlimit", ["--pid", `${server.pid}`, `--nofile=${open}:${open}`])).code,
        0,
      )
      assert.deepStrictEqual(outcomes(server.mountPoint), new Set(["right"]))
      assert.isAtMost(fs.readdirSync(`/proc/${server.pid}/fd`).length, open)
    }),
  )
})

/** Hundreds of bad entries: more is said about them than a pipe holds. */
const noisy = Effect.suspend(() => {
  const bad = Array.from({ length: 1200 }, (_, i) =>
    B.raw(`${i}-${"n".repeat(200)}`, B.entry(), B.item(0x1234n, Buffer.alloc(8))),
  )
  return Command.write("noisy.pxar", B.build({ children: [B.file("good", "content"), ...bad] }).bytes)
})

const isRight = (mountPoint: string): Effect.Effect<void> =>
  Effect.gen(function* () {
    // In another process: this one would have to read what the server says.
    const list = yield* Processes.run("ls", ["-U", mountPoint])
    assert.strictEqual(list.stdout.toString().trimEnd().split("\n").length, 1201)
    const { stdout } = yield* Processes.run("cat", [path.join(mountPoint, "good")])
    assert.strictEqual(stdout.toString(), "content")
  })

describe("a log that nobody reads", () => {
  it.live("because its reader has gone does not end the mount", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const program = yield* Command.mount(yield* noisy, mountPoint)
      yield* program.closeStderr
      yield* isRight(mountPoint)
      assert.strictEqual((yield* Processes.run("umount", [mountPoint])).code, 0)
      assert.strictEqual((yield* program.ended).code, 0)
    }),
  )

  it.live("because the pipe is full does not hold up the mount", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const archive = yield* noisy
      const fifo = path.join(path.dirname(archive), "log")
      assert.strictEqual((yield* Processes.run("mkfifo", [fifo])).code, 0)
      // Open for reading and writing, so that it never ends; nobody reads.
      const command = 'exec 9<>"$1"; exec "$2" "$3" mount "$4" "$5" 2>&9 9>&-'
      const shell = ["-c", command, "sh", fifo, process.execPath, Command.MAIN, archive, mountPoint]
      const keeper = fs.openSync(fifo, fs.constants.O_RDWR)
      yield* Effect.addFinalizer(() => Effect.sync(() => fs.closeSync(keeper)))
      yield* Processes.start("sh", shell)
      yield* Processes.eventually("the mount", Processes.mountsBelow(mountPoint), (mounts) => mounts.length === 1)
      yield* isRight(mountPoint)
      assert.strictEqual((yield* Processes.run("umount", [mountPoint])).code, 0)
    }),
  )
})
