/**
 * Mounts that end by themselves, that bring their mount point along, that replace a dead one, and that others cover.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as MountTable from "../../../src/fuse/mount/MountTable.ts"
import * as Command from "../../support/Command.ts"
import * as Golden from "../../support/Golden.ts"
import * as Processes from "../../support/Processes.ts"
import { need } from "../../support/Requirements.ts"

const { archive: hello } = Golden.helloV1

const content = (mountPoint: string): string => fs.readFileSync(path.join(mountPoint, "hello"), "utf8")

describe("--idle-timeout", () => {
  beforeEach(need({ mount: true }))

  it.live("ends a mount that nobody asks anything, with exit code 0", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const program = yield* Command.mount(hello, mountPoint, ["--idle-timeout", "0.2s"])
      assert.deepInclude(yield* program.ended, { code: 0, signal: null, stderr: "" })
      assert.isUndefined(yield* MountTable.find(mountPoint))
    }),
  )

  it.live("waits for whoever is in the mount, though he asks nothing", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const program = yield* Command.mount(hello, mountPoint, ["--idle-timeout", "0.1", "--debug"])
      const visitor = yield* Processes.start("sh", ["-c", 'cd "$0" && echo in && exec sleep 60', mountPoint])
      yield* Processes.eventually(
        "the visitor",
        Effect.sync(() => visitor.stdout().toString()),
        (text) => text === "in\n",
      )
      const stays = Effect.sync(() => program.stderr().split("the mount is in use: it stays").length - 1)
      yield* Processes.eventually("the second time", stays, (times) => times === 2)
      assert.isDefined(yield* MountTable.find(mountPoint))
      yield* visitor.kill("SIGKILL")
      assert.strictEqual((yield* program.ended).code, 0)
    }),
  )

  it.live("takes times only", () =>
    Effect.gen(function* () {
      for (const time of ["soon", "0", "-1", "5x", "1e3"]) {
        const { code, stderr } = yield* Command.run(["mount", hello, "/nonexistent", `--idle-timeout=${time}`])
        assert.strictEqual(code, ExitCode.USAGE)
        assert.include(stderr, "Expected: a time such as 90, 90s, 15m or 2h")
      }
    }),
  )
})

describe("--auto-mountpoint", () => {
  beforeEach(need({ mount: true }))

  it.live("creates what is missing of the mount point, and removes that at the end", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      const mountPoint = path.join(folder, "a/b/c")
      fs.mkdirSync(path.join(folder, "a"))
      yield* Command.mountInBackground(hello, mountPoint, ["--auto-mountpoint"])
      assert.strictEqual(content(mountPoint), "hi\n")
      assert.strictEqual((yield* Command.run(["unmount", mountPoint])).code, 0)
      assert.deepStrictEqual(fs.readdirSync(path.join(folder, "a")), [])
    }),
  )

  it.live("leaves a mount point that was there", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const program = yield* Command.mount(hello, mountPoint, ["--auto-mountpoint"])
      yield* program.kill("SIGINT")
      assert.strictEqual((yield* program.ended).code, 0)
      assert.deepStrictEqual(fs.readdirSync(mountPoint), [])
    }),
  )

  it.live("leaves nothing behind when mounting fails", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      const args = ["mount", "/nonexistent/x.pxar", path.join(folder, "mnt"), "--auto-mountpoint"]
      assert.strictEqual((yield* Command.run(args)).code, ExitCode.NO_ARCHIVE)
      assert.deepStrictEqual(fs.readdirSync(folder), [])
    }),
  )
})

describe("a mount whose process is gone", () => {
  beforeEach(need({ mount: true }))

  const dead = Effect.fnUntraced(function* () {
    const mountPoint = yield* Processes.mountPoint()
    const { server, serverEnded } = yield* Command.mountInBackground(hello, mountPoint)
    // What the kernel has cached of it does not make it look alive.
    content(mountPoint)
    process.kill(server, "SIGKILL")
    yield* serverEnded
    return mountPoint
  })

  it.live("is recognised, and stays", () =>
    Effect.gen(function* () {
      const mountPoint = yield* dead()
      const { code, stderr } = yield* Command.run(["mount", hello, mountPoint])
      assert.strictEqual(code, ExitCode.MOUNT_POINT_OCCUPIED)
      assert.include(
        stderr,
        `cannot mount on ${mountPoint}: a mount whose server is gone is in the way: replace it (--force)`,
      )
      assert.isDefined(yield* MountTable.find(mountPoint))
    }),
  )

  it.live("is replaced with --force", () =>
    Effect.gen(function* () {
      const mountPoint = yield* dead()
      yield* Command.mountInBackground(hello, mountPoint, ["--force"])
      assert.strictEqual(content(mountPoint), "hi\n")
      assert.deepStrictEqual(yield* Processes.mountsBelow(mountPoint), [mountPoint])
    }),
  )

  it.live("is the only one that --force replaces", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      yield* Command.mountInBackground(hello, mountPoint)
      const { code, stderr } = yield* Command.run(["mount", hello, mountPoint, "--force"])
      assert.strictEqual(code, ExitCode.MOUNT_POINT_OCCUPIED)
      assert.include(stderr, "already a mount point of pxar-fuse")
      assert.strictEqual(content(mountPoint), "hi\n")
    }),
  )
})

describe("a mount whose process is stopped", () => {
  beforeEach(need({ mount: true }))

  const stopped = Effect.fnUntraced(function* () {
    const mountPoint = yield* Processes.mountPoint()
    const background = yield* Command.mountInBackground(hello, mountPoint)
    process.kill(background.server, "SIGSTOP")
    yield* Effect.addFinalizer(() => Processes.signal(background.server, "SIGCONT"))
    return { ...background, mountPoint }
  })

  it.live("is in the way, and not waited for", () =>
    Effect.gen(function* () {
      const { mountPoint } = yield* stopped()
      const { code, stderr } = yield* Command.run(["mount", hello, mountPoint, "--force"])
      assert.strictEqual(code, ExitCode.MOUNT_POINT_OCCUPIED)
      assert.include(stderr, "already a mount point of pxar-fuse")
    }),
  )

  it.live("does not end the next mount there, which has its place in the mount table", () =>
    Effect.gen(function* () {
      const { mountPoint, server, serverEnded } = yield* stopped()
      assert.strictEqual((yield* Command.run(["unmount", mountPoint])).code, 0)
      yield* Command.mountInBackground(Golden.treeV1.archive, mountPoint)
      process.kill(server, "SIGCONT")
      yield* serverEnded
      assert.strictEqual((yield* MountTable.find(mountPoint))?.source, Golden.treeV1.archive)
      assert.include(fs.readdirSync(mountPoint), "names")
    }),
  )
})

describe("a mount that another file system covers", () => {
  beforeEach(need({ mount: true, root: true, tools: ["umount"] }))

  it.live("says so at its end, and leaves that file system alone", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const program = yield* Command.mount(hello, mountPoint)
      assert.strictEqual((yield* Processes.run("mount", ["-t", "tmpfs", "tmpfs", mountPoint])).code, 0)
      yield* program.kill("SIGINT")
      const { code, stderr } = yield* program.ended
      assert.strictEqual(code, 0)
      assert.strictEqual(
        stderr,
        `pxar-fuse: error: ${mountPoint} is covered by a mount of tmpfs and stays, without answering: unmount that, then type umount ${mountPoint}\n`,
      )
      assert.strictEqual((yield* MountTable.find(mountPoint))?.fsType, "tmpfs")
      const refused = yield* Command.run(["unmount", mountPoint])
      assert.strictEqual(refused.code, ExitCode.NOT_MOUNTED)
      assert.include(refused.stderr, `not an archive but tmpfs is mounted on ${mountPoint}`)
      // As it was told.
      assert.strictEqual((yield* Processes.run("umount", [mountPoint])).code, 0)
      assert.strictEqual((yield* Command.run(["unmount", mountPoint])).code, 0)
      assert.deepStrictEqual(yield* Processes.mountsBelow(mountPoint), [])
    }),
  )
})
