/**
 * Who may do what on a mount: the user who mounts, and others. The kernel decides, by mode and ACL.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Wire from "../support/Wire.ts"
import * as Golden from "../support/Golden.ts"
import * as MountServer from "../support/MountServer.ts"
import * as Processes from "../support/Processes.ts"
import { isRoot, need, NOBODY } from "../support/Requirements.ts"

/** The line of a mount in the mount table. */
const tableLine = (mountPoint: string): ReadonlyArray<string> => {
  const line = fs
    .readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" "))
    .find(([, place]) => place === mountPoint)
  return line ?? []
}

/** Runs a program as another user. */
const runAs = (user: number, group: number, command: string, ...args: ReadonlyArray<string>) =>
  Processes.run(command, args, { uid: user, gid: group, cwd: "/", env: { ...process.env, LC_ALL: "C" } })

describe("an ordinary user", () => {
  beforeEach((context) => {
    need({ mount: true, root: true, otherUsers: true, tools: ["find", "fusermount3"] })(context)
    fs.chmodSync("/dev/fuse", 0o666)
  })

  const golden = Golden.collisionsV1
  const mount = MountServer.golden(golden, { user: NOBODY })

  it.live("mounts through fusermount3, with the default options", () =>
    Effect.gen(function* () {
      const { how, mountPoint } = yield* mount
      assert.strictEqual(how, "fusermount3")
      const [source, , type, options] = tableLine(mountPoint)
      assert.deepStrictEqual([source, type], [golden.archive, "fuse.pxar-fuse"])
      const expected = ["ro", "nosuid", "nodev", `user_id=${NOBODY}`, `group_id=${NOBODY}`, "default_permissions"]
      assert.includeMembers(options!.split(","), expected)
      assert.notInclude(options, "allow_other")
    }),
  )

  it.live("sees every file", () =>
    Effect.gen(function* () {
      const { mountPoint } = yield* mount
      const { code, stderr, stdout } = yield* runAs(NOBODY, NOBODY, "find", mountPoint, "-printf", "/%P %i %m %s\\n")
      assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
      assert.deepStrictEqual(
        stdout.toString().trimEnd().split("\n").sort(),
        golden
          .view()
          .map(({ ino, mode, path, size }) => `${path} ${Wire.inodeOf(ino)} ${(mode & 0o7777).toString(8)} ${size}`)
          .sort(),
      )
    }),
  )

  it.live("reads contents", () =>
    Effect.gen(function* () {
      const { mountPoint } = yield* mount
      const file = golden.view().find(({ kind }) => kind === "file")!
      const { stdout } = yield* runAs(NOBODY, NOBODY, "sha256sum", path.join(mountPoint, file.path.toString()))
      assert.strictEqual(stdout.toString().slice(0, 64), file.sha256)
    }),
  )

  it.live("keeps the mount to himself: neither root nor others get in", () =>
    Effect.gen(function* () {
      const { mountPoint } = yield* mount
      assert.throws(() => fs.readdirSync(mountPoint), /EACCES/)
      const other = yield* runAs(3000, 3000, "ls", mountPoint)
      assert.match(other.stderr, /Permission denied/)
    }),
  )

  it.live("unmounts with fusermount3 -u, which ends the session", () =>
    Effect.gen(function* () {
      const server = yield* mount
      const { code } = yield* runAs(NOBODY, NOBODY, "fusermount3", "-u", server.mountPoint)
      assert.strictEqual(code, 0)
      yield* server.sessionEnded
      assert.deepInclude(yield* server.end, { session: "ended", held: 0, devices: 0, code: 0, log: [], lazy: [] })
    }),
  )

  it.live("is kept out by modes: folders and files of root that others may not read", () =>
    Effect.gen(function* () {
      const { mountPoint } = yield* MountServer.golden(Golden.synthV1, { user: NOBODY })
      const { code, stderr } = yield* runAs(NOBODY, NOBODY, "cat", path.join(mountPoint, "modes/none"))
      assert.strictEqual(code, 1)
      assert.match(stderr, /Permission denied/)
    }),
  )
})

describe("the user who runs the tests", () => {
  beforeEach(need({ mount: true }))

  it.live("mounts with the default options", () =>
    Effect.gen(function* () {
      const { how, mountPoint } = yield* MountServer.golden(Golden.helloV1)
      assert.strictEqual(how, isRoot ? "root" : "fusermount3")
      const [source, , type, options] = tableLine(mountPoint)
      assert.deepStrictEqual([source, type], [Golden.helloV1.archive, "fuse.pxar-fuse"])
      assert.includeMembers(options!.split(","), ["ro", "nosuid", "nodev", "default_permissions"])
    }),
  )

  it.live("cannot write", () =>
    Effect.gen(function* () {
      const { mountPoint } = yield* MountServer.golden(Golden.helloV1)
      assert.throws(() => fs.writeFileSync(path.join(mountPoint, "hello"), "x"), /EROFS/)
      assert.throws(() => fs.mkdirSync(path.join(mountPoint, "new")), /EROFS/)
      assert.throws(() => fs.unlinkSync(path.join(mountPoint, "hello")), /EROFS/)
      assert.throws(() => fs.chmodSync(path.join(mountPoint, "hello"), 0o777), /EROFS/)
    }),
  )
})

describe("with allow_other", () => {
  beforeEach(need({ mount: true, root: true }))

  const mount = MountServer.shared(Golden.treeV1, { options: ["allow_other"] })

  /** `who` is user:group; `x` on a folder is to enter it. */
  const cases: ReadonlyArray<readonly [who: string, right: "r" | "x", file: string, granted: boolean, why: string]> = [
    ["1000:1000", "r", "acl/user", true, "user:1000:rw-"],
    ["1000:1000", "x", "acl/user", false, "user:1000:rw-"],
    ["1001:1001", "r", "acl/user", true, "user:1001:r--"],
    ["3000:2000", "r", "acl/user", true, "group:2000:rwx"],
    ["3000:2000", "x", "acl/user", true, "group:2000:rwx"],
    ["3000:3000", "r", "acl/user", false, "other::---"],
    ["1000:1000", "r", "acl/masked", true, "user:1000:rwx under mask::r--"],
    ["1000:1000", "x", "acl/masked", false, "user:1000:rwx under mask::r--"],
    ["3000:3000", "r", "acl/masked", true, "other::r--"],
    ["3000:2001", "r", "acl/withxattr", true, "group:2001:r--"],
    ["3000:3000", "r", "acl/withxattr", false, "other::---"],
    ["1002:1002", "x", "acl/both", true, "user:1002:rwx"],
    ["3000:3000", "x", "acl/both", true, "other::r-x"],
    ["1000:1000", "r", "acl/dflt", true, "other::r-x, the default ACL grants nothing here"],
    ["3000:0", "r", "acl/maskonly", true, "group::rw- under mask::r--"],
  ]
  for (const [who, right, file, granted, why] of cases) {
    it.live(`${who} is ${granted ? "granted" : "refused"} ${right} on ${file}: ${why}`, () =>
      Effect.gen(function* () {
        const { mountPoint } = yield* mount
        const [user, group] = who.split(":").map(Number)
        const { code } = yield* runAs(user!, group!, "test", `-${right}`, path.join(mountPoint, file))
        assert.strictEqual(code, granted ? 0 : 1)
      }),
    )
  }

  it.live("1001:1001 is refused r where user:1001:--- stands, although other::r--", () =>
    Effect.gen(function* () {
      const { mountPoint } = yield* MountServer.golden(Golden.synthV1, { options: ["allow_other"] })
      const test = (user: number) => runAs(user, user, "test", "-r", path.join(mountPoint, "meta/acl"))
      assert.strictEqual((yield* test(1001)).code, 1)
      assert.strictEqual((yield* test(3000)).code, 0)
    }),
  )

  it.live("whom an ACL grants it reads the content, whom it does not is refused", () =>
    Effect.gen(function* () {
      const { mountPoint } = yield* mount
      const file = path.join(mountPoint, "acl/user")
      const view = Golden.treeV1.view().find((view) => view.path.toString("latin1") === "/acl/user")!
      const granted = yield* runAs(1001, 1001, "sha256sum", file)
      assert.strictEqual(granted.stdout.toString().slice(0, 64), view.sha256)
      const refused = yield* runAs(3000, 3000, "sha256sum", file)
      assert.match(refused.stderr, /Permission denied/)
    }),
  )

  it.live("set-user-ID programs and devices of the archive have no effect", () =>
    Effect.gen(function* () {
      const { mountPoint } = yield* mount
      assert.includeMembers(tableLine(mountPoint)[3]!.split(","), ["nosuid", "nodev", "allow_other"])
      assert.throws(() => fs.openSync(path.join(mountPoint, "special/null"), "r"), /EACCES/)
    }),
  )
})

describe("with no_default_permissions", () => {
  beforeEach(need({ mount: true, root: true }))

  it.live("nobody is asked for rights", () =>
    Effect.gen(function* () {
      const { mountPoint } = yield* MountServer.golden(Golden.treeV1, {
        options: ["allow_other,no_default_permissions"],
      })
      assert.notInclude(tableLine(mountPoint)[3], "default_permissions")
      const { code } = yield* runAs(3000, 3000, "cat", path.join(mountPoint, "acl/user"))
      assert.strictEqual(code, 0)
    }),
  )
})
