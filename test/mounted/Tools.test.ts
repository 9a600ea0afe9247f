/**
 * Acceptance point 3: the tools that people use on a backup say nothing but what they were asked for.
 */
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Golden from "../support/Golden.ts"
import * as MountedTree from "../support/MountedTree.ts"
import * as MountServer from "../support/MountServer.ts"
import * as Processes from "../support/Processes.ts"
import { need } from "../support/Requirements.ts"

beforeEach(need({ mount: true, root: true, tools: ["cp", "find", "getcap", "getfacl", "getfattr", "rsync", "tar"] }))

/** The five golden archives. */
const archives = [Golden.treeV1, Golden.treeV2, Golden.synthV1, Golden.synthV2, Golden.collisionsV1]

const isKind = (kind: Golden.Kind) => (view: Golden.View) => view.kind === kind

/** Runs a tool beside the mount, which is the folder `mnt`: no tool has a slash to strip and to complain about. */
const tool = Effect.fnUntraced(function* (
  server: MountServer.MountServer,
  name: string,
  ...args: ReadonlyArray<string>
) {
  const cwd = path.dirname(server.mountPoint)
  return yield* Processes.run(name, args, { cwd, env: { ...process.env, LC_ALL: "C.UTF-8", TZ: "UTC" } })
})

/** The same for a tool that must succeed in silence; gives what it prints. */
const silent = Effect.fnUntraced(function* (
  server: MountServer.MountServer,
  name: string,
  ...args: ReadonlyArray<string>
) {
  const { code, stderr, stdout } = yield* tool(server, name, ...args)
  assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" }, name)
  return stdout
})

const lines = (text: Buffer): ReadonlyArray<string> => text.toString("latin1").trimEnd().split("\n")

for (const golden of archives) {
  describe(golden.name, () => {
    const view = golden.view()
    const mount = MountServer.shared(golden)

    it.live("find -ls and ls -lAR show every file", () =>
      Effect.gen(function* () {
        const server = yield* mount
        assert.strictEqual(lines(yield* silent(server, "find", "mnt", "-ls")).length, view.length)
        const listed = lines(yield* silent(server, "ls", "-lARb", "mnt"))
        assert.strictEqual(listed.filter((line) => /^[-dlcbps][-rwxsStT]{9}/.test(line)).length, view.length - 1)
      }),
    )

    it.live("tar packs every file, and complains of nothing but sockets", () =>
      Effect.gen(function* () {
        const server = yield* mount
        const packed = yield* tool(server, "tar", "cf", "-", "--format=posix", "--acls", "--xattrs", "mnt")
        const sockets = view.filter(isKind("socket"))
        assert.strictEqual(packed.code, 0)
        assert.deepStrictEqual(
          packed.stderr.split("\n").filter((line) => line !== ""),
          sockets.map((socket) => `tar: mnt${socket.path}: socket ignored`),
        )
        const archive = path.join(path.dirname(server.mountPoint), "packed.tar")
        yield* Effect.promise(() => fs.promises.writeFile(archive, packed.stdout))
        const names = lines(yield* silent(server, "tar", "tf", archive, "--quoting-style=escape"))
        assert.strictEqual(names.length, view.length - sockets.length)
      }),
    )

    it.live("cp -a makes a copy with all that the other file system can hold", () =>
      Effect.gen(function* () {
        const server = yield* mount
        yield* silent(server, "cp", "-a", "mnt", "copy")
        const copy = MountedTree.read(path.join(path.dirname(server.mountPoint), "copy"))
        /** Without inode numbers and blocks, sizes of folders, and times that few file systems can hold. */
        const comparable = (entry: MountedTree.Seen) => {
          const { gid, kind, mode, mtimeNanos, mtimeSeconds, rdev, sha256, target, uid } = entry
          const time =
            mtimeSeconds > -(2n ** 31n) && mtimeSeconds < 2n ** 31n ? [mtimeSeconds, mtimeNanos] : "out of range"
          const size = kind === "directory" ? undefined : entry.size
          return [entry.path.toString("latin1"), { gid, kind, mode, rdev, sha256, size, target, time, uid }] as const
        }
        assert.deepStrictEqual(new Map(copy.map(comparable)), new Map(view.map(MountedTree.expected).map(comparable)))
      }),
    )

    it.live("rsync -aAXH finds nothing wrong", () =>
      Effect.gen(function* () {
        const server = yield* mount
        const target = path.join(path.dirname(server.mountPoint), "target")
        const names = lines(
          yield* silent(server, "rsync", "-aAXH", "--dry-run", "--out-format=%i %n", "mnt/", `${target}/`),
        )
        assert.strictEqual(names.filter((line) => /^[.>ch<][fdLDS]/.test(line)).length, view.length)
      }),
    )

    it.live("getfattr shows every attribute", () =>
      Effect.gen(function* () {
        const server = yield* mount
        const shown = lines(yield* silent(server, "getfattr", "-hdR", "-e", "hex", "-m", "-", "mnt"))
        const expected = view.flatMap(({ xattrs }) =>
          Object.entries(xattrs).map(([name, value]) => `${Buffer.from(name, "hex")}=0x${value}`),
        )
        assert.deepStrictEqual(shown.filter((line) => line.includes("=")).sort(), expected.sort())
      }),
    )

    it.live("getfattr without -h follows symbolic links, and complains of nothing but those that lead nowhere", () =>
      Effect.gen(function* () {
        const server = yield* mount
        const reasons = new Map([
          ["ENOENT", "No such file or directory"],
          ["ELOOP", "Too many levels of symbolic links"],
        ])
        const dangling = view.filter(isKind("symlink")).flatMap(({ path: link }) => {
          try {
            fs.statSync(path.join(server.mountPoint, link.toString()))
            return []
          } catch (error) {
            return [`getfattr: mnt${link}: ${reasons.get((error as NodeJS.ErrnoException).code!)}`]
          }
        })
        const { code, stderr } = yield* tool(server, "getfattr", "-dR", "-m", "-", "mnt")
        assert.deepStrictEqual(
          stderr
            .split("\n")
            .filter((line) => line !== "")
            .sort(),
          dangling.sort(),
        )
        assert.strictEqual(code, dangling.length > 0 ? 1 : 0)
      }),
    )

    it.live("getfacl shows the ACL of every file", () =>
      Effect.gen(function* () {
        const server = yield* mount
        const lists = lines(yield* silent(server, "getfacl", "-R", "mnt"))
        const links = view.filter(isKind("symlink")).length
        assert.strictEqual(lists.filter((line) => line.startsWith("# file: ")).length, view.length - links)
        for (const [name, line] of [
          ["system.posix_acl_access", "mask::"],
          ["system.posix_acl_default", "default:user::"],
        ] as const) {
          const having = view.filter(({ xattrs }) => Buffer.from(name).toString("hex") in xattrs)
          assert.strictEqual(lists.filter((text) => text.startsWith(line)).length, having.length, name)
        }
      }),
    )

    it.live("getcap finds the capabilities", () =>
      Effect.gen(function* () {
        const server = yield* mount
        const found = (yield* silent(server, "getcap", "-r", "mnt")).toString("latin1")
        const capable = view.filter(({ xattrs }) => Buffer.from("security.capability").toString("hex") in xattrs)
        assert.strictEqual(found.split("\n").filter((line) => line !== "").length, capable.length)
      }),
    )

    it.live("du adds up the blocks and the bytes of the view", () =>
      Effect.gen(function* () {
        const server = yield* mount
        const sum = (numbers: ReadonlyArray<number>) => numbers.reduce((sum, number) => sum + number, 0)
        const total = (text: Buffer) => Number(text.toString().split("\t")[0])
        // Names that are hard links count as files: an archive does not say how many links a file has (§9.2).
        const blocks = total(yield* silent(server, "du", "-s", "--block-size=512", "mnt"))
        assert.strictEqual(blocks, sum(view.map(({ blocks }) => blocks)))
        const bytes = total(yield* silent(server, "du", "-sb", "mnt"))
        assert.strictEqual(bytes, sum(view.map(({ size }) => size)))
      }),
    )

    it.live("df and stat -f show a full, read-only file system of the archive's size", () =>
      Effect.gen(function* () {
        const server = yield* mount
        const files = [golden.archive, ...(golden.payload === undefined ? [] : [golden.payload])]
        const size = files.reduce((sum, file) => sum + fs.statSync(file).size, 0)
        const [, line = ""] = lines(
          yield* silent(server, "df", "--block-size=1", "--output=source,fstype,size,used,avail,target", "mnt"),
        )
        const [source, type, total, used, available, target] = line.split(/\s+/)
        assert.deepStrictEqual([source, type, target], [golden.archive, "fuse.pxar-fuse", server.mountPoint])
        assert.strictEqual(Number(total), Math.ceil(size / 4096) * 4096)
        assert.strictEqual(Number(used), Number(total))
        assert.strictEqual(Number(available), 0)
        const status = (yield* silent(server, "stat", "-f", "-c", "%s %S %l %a %f", "mnt")).toString().trim()
        assert.strictEqual(status, "4096 4096 255 0 0")
      }),
    )
  })
}

describe("contents", () => {
  const mount = MountServer.shared(Golden.treeV2)

  it.live("through tar are those of the view", () =>
    Effect.gen(function* () {
      const server = yield* mount
      const { stdout } = yield* tool(server, "tar", "cf", "-", "mnt")
      const archive = path.join(path.dirname(server.mountPoint), "packed.tar")
      yield* Effect.promise(() => fs.promises.writeFile(archive, stdout))
      const large = Golden.treeV2.view().find(({ size }) => size > 1024 * 1024)!
      const content = yield* silent(server, "tar", "xOf", archive, `mnt${large.path}`)
      assert.strictEqual(createHash("sha256").update(content).digest("hex"), large.sha256)
    }),
  )

  it.live("are right for eight readers at once", () =>
    Effect.gen(function* () {
      const server = yield* mount
      const sums = lines(
        yield* silent(
          server,
          "sh",
          "-c",
          "find mnt -type f -print0 | xargs -0 -n 8 -P 8 sha256sum | cut -c1-65 | tr -d '\\\\ '",
        ),
      )
      const expected = Golden.treeV2.view().flatMap(({ sha256 }) => sha256 ?? [])
      assert.deepStrictEqual(sums.map((sum) => sum.slice(0, 64)).sort(), expected.sort())
    }),
  )
})
