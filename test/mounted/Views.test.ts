/**
 * The options of `pxar-fuse mount` that show an archive differently.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as B from "../support/ArchiveBuilder.ts"
import * as Command from "../support/Command.ts"
import * as Golden from "../support/Golden.ts"
import * as MountedTree from "../support/MountedTree.ts"
import * as Processes from "../support/Processes.ts"
import { need, NOBODY } from "../support/Requirements.ts"

beforeEach(need({ mount: true, root: true }))

const { archive: tree } = Golden.treeV1

const mounted = Effect.fnUntraced(function* (archive: string, ...args: ReadonlyArray<string>) {
  const mountPoint = yield* Processes.mountPoint()
  yield* Command.mount(archive, mountPoint, args)
  return mountPoint
})

/** Runs a program as a user and group without files. */
const runAs = (id: number, command: string, ...args: ReadonlyArray<string>) =>
  Processes.run(command, args, { uid: id, gid: id, cwd: "/" })

const accessAcl = Buffer.from("system.posix_acl_access").toString("hex")
const capability = Buffer.from("security.capability").toString("hex")

const withAttribute = (name: string) => Golden.treeV1.view().filter(({ xattrs }) => name in xattrs)

describe("--uid and --gid", () => {
  it.live("show everything as owned so, without set-id bits and capabilities; the rest as it is", () =>
    Effect.gen(function* () {
      const mountPoint = yield* mounted(tree, "--uid", "1234", "--gid=5678")
      const chowned = Golden.treeV1.view().map((view) => {
        const { [capability]: _, ...xattrs } = view.xattrs
        const mode = view.kind === "directory" ? view.mode : view.mode & ~0o6000
        return Object.assign(MountedTree.expected(view), { uid: 1234, gid: 5678, mode, xattrs })
      })
      assert.isNotEmpty(withAttribute(capability))
      assert.deepStrictEqual(
        MountedTree.comparable(MountedTree.read(mountPoint), Golden.treeV1.view()),
        MountedTree.byPath(chowned),
      )
    }),
  )

  it.live("are refused if they are no ids", () =>
    Effect.gen(function* () {
      for (const id of ["-1", "4294967295", "ada"]) {
        const { code, stderr } = yield* Command.run(["mount", tree, "/mnt", `--uid=${id}`])
        assert.strictEqual(code, 2, stderr)
        assert.include(stderr, "uid")
      }
    }),
  )
})

describe("--umask, --fmask and --dmask", () => {
  it.live("give files and folders the permissions that are not in the mask; words of -o too", () =>
    Effect.gen(function* () {
      const mountPoint = yield* mounted(tree, "-o", "umask=027,fmask=137")
      const modes = new Set(
        MountedTree.read(mountPoint).map(({ kind, mode }) => `${kind} ${(mode & 0o7777).toString(8)}`),
      )
      assert.sameMembers(
        [...modes],
        ["directory 750", "file 640", "symlink 777", "fifo 640", "socket 640", "chardev 640", "blockdev 640"],
      )
    }),
  )

  it.live("decide alone who may read: no access ACL says otherwise", () =>
    Effect.gen(function* () {
      const open = yield* mounted(tree, "-o", "allow_other,umask=022")
      const closed = yield* mounted(tree, "-o", "allow_other,fmask=077,dmask=022")
      for (const { path: name, xattrs } of withAttribute(accessAcl).filter(({ kind }) => kind === "file")) {
        const relative = name.toString("latin1")
        assert.notProperty(MountedTree.see(Buffer.from(open + relative), name).xattrs, accessAcl)
        assert.property(xattrs, accessAcl)
        assert.strictEqual((yield* runAs(3000, "cat", open + relative)).code, 0, relative)
        // Some of them let user 1000 in by their ACL.
        assert.strictEqual((yield* runAs(1000, "cat", closed + relative)).code, 1, relative)
      }
    }),
  )

  it.live("are refused if they are no octal permissions", () =>
    Effect.gen(function* () {
      for (const mask of ["8", "1777", "rwx", ""]) {
        const { code, stderr } = yield* Command.run(["mount", tree, "/mnt", `--umask=${mask}`])
        assert.strictEqual(code, 2, stderr)
        assert.include(stderr, "permission bits in octal")
      }
    }),
  )
})

describe("--noxattr", () => {
  beforeEach(need({ tools: ["getfattr"] }))

  it.live("shows no attributes, and the group no more than an ACL would give it", () =>
    Effect.gen(function* () {
      const mountPoint = yield* mounted(tree, "--noxattr")
      const file = `${mountPoint}/xattr/one`
      const { stderr } = yield* Processes.run("getfattr", ["-d", file], { env: { ...process.env, LC_ALL: "C" } })
      assert.include(stderr, "Operation not supported")
      const view = withAttribute(accessAcl).find(({ path }) => path.toString() === "/acl/user")
      // The list is in the order of §8.4: user, named users, then the owning group.
      const acl = Buffer.from(view!.xattrs[accessAcl]!, "hex")
      const owningGroup = [...Array((acl.length - 4) / 8).keys()]
        .map((index) => acl.subarray(4 + 8 * index))
        .find((item) => item.readUInt16LE(0) === 4)!
        .readUInt16LE(2)
      assert.notStrictEqual(owningGroup, (view!.mode >> 3) & 7)
      assert.strictEqual((fs.statSync(`${mountPoint}/acl/user`).mode >> 3) & 7, owningGroup & (view!.mode >> 3))
    }),
  )
})

describe("allow_root", () => {
  it.live(
    "shows the top folder as closed to everybody but the mounting user, so that the kernel lets nobody else in",
    () =>
      Effect.gen(function* () {
        const mountPoint = yield* mounted(tree, "-o", "allow_root")
        const { gid, mode, uid } = fs.statSync(mountPoint)
        assert.deepStrictEqual({ gid, mode, uid }, { gid: 0, mode: 0o40700, uid: 0 })
        assert.isNotEmpty(fs.readdirSync(path.join(mountPoint, "many")))
        // Listed and cached by now.
        assert.strictEqual((yield* runAs(3000, "ls", path.join(mountPoint, "many"))).code, 2)
        assert.strictEqual((yield* runAs(3000, "ls", mountPoint)).code, 2)
      }),
  )

  describe("for an ordinary user", () => {
    beforeEach((context) => {
      need({ otherUsers: true, tools: ["fusermount3", "setpriv", "unshare"] })(context)
      fs.chmodSync("/dev/fuse", 0o666)
    })

    it.live("lets root in, and nobody else", () =>
      Effect.gen(function* () {
        const mountPoint = yield* Processes.mountPoint("mnt", NOBODY)
        const conf = yield* Command.write("fuse.conf", "user_allow_other\n")
        // In a mount namespace of its own, where such mounts are allowed.
        const script = `
          mount --bind ${conf} /etc/fuse.conf
          as() { user=$1; shift; setpriv --reuid=$user --regid=$user --clear-groups -- "$@"; }
          as ${NOBODY} "$@" || exit 1
          stat -c '%a %u %g' ${mountPoint}
          cat ${mountPoint}/sizes/s1 | wc -c
          as 3000 ls ${mountPoint} 2>/dev/null || echo refused
          umount ${mountPoint}`
        const command = Command.commandLine(["mount", tree, mountPoint, "-o", "allow_root"])
        const { stderr, stdout } = yield* Processes.run("unshare", ["-m", "sh", "-c", script, "sh", ...command])
        assert.strictEqual(stdout.toString(), `700 ${NOBODY} ${NOBODY}\n1\nrefused\n`, stderr)
      }),
    )
  })
})

describe("--subdir", () => {
  it.live("mounts a folder of the archive, with hard links to what is outside", () =>
    Effect.gen(function* () {
      const { mountPoint, nameStart } = yield* Effect.gen(function* () {
        const built = B.build({
          children: [B.file("target", "linked"), B.folder("a", [B.folder("b", [B.linkTo("link", "target")])])],
        })
        const archive = yield* Command.write("test.pxar", built.bytes)
        const { nameStart } = built.at("a/b/link")
        return { mountPoint: yield* mounted(archive, "--subdir", "/a/b"), nameStart }
      })
      assert.deepStrictEqual(fs.readdirSync(mountPoint), ["link"])
      assert.strictEqual(fs.readFileSync(path.join(mountPoint, "link"), "utf8"), "linked")
      assert.strictEqual(fs.statSync(mountPoint, { bigint: true }).ino, 1n)
      const { ino } = fs.statSync(path.join(mountPoint, "link"), { bigint: true })
      assert.strictEqual(ino, 2n * BigInt(nameStart) + 1n)
    }),
  )

  it.live("shows there what the whole mount shows", () =>
    Effect.gen(function* () {
      const whole = yield* mounted(tree)
      const part = yield* mounted(tree, "--subdir=names")
      const seen = MountedTree.read(path.join(whole, "names"))
      assert.deepStrictEqual(MountedTree.read(part).slice(1), seen.slice(1))
      assert.deepStrictEqual(MountedTree.read(part)[0], { ...seen[0]!, ino: 1n })
    }),
  )

  it.live("takes names that are not UTF-8, as messages print them", () =>
    Effect.gen(function* () {
      const bytes = B.build({ children: [B.folder(Buffer.from("caf\xe9", "latin1"), [B.file("x")])] }).bytes
      const mountPoint = yield* mounted(yield* Command.write("test.pxar", bytes), "--subdir", String.raw`caf\xe9`)
      assert.deepStrictEqual(fs.readdirSync(mountPoint), ["x"])
    }),
  )

  it.live("takes a name as it is typed before what its escapes stand for", () =>
    Effect.gen(function* () {
      const { bytes } = B.build({
        children: [B.folder(String.raw`a\x2db`, [B.file("typed")]), B.folder("a-b", [B.file("meant")])],
      })
      const archive = yield* Command.write("test.pxar", bytes)
      const mountPoint = yield* mounted(archive, "--subdir", String.raw`a\x2db`)
      assert.deepStrictEqual(fs.readdirSync(mountPoint), ["typed"])
    }),
  )

  it.live("is refused where there is no such folder", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      for (const [name, what, id] of [
        ["nowhere", "no such file or folder", "NOT-FOUND"],
        ["sizes/s15", "not a folder", "NOT-A-FOLDER"],
      ] as const) {
        const { code, stderr } = yield* Command.run(["mount", tree, mountPoint, `--subdir=${name}`])
        assert.deepStrictEqual(
          { code, stderr },
          { code: 8, stderr: `pxar-fuse: ${name}: ${what} in the archive [PXF-PATH-${id}]\n` },
        )
      }
    }),
  )
})

describe("lsattr", () => {
  beforeEach(need({ tools: ["lsattr"] }))

  it.live("shows flags and project ids as they were archived", () =>
    Effect.gen(function* () {
      const quota = B.item(B.Type.QUOTA_PROJID, B.u64(4242))
      const { bytes } = B.build({
        children: [
          B.raw("file", B.entry({ flags: 0x10_0000n }), B.payload("x")),
          B.raw("kept", B.entry({ flags: 0x41_0000n }), quota, B.payload("x")),
          B.file("plain"),
        ],
      })
      const mountPoint = yield* mounted(yield* Command.write("test.pxar", bytes))
      const { stderr, stdout } = yield* Processes.run("lsattr", ["-p", mountPoint])
      const lines = stdout
        .toString()
        .trimEnd()
        .split("\n")
        .map((line) => line.trim().split(/\s+/))
      const flagsOf = new Map(
        lines.map(([project, flags, file]) => [path.basename(file!), `${project} ${flags!.replaceAll("-", "")}`]),
      )
      assert.deepStrictEqual(
        flagsOf,
        new Map([
          ["file", "0 d"],
          ["kept", "4242 ia"],
          ["plain", "0 "],
        ]),
        stderr,
      )
    }),
  )
})
