import * as fs from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { S_IFDIR, S_IFLNK, S_IFREG } from "../../../src/domain/pxar/Entry.ts"
import * as FeatureFlags from "../../../src/domain/pxar/FeatureFlags.ts"
import * as DiskTree from "../../../src/services/disk/DiskTree.ts"
import { makeNode, setFlags, setTime, setXattr } from "../../support/Materialize.ts"
import * as Processes from "../../support/Processes.ts"
import * as SourceFolder from "../../support/SourceFolder.ts"

const list = Effect.fnUntraced(function* (tree: DiskTree.DiskTree, directory = tree.root) {
  const listing = yield* tree.list(directory)
  return Array.from({ length: listing.count }, (_, i) => Buffer.from(listing.nameAt(i)).toString("latin1"))
})

/** Opens a name below the root. */
const openAt = Effect.fnUntraced(function* (tree: DiskTree.DiskTree, path: string) {
  let entry = tree.root
  for (const name of path.split("/")) {
    const listing = yield* tree.list(entry)
    const index = Array.from({ length: listing.count }, (_, i) => i).find(
      (i) => Buffer.from(listing.nameAt(i)).toString() === name,
    )
    entry = yield* tree.open(entry, listing, index ?? -1)
  }
  return entry
})

describe("a listing", () => {
  it.effect("is in ascending order of bytes, without dots", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      const names = ["a", "a ", "a!", "a/b", "ab", "B", "\u00ff", "\u0001", ".hidden", "...", "Z".repeat(255)]
      for (const name of names) {
        const at = Buffer.from(`${folder}/${name}`, "latin1")
        if (name.includes("/")) fs.writeFileSync(Buffer.from(`${folder}/a-b`), "")
        else fs.writeFileSync(at, "")
      }
      const tree = yield* DiskTree.open(folder)
      const expected = names.map((name) => Buffer.from(name.replace("/", "-"), "latin1")).toSorted(Buffer.compare)
      assert.deepStrictEqual(
        yield* list(tree),
        expected.map((name) => name.toString("latin1")),
      )
    }),
  )

  for (const count of [0, 1, 5000]) {
    it.effect(`has all of ${count} names, with their types`, () =>
      Effect.gen(function* () {
        const folder = yield* Processes.temporaryFolder
        for (let i = 0; i < count; i++) {
          const name = `${folder}/${String(i).padStart(60, "0")}`
          if (i % 3 === 0) fs.mkdirSync(name)
          else if (i % 3 === 1) fs.writeFileSync(name, "")
          else fs.symlinkSync("x", name)
        }
        const tree = yield* DiskTree.open(folder)
        const listing = yield* tree.list(tree.root)
        assert.strictEqual(listing.count, count)
        for (let i = 0; i < count; i++) {
          const name = String(i).padStart(60, "0")
          assert.strictEqual(Buffer.from(listing.nameAt(i)).toString(), name)
          assert.strictEqual(Buffer.from(listing.terminatedAt(i)).toString(), `${name}\0`)
          assert.strictEqual(listing.typeAt(i), [S_IFDIR, S_IFREG, S_IFLNK][i % 3])
        }
      }),
    )
  }
})

describe("an entry", () => {
  it.effect("has the status that lstat shows", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      SourceFolder.fillAsUser(folder)
      const tree = yield* DiskTree.open(folder)
      for (const name of ["size5000000", "deep", "dangling", "fifo", "socket", "mode4755", "deep/er/link"]) {
        const entry = yield* openAt(tree, name)
        const stat = fs.lstatSync(`${folder}/${name}`, { bigint: true })
        const { status } = entry
        assert.deepStrictEqual(
          [status.mode, status.nlink, status.uid, status.gid, status.size].map(BigInt),
          [stat.mode, stat.nlink, stat.uid, stat.gid, stat.size],
          name,
        )
        assert.strictEqual(status.mtimeSeconds * 1_000_000_000n + BigInt(status.mtimeNanos), stat.mtimeNs)
        assert.strictEqual((BigInt(status.inodeHigh) << 32n) | BigInt(status.inodeLow), stat.ino)
        assert.strictEqual(Buffer.from(DiskTree.pathOf(entry)).toString(), name)
        assert.strictEqual(entry.fd >= 0, stat.isFile() || stat.isDirectory())
      }
    }),
  )

  it.effect("has times on both sides of the epoch", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      const tree = yield* DiskTree.open(folder)
      for (const [seconds, nanos] of [
        [-1n, 999_999_999],
        [-2_147_483_648n, 0],
        [0n, 1],
        [4_294_967_296n, 5],
      ] as const) {
        fs.writeFileSync(`${folder}/a`, "")
        setTime(Buffer.from(`${folder}/a`), seconds, nanos)
        const { metadata } = yield* tree.metadata(yield* openAt(tree, "a"))
        assert.deepStrictEqual([metadata.mtimeSeconds, metadata.mtimeNanos], [seconds, nanos])
      }
    }),
  )

  it.effect("keeps its access time", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      fs.mkdirSync(`${folder}/d`)
      fs.writeFileSync(`${folder}/d/f`, "content")
      for (const name of ["d", "d/f"]) setTime(Buffer.from(`${folder}/${name}`), 1000n, 5)
      const tree = yield* DiskTree.open(folder)
      const file = yield* openAt(tree, "d/f")
      assert.strictEqual(yield* tree.read(file, new Uint8Array(100), 0), 7)
      yield* tree.list(yield* openAt(tree, "d"))
      for (const name of ["d", "d/f"]) {
        assert.strictEqual(fs.statSync(`${folder}/${name}`, { bigint: true }).atimeNs, 1_000_000_000_005n)
      }
    }),
  )

  it.effect("has the flags that archives keep, if its file system has them", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      fs.mkdirSync(`${folder}/flagged`)
      fs.writeFileSync(`${folder}/plain`, "")
      const tree = yield* DiskTree.open(folder)
      const type = fs.statfsSync(folder, { bigint: true }).type
      assert.strictEqual(tree.root.features, FeatureFlags.ofFileSystem(Number(type)))
      // chattr +dAS: NODUMP, NOATIME, SYNC.
      const set = setFlags(`${folder}/flagged`, 0x40 | 0x80 | 0x8)
      const expected = set ? (0x10_0000n | 0x2_0000n | 0x80_0000n) & tree.root.features : 0n
      assert.strictEqual((yield* tree.metadata(yield* openAt(tree, "flagged"))).metadata.flags, expected)
      assert.strictEqual((yield* tree.metadata(yield* openAt(tree, "plain"))).metadata.flags, 0n)
    }),
  )

  it.effect("has its attributes in the order in which the file system lists them", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      fs.writeFileSync(`${folder}/a`, "")
      const names = ["user.z", "user.a", "user.mmmm", "user.b"]
      for (const name of names) setXattr(Buffer.from(`${folder}/a`), name, Buffer.from(name))
      const tree = yield* DiskTree.open(folder)
      const { metadata, warnings } = yield* tree.metadata(yield* openAt(tree, "a"))
      const found = metadata.attributes.xattrs.map(({ name, value }) => {
        assert.deepStrictEqual(name, value)
        return Buffer.from(name).toString()
      })
      const seen = SourceFolder.onDisk(folder).find(({ path }) => path === "/a")
      assert.deepStrictEqual(
        found,
        Object.keys(seen?.xattrs ?? {}).map((name) => Buffer.from(name, "hex").toString()),
      )
      assert.deepStrictEqual(found.toSorted(), names.toSorted())
      assert.deepStrictEqual(warnings, [])
    }),
  )

  it.effect("has a target if it is a link", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      const target = Buffer.from([0x2f, 0xff, 0xfe])
      fs.symlinkSync(target, `${folder}/link`)
      fs.writeFileSync(`${folder}/file`, "")
      const tree = yield* DiskTree.open(folder)
      assert.deepStrictEqual(Buffer.from(yield* tree.readLink(yield* openAt(tree, "link"))), target)
      assert.strictEqual((yield* Effect.flip(tree.readLink(yield* openAt(tree, "file")))).code, "EINVAL")
      assert.strictEqual((yield* Effect.flip(tree.readLink(tree.root))).code, "EINVAL")
    }),
  )

  it.effect("is not opened, nor waited for, if it is a FIFO or a socket", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      makeNode(Buffer.from(`${folder}/fifo`), 0o010600)
      makeNode(Buffer.from(`${folder}/socket`), 0o140600)
      const tree = yield* DiskTree.open(folder)
      for (const name of ["fifo", "socket"]) assert.strictEqual((yield* openAt(tree, name)).fd, -1)
    }),
  )

  it.effect("that is replaced by a FIFO after the listing is not waited for either", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      fs.writeFileSync(`${folder}/a`, "")
      const tree = yield* DiskTree.open(folder)
      const listing = yield* tree.list(tree.root)
      fs.rmSync(`${folder}/a`)
      makeNode(Buffer.from(`${folder}/a`), 0o010600)
      assert.strictEqual((yield* Effect.flip(tree.open(tree.root, listing, 0))).code, DiskTree.REPLACED)
    }),
  )
})

describe("contents", () => {
  it.effect("are read in pieces of any size, small ones and large ones", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      const content = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 7 + (i >> 8)) & 0xff))
      fs.writeFileSync(`${folder}/a`, content)
      const tree = yield* DiskTree.open(folder)
      const file = yield* openAt(tree, "a")
      for (const size of [100_000, 256 * 1024, 256 * 1024 + 1, 4_000_000]) {
        const target = Buffer.alloc(size)
        let at = 0
        for (;;) {
          const count = yield* tree.read(file, target, at)
          if (count === 0) break
          assert.isTrue(target.subarray(0, count).equals(content.subarray(at, at + count)))
          at += count
        }
        assert.strictEqual(at, content.length)
      }
      const beyond = new Uint8Array(300_000)
      assert.strictEqual(yield* tree.read(file, beyond, 5_000_000), 0)
      assert.strictEqual((yield* Effect.flip(tree.read(tree.root, beyond, 0))).code, "EISDIR")
      assert.strictEqual((yield* Effect.flip(tree.read(tree.root, beyond.subarray(0, 9), 0))).code, "EISDIR")
    }),
  )
})

describe("descriptors", () => {
  it.effect("are closed one by one, and the rest with the scope", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      SourceFolder.makeFiles(folder, { "a/b/c": "" })
      const isOpen = (fd: number): boolean => {
        try {
          return fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder)
        } catch {
          return false
        }
      }
      const scope = yield* Scope.make()
      const tree = yield* Scope.provide(DiskTree.open(folder), scope)
      const [file, inner] = [yield* openAt(tree, "a/b/c"), yield* openAt(tree, "a/b")]
      assert.isTrue(isOpen(file.fd) && isOpen(inner.fd) && isOpen(tree.root.fd))
      tree.close(file)
      tree.close(file)
      assert.isFalse(isOpen(file.fd))
      yield* Scope.close(scope, Exit.void)
      assert.isFalse(isOpen(inner.fd) || isOpen(tree.root.fd))
    }),
  )
})

describe("failures", () => {
  it.effect("name the path and what was tried", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      SourceFolder.makeFiles(folder, { "a/b": "" })
      const missing = yield* Effect.flip(DiskTree.open(`${folder}/\u0001`))
      assert.deepStrictEqual([missing.path, missing.code, missing.operation], [`${folder}/\\x01`, "ENOENT", "open"])
      const tree = yield* DiskTree.open(folder)
      const directory = yield* openAt(tree, "a")
      const listing = yield* tree.list(directory)
      fs.rmSync(`${folder}/a/b`)
      const gone = yield* Effect.flip(tree.open(directory, listing, 0))
      assert.deepStrictEqual([gone.path, gone.code], ["a/b", "ENOENT"])
      assert.strictEqual(gone.message, "a/b: cannot open: no such file or directory")
    }),
  )

  it.effect("a link as the root is followed, a file is none", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      SourceFolder.makeFiles(folder, { "a/b": "" })
      fs.symlinkSync("a", `${folder}/l`)
      assert.deepStrictEqual(yield* list(yield* DiskTree.open(`${folder}/l`)), ["b"])
      assert.strictEqual((yield* Effect.flip(DiskTree.open(`${folder}/a/b`))).code, "ENOTDIR")
      assert.strictEqual((yield* Effect.flip(DiskTree.open(`${folder}/a\0b`))).code, "EINVAL")
    }),
  )
})
