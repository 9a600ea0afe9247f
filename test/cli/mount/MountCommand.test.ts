/**
 * `pxar-fuse mount --foreground` as a person uses it: what it says, how it ends, and what it leaves behind, which is nothing.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import * as MountTable from "../../../src/fuse/mount/MountTable.ts"
import { mount } from "../../support/Command.ts"
import * as Golden from "../../support/Golden.ts"
import * as Processes from "../../support/Processes.ts"
import { need } from "../../support/Requirements.ts"

/** A descriptor of the test's own on a file of a mount. */
const open = (file: string): Effect.Effect<number, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => fs.openSync(file, "r")),
    // Closing tells the server, which may be gone; the descriptor is closed all the same.
    (descriptor) => Effect.ignore(Effect.try({ try: () => fs.closeSync(descriptor), catch: String })),
  )

const { archive: treeV1 } = Golden.treeV1
const { archive: hello } = Golden.helloV1

describe("a mount", () => {
  beforeEach(need({ mount: true, tools: ["umount"] }))

  it.live("is there when --verbose says so", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const program = yield* mount(hello, mountPoint, ["--verbose"])
      yield* Processes.eventually("the ready message", Effect.sync(program.stderr), (text) => text.includes("\n"))
      assert.strictEqual(program.stderr(), `pxar-fuse: ${hello} mounted on ${mountPoint}\n`)
      assert.strictEqual(fs.readFileSync(path.join(mountPoint, "hello"), "utf8"), "hi\n")
    }),
  )

  it.live("says nothing without --verbose", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const program = yield* mount(hello, mountPoint)
      assert.strictEqual(fs.readdirSync(mountPoint).length, 2)
      yield* program.kill("SIGINT")
      const { code, stderr, stdout } = yield* program.ended
      assert.deepStrictEqual({ code, stderr, stdout: stdout.toString() }, { code: 0, stderr: "", stdout: "" })
    }),
  )

  it.live("counts its requests at the end with --verbose", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const program = yield* mount(hello, mountPoint, ["--verbose"])
      fs.readFileSync(path.join(mountPoint, "hello"))
      yield* program.kill("SIGTERM")
      const [, summary] = (yield* program.ended).stderr.split("\n")
      assert.match(summary!, /^pxar-fuse: \d+ replies, 0 not wanted any more, \d+ errors; requests: .*\bREAD 1\b/)
    }),
  )

  it.live("reads ahead as much as --read-ahead says", () =>
    Effect.gen(function* () {
      if (process.getuid?.() !== 0) return
      const mountPoint = yield* Processes.mountPoint()
      yield* mount(hello, mountPoint, ["--read-ahead", "256K", "--cache-size", "1M"])
      const entry = yield* MountTable.find(mountPoint)
      const setting = Effect.sync(() => fs.readFileSync(`/sys/class/bdi/${entry!.device}/read_ahead_kb`, "utf8"))
      yield* Processes.eventually("the read-ahead", setting, (text) => text === "256\n")
      assert.strictEqual(fs.readFileSync(path.join(mountPoint, "hello"), "utf8"), "hi\n")
    }),
  )

  it.live("takes relative names, with spaces in them", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint("a mount point")
      const archive = path.join(path.dirname(mountPoint), "an archive.pxar")
      yield* Effect.promise(() => fs.promises.copyFile(hello, archive))
      yield* mount("an archive.pxar", "a mount point", [], { cwd: path.dirname(mountPoint) })
      assert.strictEqual((yield* MountTable.find(mountPoint))?.source, archive)
      assert.strictEqual(fs.readdirSync(mountPoint).length, 2)
    }),
  )

  it.live("takes options, several times and several at once", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      yield* mount(hello, mountPoint, ["-o", "noexec,noatime", "-o", "fsname=backup", "--options", "max_read=8192"])
      const line = fs
        .readFileSync("/proc/mounts", "utf8")
        .split("\n")
        .find((line) => line.includes(` ${mountPoint} `))
      assert.match(line!, /^backup .* fuse\.pxar-fuse ro,nosuid,nodev,noexec,noatime,.*max_read=8192 0 0$/)
    }),
  )

  it.live("of a split archive takes its contents from --payload", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      yield* mount(Golden.synthV2np.archive, mountPoint, ["--payload", Golden.synthV2np.payload!])
      const file = Golden.synthV2np.view().find(({ size }) => size === 4095)!
      assert.strictEqual(fs.readFileSync(path.join(mountPoint, file.path.toString())).length, 4095)
    }),
  )

  it.live(
    "of a split archive without its payload shows everything but contents, and says what is missing when mounting and at the first READ",
    () =>
      Effect.gen(function* () {
        const mountPoint = yield* Processes.mountPoint()
        const archive = path.join(path.dirname(mountPoint), "lonely.mpxar")
        yield* Effect.promise(() => fs.promises.copyFile(Golden.treeV2.archive, archive))
        const program = yield* mount(archive, mountPoint)
        const files = fs.readdirSync(path.join(mountPoint, "many")).map((name) => path.join(mountPoint, "many", name))
        assert.strictEqual(files.length, 400)
        for (const file of files.slice(0, 10)) {
          const { size } = fs.lstatSync(file)
          if (size > 0) assert.throws(() => fs.readFileSync(file), /EIO/)
          else assert.strictEqual(fs.readFileSync(file).length, 0)
        }
        yield* program.kill("SIGINT")
        const { code, stderr } = yield* program.ended
        assert.strictEqual(code, 0)
        const missing = path.join(path.dirname(mountPoint), "lonely.ppxar")
        const lines = stderr.trimEnd().split("\n")
        assert.include(lines[0], `warning: the payload archive ${missing} is missing: files cannot be read`)
        assert.match(lines[1]!, /^pxar-fuse: warning: \/many\/\S+: /)
        assert.include(lines[1], `file contents are in the payload archive ${missing}, which is missing`)
        assert.strictEqual(lines.length, 2, stderr)
      }),
  )

  it.live("is still there when nobody reads any more what it says", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const archive = path.join(path.dirname(mountPoint), "lonely.mpxar")
      yield* Effect.promise(() => fs.promises.copyFile(Golden.helloV2.archive, archive))
      const program = yield* mount(archive, mountPoint)
      yield* program.closeStderr
      // This is logged, to nobody.
      assert.throws(() => fs.readFileSync(path.join(mountPoint, "hello")), /EIO/)
      assert.strictEqual(fs.readlinkSync(path.join(mountPoint, "link")), "hello")
      yield* program.kill("SIGINT")
      assert.strictEqual((yield* program.ended).code, 0)
      assert.deepStrictEqual(yield* Processes.mountsBelow(mountPoint), [])
    }),
  )
})

describe("the end of a mount", () => {
  beforeEach(need({ mount: true, tools: ["umount"] }))

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it.live(`comes with ${signal}: exit code 0, nothing mounted`, () =>
      Effect.gen(function* () {
        const mountPoint = yield* Processes.mountPoint()
        const program = yield* mount(treeV1, mountPoint)
        fs.readdirSync(mountPoint)
        yield* program.kill(signal)
        assert.deepInclude(yield* program.ended, { code: 0, signal: null, stderr: "" })
        assert.deepStrictEqual(yield* Processes.mountsBelow(mountPoint), [])
      }),
    )

    it.live(`comes with ${signal} also while a file is open: the mount is detached, and a line says so`, () =>
      Effect.gen(function* () {
        const mountPoint = yield* Processes.mountPoint()
        const program = yield* mount(hello, mountPoint)
        yield* open(path.join(mountPoint, "hello"))
        yield* program.kill(signal)
        const { code, stderr } = yield* program.ended
        assert.strictEqual(code, 0)
        assert.match(stderr, /^pxar-fuse: warning: \S+mnt is in use \(.*\): detached, it ends with its last user\n$/)
        assert.deepStrictEqual(yield* Processes.mountsBelow(mountPoint), [])
      }),
    )
  }

  it.live("comes with umount from outside: exit code 0", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const program = yield* mount(treeV1, mountPoint)
      fs.readdirSync(mountPoint)
      const [command, ...args] = process.geteuid?.() === 0 ? ["umount"] : ["fusermount3", "-u"]
      assert.strictEqual((yield* Processes.run(command!, [...args, mountPoint])).code, 0)
      assert.deepInclude(yield* program.ended, { code: 0, signal: null, stderr: "" })
    }),
  )

  it.live("comes with SIGHUP, when the terminal is closed: nothing mounted", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const program = yield* mount(treeV1, mountPoint)
      yield* program.kill("SIGHUP")
      yield* program.ended
      assert.deepStrictEqual(yield* Processes.mountsBelow(mountPoint), [])
    }),
  )

  it.live("comes with two signals at once just as well", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const program = yield* mount(treeV1, mountPoint)
      yield* program.kill("SIGTERM")
      yield* program.kill("SIGINT")
      assert.strictEqual((yield* program.ended).code, 0)
      assert.deepStrictEqual(yield* Processes.mountsBelow(mountPoint), [])
    }),
  )
})

describe("the end of root's mount", () => {
  beforeEach(need({ mount: true, root: true, tools: ["umount"] }))

  it.live("from outside while a file is open (umount -l) comes when the file is closed", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const program = yield* mount(hello, mountPoint)
      const descriptor = fs.openSync(path.join(mountPoint, "hello"), "r")
      assert.strictEqual((yield* Processes.run("umount", ["-l", mountPoint])).code, 0)
      assert.strictEqual(fs.readFileSync(descriptor, "utf8"), "hi\n")
      fs.closeSync(descriptor)
      assert.deepInclude(yield* program.ended, { code: 0, signal: null, stderr: "" })
    }),
  )

  it.live("comes when the connection is aborted (umount -f) while a file is open: nothing stays mounted", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const program = yield* mount(hello, mountPoint)
      yield* open(path.join(mountPoint, "hello"))
      assert.match((yield* Processes.run("umount", ["-f", mountPoint])).stderr, /busy/)
      assert.deepInclude(yield* program.ended, { code: 0, signal: null })
      assert.deepStrictEqual(yield* Processes.mountsBelow(mountPoint), [])
    }),
  )
})
