/**
 * Real mounts that nobody serves. They are looked at through the mount table and O_PATH only, which ask the file system
 * nothing: any other look would wait for an answer.
 */
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import * as readline from "node:readline"
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope } from "effect"
import * as FuseMount from "../../src/fuse/mount/FuseMount.ts"
import * as MountOptions from "../../src/fuse/mount/MountOptions.ts"
import * as MountTable from "../../src/fuse/mount/MountTable.ts"
import * as Descriptors from "../support/Descriptors.ts"
import * as Processes from "../support/Processes.ts"
import { isRoot, NOBODY } from "../support/Requirements.ts"

const O_PATH = 0o10000000
const limits = { skip: !fs.existsSync("/dev/fuse"), timeout: 30_000 }

beforeAll(() => {
  if (isRoot && !limits.skip) fs.chmodSync("/dev/fuse", 0o666)
})

const options = (mountPoint: string, more: Partial<FuseMount.Options> = {}): FuseMount.Options => ({
  mountPoint,
  fsname: "/srv/a.pxar",
  options: MountOptions.defaults,
  ...more,
})

/** Keeps a mount busy. */
const hold = (mountPoint: string) =>
  Effect.acquireRelease(
    Effect.sync(() => fs.openSync(mountPoint, O_PATH)),
    (descriptor) => Effect.sync(() => fs.closeSync(descriptor)),
  )

/** test/support/mountOnly.ts, as nobody unless told. */
const mountOnly = Effect.fnUntraced(function* (
  args: ReadonlyArray<string>,
  more: { readonly env?: NodeJS.ProcessEnv; readonly descriptor?: number; readonly asMyself?: boolean } = {},
) {
  const script = path.join(import.meta.dirname, "../support/mountOnly.ts")
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, [script, ...args], {
        stdio: ["pipe", "pipe", "inherit", more.descriptor ?? "ignore"],
        ...(isRoot && more.asMyself !== true ? { uid: NOBODY, gid: NOBODY } : {}),
        ...(more.env === undefined ? {} : { env: more.env }),
      }),
    ),
    (child) =>
      Effect.callback<void>((resume) => {
        if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
        child.on("close", () => resume(Effect.void)).kill("SIGKILL")
      }),
  )
  const lines = readline.createInterface(child.stdout!)[Symbol.asyncIterator]()
  const next = Effect.map(
    Effect.promise(() => lines.next()),
    (line) => (line.done === true ? undefined : JSON.parse(line.value)),
  )
  return { next, end: Effect.sync(() => child.stdin!.end()), pid: child.pid! }
})

describe("in this process", () => {
  it.live(
    "is mounted while the scope is open",
    Effect.fnUntraced(function* () {
      const directory = yield* Processes.mountPoint("a b\n,\\à")
      const devices = Descriptors.on("/dev/fuse")
      const fsname = "/srv/an archive,with\\all#\n.pxar"
      yield* Effect.scoped(
        Effect.gen(function* () {
          const mount = yield* FuseMount.mount(options(directory, { fsname }))
          const entry = (yield* MountTable.find(directory))!
          assert.strictEqual(entry.fsType, "fuse.pxar-fuse")
          assert.strictEqual(entry.source, fsname)
          assert.deepInclude(mount, {
            mountPoint: directory,
            device: entry.device,
            how: isRoot ? "root" : "fusermount3",
          })
          assert.strictEqual(fs.readlinkSync(`/proc/self/fd/${mount.descriptor}`), "/dev/fuse")
          const flags = /^flags:\s+(\d+)$/m.exec(fs.readFileSync(`/proc/self/fdinfo/${mount.descriptor}`, "latin1"))
          const expected = fs.constants.O_RDWR | fs.constants.O_NONBLOCK | 0o2000000
          assert.strictEqual(Number.parseInt(flags![1]!, 8) & expected, expected)
        }),
      )
      assert.isUndefined(yield* MountTable.find(directory))
      assert.strictEqual(Descriptors.on("/dev/fuse"), devices)
    }),
    limits,
  )

  it.live(
    "passes the options on",
    Effect.fnUntraced(function* () {
      const directory = yield* Processes.mountPoint()
      yield* FuseMount.mount(
        options(directory, {
          options: { ...MountOptions.defaults, noExec: true, noAtime: true, fsname: "x", subtype: "y", maxRead: 8192 },
        }),
      )
      const line = fs
        .readFileSync("/proc/self/mountinfo", "latin1")
        .split("\n")
        .find((line) => line.includes(directory))
      assert.match(line!, / ro,nosuid,nodev,noexec,noatime .*- fuse\.y x ro,.*default_permissions.*,max_read=8192$/)
    }),
    limits,
  )

  it.live(
    "resolves symbolic links and relative names",
    Effect.fnUntraced(function* () {
      const directory = yield* Processes.mountPoint()
      const link = `${directory}.link`
      yield* Effect.acquireRelease(
        Effect.sync(() => fs.symlinkSync("mnt", link)),
        () => Effect.sync(() => fs.unlinkSync(link)),
      )
      yield* Effect.scoped(
        Effect.gen(function* () {
          const mount = yield* FuseMount.mount(options(path.relative(process.cwd(), link)))
          assert.strictEqual(mount.mountPoint, directory)
        }),
      )
      assert.isUndefined(yield* MountTable.find(directory))
    }),
    limits,
  )

  it.live(
    "unmounts once: what is mounted there afterwards is left alone",
    Effect.fnUntraced(function* () {
      const directory = yield* Processes.mountPoint()
      const scope = yield* Scope.make()
      const first = yield* Scope.provide(FuseMount.mount(options(directory)), scope)
      const twice = [FuseMount.unmount(first), FuseMount.unmount(first)]
      assert.deepStrictEqual(yield* Effect.all(twice, { concurrency: 2 }), ["unmounted", "unmounted"])
      assert.isUndefined(yield* MountTable.find(directory))
      const second = yield* FuseMount.mount(options(directory))
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* MountTable.find(directory))?.device, second.device)
    }),
    limits,
  )

  it.live(
    "detaches a busy mount and tells",
    Effect.fnUntraced(function* () {
      const directory = yield* Processes.mountPoint()
      const told: Array<string> = []
      const onLazyUnmount = (detail: string) => Effect.sync(() => void told.push(detail))
      yield* Effect.scoped(
        Effect.gen(function* () {
          const mount = yield* FuseMount.mount(options(directory, { onLazyUnmount }))
          yield* hold(directory)
          assert.strictEqual(yield* FuseMount.unmount(mount), "detached")
        }),
      )
      assert.strictEqual(told.length, 1)
      assert.match(told[0]!, /mnt is in use \(.*(EBUSY|busy)\): detached/)
      assert.isUndefined(yield* MountTable.find(directory))
    }),
    limits,
  )

  it.live(
    "does nothing about a mount that somebody else has unmounted",
    Effect.fnUntraced(function* () {
      const directory = yield* Processes.mountPoint()
      const mount = yield* FuseMount.mount(options(directory))
      assert.strictEqual((yield* Processes.run("fusermount3", ["-u", directory])).code, 0)
      assert.strictEqual(yield* FuseMount.unmount(mount), "gone")
    }),
    limits,
  )

  it.live(
    "leaves nothing behind when interrupted at any moment",
    Effect.fnUntraced(function* () {
      const directory = yield* Processes.mountPoint()
      const devices = Descriptors.on("/dev/fuse")
      for (let turns = 0; turns < 40; turns++) {
        const fiber = yield* Effect.forkChild(
          Effect.scoped(Effect.andThen(FuseMount.mount(options(directory)), Effect.never)),
        )
        for (let turn = 0; turn < turns; turn++) {
          yield* Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))
        }
        yield* Fiber.interrupt(fiber)
        assert.isUndefined(yield* MountTable.find(directory))
        assert.strictEqual(Descriptors.on("/dev/fuse"), devices)
      }
    }),
    limits,
  )

  it.live(
    "uses a connection that is passed in, and does not unmount it",
    Effect.fnUntraced(function* () {
      const directory = yield* Processes.mountPoint()
      const mount = yield* FuseMount.mount(options(directory))
      const child = yield* mountOnly(["/dev/fd/3"], { descriptor: mount.descriptor })
      assert.deepStrictEqual(yield* child.next, { descriptor: 3, mountPoint: "/dev/fd/3", how: "passed" })
      yield* child.end
      assert.deepStrictEqual(yield* child.next, { unmounted: "gone", lazy: [], log: [] })
      assert.strictEqual((yield* MountTable.find(directory))?.device, mount.device)
    }),
    limits,
  )
})

describe("refuses", () => {
  const refusal = (mountPoint: string) => Effect.scoped(Effect.flip(FuseMount.mount(options(mountPoint))))

  it.live("a descriptor that is not open", () =>
    Effect.map(refusal("/dev/fd/999999"), (error) => {
      assert.strictEqual(error.message, "cannot mount on /dev/fd/999999: fcntl: EBADF")
    }),
  )

  it.live(
    "what is no empty directory",
    Effect.fnUntraced(function* () {
      const directory = yield* Processes.mountPoint()
      const file = path.join(directory, "file")
      assert.strictEqual((yield* refusal(file)).reason, "MountPointMissing")
      yield* Effect.acquireRelease(
        Effect.sync(() => fs.writeFileSync(file, "")),
        () => Effect.sync(() => fs.unlinkSync(file)),
      )
      assert.strictEqual((yield* refusal(file)).reason, "MountPointNotDirectory")
      assert.strictEqual((yield* refusal(path.join(file, "x"))).reason, "MountPointNotDirectory")
      const occupied = yield* refusal(directory)
      assert.strictEqual(occupied.reason, "MountPointOccupied")
      assert.include(occupied.message, "not empty: choose another, or add -o nonempty")
      yield* Effect.scoped(
        FuseMount.mount(options(directory, { options: { ...MountOptions.defaults, nonEmpty: true } })),
      )
    }),
    limits,
  )

  it.live(
    "a directory where something is mounted, served or not",
    Effect.fnUntraced(function* () {
      const directory = yield* Processes.mountPoint()
      const child = yield* mountOnly([directory], { asMyself: true })
      assert.strictEqual((yield* child.next).mountPoint, directory)
      const error = yield* refusal(directory)
      assert.strictEqual(error.reason, "MountPointOccupied")
      assert.include(
        error.message,
        `already a mount point of pxar-fuse: unmount it (pxar-fuse unmount ${directory}, or`,
      )
      process.kill(child.pid, "SIGKILL")
      assert.isUndefined(yield* child.next)
      const dead = yield* refusal(directory)
      assert.strictEqual(dead.reason, "MountPointOccupied")
      assert.include(dead.message, "a mount whose server is gone is in the way")
      const below = yield* refusal(path.join(directory, "x"))
      assert.strictEqual(below.reason, "MountPointOccupied")
      assert.include(below.message, "realpath: ENOTCONN")
    }),
    limits,
  )
})

describe("through fusermount3", () => {
  it.live(
    "a user mounts and unmounts",
    Effect.fnUntraced(function* () {
      const directory = yield* Processes.mountPoint("a b,\\à", isRoot ? NOBODY : undefined)
      const child = yield* mountOnly([directory, "noexec,max_read=8192"])
      const mount = yield* child.next
      const entry = (yield* MountTable.find(directory))!
      assert.strictEqual(entry.fsType, "fuse.pxar-fuse")
      assert.strictEqual(entry.source, "/srv/an archive,with\\all#.pxar")
      assert.deepInclude(mount, { mountPoint: directory, how: "fusermount3", device: entry.device })
      yield* child.end
      assert.deepStrictEqual(yield* child.next, { unmounted: "unmounted", lazy: [], log: [] })
      assert.isUndefined(yield* MountTable.find(directory))
    }),
    limits,
  )

  it.live(
    "a busy mount is detached",
    Effect.fnUntraced(function* () {
      const directory = yield* Processes.mountPoint("mnt", isRoot ? NOBODY : undefined)
      const child = yield* mountOnly([directory])
      assert.strictEqual((yield* child.next).how, "fusermount3")
      yield* hold(directory)
      yield* child.end
      const end = yield* child.next
      assert.strictEqual(end.unmounted, "detached")
      assert.match(end.lazy[0], /is in use \(fusermount3: failed to unmount .*: Device or resource busy\): detached/)
      assert.isUndefined(yield* MountTable.find(directory))
    }),
    limits,
  )

  it.live(
    "a refusal says why",
    Effect.fnUntraced(function* () {
      const directory = yield* Processes.mountPoint("mnt", isRoot ? NOBODY : undefined)
      const refusal = (args: ReadonlyArray<string>, env?: NodeJS.ProcessEnv) =>
        Effect.flatMap(mountOnly(args, env === undefined ? {} : { env }), (child) => child.next)
      const missing = yield* refusal([directory], { ...process.env, PATH: "/nonexistent" })
      assert.strictEqual(missing.reason, "NoFusermount")
      assert.include(missing.message, "no fusermount3 on PATH: install the package fuse3")
      if (!/^\s*user_allow_other/m.test(fs.readFileSync("/etc/fuse.conf", "utf8"))) {
        const others = yield* refusal([directory, "allow_other"])
        assert.strictEqual(others.reason, "NotPermitted")
        assert.include(others.message, "'user_allow_other' is set in /etc/fuse.conf")
      }
      if (isRoot) {
        const foreign = yield* refusal([yield* Processes.mountPoint()])
        assert.strictEqual(foreign.reason, "NotPermitted")
        assert.include(foreign.message, "user has no write access to mountpoint")
      }
    }),
    limits,
  )

  it.live(
    "an unmount that fails is told, and the mount stays",
    Effect.fnUntraced(function* () {
      const directory = yield* Processes.mountPoint("mnt", isRoot ? NOBODY : undefined)
      const bin = yield* Processes.mountPoint("bin")
      const helper = path.join(bin, "fusermount3")
      yield* Effect.acquireRelease(
        Effect.sync(() => fs.symlinkSync("/usr/bin/fusermount3", helper)),
        () => Effect.sync(() => fs.rmSync(helper, { force: true })),
      )
      const child = yield* mountOnly([directory], { env: { ...process.env, PATH: bin } })
      assert.strictEqual((yield* child.next).how, "fusermount3")
      fs.unlinkSync(helper)
      yield* child.end
      const detail = "spawn fusermount3: ENOENT"
      assert.deepStrictEqual(yield* child.next, {
        unmounted: "failed",
        lazy: [],
        log: [`${directory} is still mounted (${detail}): type fusermount3 -u ${directory}`],
      })
      assert.isDefined(yield* MountTable.find(directory))
    }),
    limits,
  )
})
