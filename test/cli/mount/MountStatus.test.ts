/**
 * `pxar-fuse status` and `pxar-fuse unmount`: what they tell and end, of mounts that are served, in use, stopped or dead.
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
import { need, NOBODY } from "../../support/Requirements.ts"
import * as JsonSchemas from "../archive/JsonSchemas.ts"

const { archive: treeV1 } = Golden.treeV1

/** What is said of one mount. */
const status = (mountPoint: string) =>
  Effect.map(Command.run(["status", "--json", mountPoint]), ({ code, stdout }) => {
    assert.strictEqual(code, ExitCode.SUCCESS)
    return JsonSchemas.parse("status", stdout)[0]!
  })

/** Kills the process of a mount, which stays. */
const makeDead = Effect.fnUntraced(function* ({ server, serverEnded }: Command.Background) {
  process.kill(server, "SIGKILL")
  yield* serverEnded
})

const unmount = (mountPoint: string, options: Command.Options = {}) => Command.run(["unmount", mountPoint], options)

describe("status", () => {
  beforeEach(need({ mount: true }))

  it.live("tells of a mount what the kernel's requests have made of it", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const { server } = yield* Command.mountInBackground(treeV1, mountPoint)
      const names = fs.readdirSync(mountPoint)
      const answer = yield* status(mountPoint)
      if (answer.state !== "served") return assert.fail(answer.state)
      const { abandoned, cache, delivered, errors, requests, since, ...rest } = answer
      assert.deepStrictEqual(rest, {
        mount_point: mountPoint,
        state: "served",
        archive: treeV1,
        device: (yield* MountTable.find(mountPoint))!.device,
        owner: process.geteuid!(),
        archives: [treeV1],
        pid: server,
        in_flight: 0,
        held: names.length + 1,
      })
      assert.strictEqual(requests["INIT"], 1)
      assert.strictEqual(requests["READDIRPLUS"], 2)
      assert.strictEqual(
        delivered,
        Object.values(requests).reduce((sum, count) => sum + count),
      )
      assert.isBelow(errors + abandoned, delivered)
      assert.isAbove(cache.blocks, 0)
      assert.isAbove(cache.tables, 0)
      assert.closeTo(Date.parse(since), Date.now(), 20_000)
    }),
  )

  it.live("tells the same to people, of all mounts", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const { server } = yield* Command.mountInBackground(treeV1, mountPoint)
      const { code, stdout } = yield* Command.run(["status"])
      assert.strictEqual(code, ExitCode.SUCCESS)
      const text = stdout.toString()
      const own = text.slice(text.indexOf(`${mountPoint}: ${treeV1}\n`)).split("\n")
      assert.match(own[1]!, new RegExp(`^  process ${server}, since 2\\S+Z, for 0:\\d\\d$`))
      assert.match(own[2]!, /^ {2}\d+ requests? \(.*\bINIT 1\b.*\)$/)
      assert.match(own[3]!, /^ {2}\d+ repl(?:y|ies), 0 not wanted any more, 0 errors; 0 requests under way$/)
      assert.match(own[4]!, /^ {2}1 node held; caches: .* of metadata, .* of folder tables$/)
    }),
  )

  it.live("recognises a mount whose process is gone, and one whose process is stopped", () =>
    Effect.gen(function* () {
      const [dead, stopped] = [yield* Processes.mountPoint("dead"), yield* Processes.mountPoint("stopped")]
      yield* makeDead(yield* Command.mountInBackground(treeV1, dead))
      const { server } = yield* Command.mountInBackground(treeV1, stopped)
      process.kill(server, "SIGSTOP")
      yield* Effect.addFinalizer(() => Processes.signal(server, "SIGCONT"))
      const { stdout } = yield* Command.run(["status", "--json"])
      const states = new Map(
        JsonSchemas.parse("status", stdout).map(({ mount_point: mountPoint, state }) => [mountPoint, state]),
      )
      assert.deepStrictEqual([states.get(dead), states.get(stopped)], ["dead", "silent"])
    }),
  )

  it.live("says that no archive is mounted there", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const { code, stderr } = yield* Command.run(["status", mountPoint])
      assert.deepStrictEqual(
        [code, stderr],
        [ExitCode.NOT_MOUNTED, `pxar-fuse: nothing is mounted on ${mountPoint} [PXF-NOT-MOUNTED]\n`],
      )
      const other = yield* Command.run(["status", "/proc"])
      assert.deepStrictEqual(
        [other.code, other.stderr],
        [ExitCode.NOT_MOUNTED, "pxar-fuse: not an archive but proc is mounted on /proc [PXF-NOT-MOUNTED]\n"],
      )
    }),
  )
})

describe("status of other users' mounts", () => {
  beforeEach(need({ mount: true, root: true, otherUsers: true, tools: ["fusermount3"] }))

  it.live("tells root what the mount table does, and what the process answers", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint("mnt", NOBODY)
      const env = { ...process.env, XDG_RUNTIME_DIR: path.dirname(mountPoint) }
      fs.chownSync(env.XDG_RUNTIME_DIR, NOBODY, NOBODY)
      const nobody = { uid: NOBODY, gid: NOBODY, cwd: "/", env }
      yield* Command.mountInBackground(treeV1, mountPoint, [], nobody)
      assert.deepStrictEqual(yield* status(mountPoint), {
        mount_point: mountPoint,
        state: "unknown",
        archive: treeV1,
        device: (yield* MountTable.find(mountPoint))!.device,
        owner: NOBODY,
      })
      const own = yield* Command.run(["status", "--json", mountPoint], nobody)
      assert.strictEqual(JsonSchemas.parse("status", own.stdout)[0]?.state, "served")
      assert.strictEqual((yield* unmount(mountPoint, nobody)).code, ExitCode.SUCCESS)
      assert.isUndefined(yield* MountTable.find(mountPoint))
    }),
  )
})

describe("the folder of sockets", () => {
  beforeEach(need({ mount: true, root: true, otherUsers: true, tools: ["fusermount3"] }))

  it.live("is not used if somebody else has made it; the mount works without", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint("mnt", NOBODY)
      const folder = path.join(path.dirname(mountPoint), `pxar-fuse-${NOBODY}`)
      fs.mkdirSync(folder, { mode: 0o777 })
      const env = { ...process.env, XDG_RUNTIME_DIR: "/nonexistent", TMPDIR: path.dirname(mountPoint) }
      const nobody = { uid: NOBODY, gid: NOBODY, cwd: "/", env }
      const { stderr } = yield* Command.mountInBackground(treeV1, mountPoint, ["--verbose"], nobody)
      assert.include(
        stderr,
        `pxar-fuse status will know little of this mount: ${folder} is not a folder of this user alone`,
      )
      const { stdout } = yield* Command.run(["status", "--json", mountPoint], nobody)
      assert.strictEqual(JsonSchemas.parse("status", stdout)[0]?.state, "unknown")
      assert.deepStrictEqual(fs.readdirSync(folder), [])
    }),
  )

  it.live("loses what killed processes have left in it", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const background = yield* Command.mountInBackground(treeV1, mountPoint)
      const socket = `/run/pxar-fuse/${background.server}.sock`
      assert.isTrue(fs.existsSync(socket))
      yield* makeDead(background)
      assert.isTrue(fs.existsSync(socket))
      assert.strictEqual((yield* status(mountPoint)).state, "dead")
      assert.isFalse(fs.existsSync(socket))
    }),
  )
})

describe("unmount", () => {
  beforeEach(need({ mount: true }))

  it.live("returns when the process has ended", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const { server } = yield* Command.mountInBackground(treeV1, mountPoint)
      const { code, stderr } = yield* unmount(path.relative("/", mountPoint), { cwd: "/" })
      assert.deepStrictEqual([code, stderr], [ExitCode.SUCCESS, ""])
      assert.isFalse(yield* Processes.isAlive(server))
      assert.isUndefined(yield* MountTable.find(mountPoint))
    }),
  )

  it.live("takes a mount in use out of sight, and says so; it ends with its last user", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const { server, serverEnded } = yield* Command.mountInBackground(treeV1, mountPoint)
      const descriptor = fs.openSync(path.join(mountPoint, "names"), "r")
      const { code, stderr } = yield* unmount(mountPoint)
      assert.strictEqual(code, ExitCode.SUCCESS)
      assert.match(stderr, /^pxar-fuse: \S+ is in use \(.*\): detached, it ends with its last user\n$/)
      assert.isUndefined(yield* MountTable.find(mountPoint))
      assert.isTrue(yield* Processes.isAlive(server))
      assert.strictEqual((yield* status(mountPoint)).state, "detached")
      fs.closeSync(descriptor)
      yield* serverEnded
    }),
  )

  it.live("removes a mount whose process is gone", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      yield* makeDead(yield* Command.mountInBackground(treeV1, mountPoint))
      const { code, stderr } = yield* unmount(mountPoint)
      assert.deepStrictEqual([code, stderr], [ExitCode.SUCCESS, ""])
      assert.isUndefined(yield* MountTable.find(mountPoint))
    }),
  )

  it.live("does not wait for a process that is stopped, which ends when it goes on", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const { server, serverEnded } = yield* Command.mountInBackground(treeV1, mountPoint)
      process.kill(server, "SIGSTOP")
      yield* Effect.addFinalizer(() => Processes.signal(server, "SIGCONT"))
      const { code, stderr } = yield* unmount(mountPoint)
      assert.strictEqual(code, ExitCode.SUCCESS, stderr)
      assert.isUndefined(yield* MountTable.find(mountPoint))
      process.kill(server, "SIGCONT")
      yield* serverEnded
    }),
  )

  it.live("finds a mount by a symbolic link", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const link = path.join(path.dirname(mountPoint), "link")
      fs.symlinkSync("mnt", link)
      yield* Command.mountInBackground(treeV1, link)
      assert.strictEqual((yield* unmount(link)).code, ExitCode.SUCCESS)
      assert.isUndefined(yield* MountTable.find(mountPoint))
    }),
  )

  it.live("leaves alone what is not an archive", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const { code, stderr } = yield* unmount(mountPoint)
      assert.deepStrictEqual(
        [code, stderr],
        [ExitCode.NOT_MOUNTED, `pxar-fuse: nothing is mounted on ${mountPoint} [PXF-NOT-MOUNTED]\n`],
      )
      assert.strictEqual((yield* unmount("/proc")).code, ExitCode.NOT_MOUNTED)
      assert.isDefined(yield* MountTable.find("/proc"))
    }),
  )
})

describe("unmount of root's mount", () => {
  beforeEach(need({ mount: true, root: true, otherUsers: true, tools: ["fusermount3"] }))

  it.live("by another user is refused", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      yield* Command.mountInBackground(treeV1, mountPoint)
      const { code, stderr } = yield* unmount(mountPoint, { uid: NOBODY, gid: NOBODY, cwd: "/" })
      assert.strictEqual(code, ExitCode.NOT_PERMITTED)
      assert.strictEqual(
        stderr,
        `pxar-fuse: cannot unmount ${mountPoint}: permission denied: it was mounted by user 0 [PXF-UNMOUNT-FAILED]\n`,
      )
      assert.isDefined(yield* MountTable.find(mountPoint))
    }),
  )
})
