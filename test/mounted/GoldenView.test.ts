/**
 * Acceptance point 2: a real mount shows what the golden view says, in every field, read through system calls.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ArchiveBuilder from "../support/ArchiveBuilder.ts"
import * as Golden from "../support/Golden.ts"
import * as MountServer from "../support/MountServer.ts"
import * as Processes from "../support/Processes.ts"
import { need } from "../support/Requirements.ts"
import * as Syscalls from "../support/Syscalls.ts"
import * as MountedTree from "../support/MountedTree.ts"

beforeEach(need({ mount: true, root: true }))
import * as Wire from "../support/Wire.ts"

const below = (mountPoint: string, name: Buffer): Buffer => Buffer.concat([Buffer.from(mountPoint), name])

/** Directories of a view, each with its parent and its children in order. */
const directories = (view: ReadonlyArray<Golden.View>) => {
  const parentOf = (path: Buffer) => path.subarray(0, Math.max(1, path.lastIndexOf("/"))).toString("latin1")
  return view
    .filter(({ kind }) => kind === "directory")
    .map((directory) => {
      const own = directory.path.toString("latin1")
      return {
        directory,
        parent: view.find(({ path }) => path.toString("latin1") === parentOf(directory.path))!,
        children: view.filter(({ path }) => path.length > 1 && parentOf(path) === own),
      }
    })
}

const paths = (tree: ReadonlyArray<{ readonly path: Buffer }>) => tree.map(({ path }) => path.toString("latin1"))

for (const golden of Golden.all) {
  describe(golden.name, () => {
    const mount = MountServer.shared(golden)

    it.live("equals the view in every field", () =>
      Effect.gen(function* () {
        const server = yield* mount
        const seen = MountedTree.comparable(MountedTree.read(server.mountPoint), golden.view())
        const expected = MountedTree.byPath(golden.view().map(MountedTree.expected))
        // Paths first: a difference there would make the others unreadable.
        assert.deepStrictEqual(paths(seen), paths(expected))
        for (const [index, entry] of expected.entries()) assert.deepStrictEqual(seen[index], entry, String(entry.path))
        assert.deepStrictEqual(yield* server.ask("log"), [])
      }),
    )

    it.live("lists name, inode and type of each child, then . and ..", () =>
      Effect.gen(function* () {
        const { mountPoint } = yield* mount
        for (const { children, directory, parent } of directories(golden.view())) {
          const entry = (name: Buffer | string, { hardlink, ino, mode }: Golden.View): Syscalls.Dirent => ({
            name: Buffer.from(name),
            ino: hardlink ? MountedTree.LINK : Wire.inodeOf(ino),
            type: mode >> 12,
          })
          const isLink = (name: Buffer): boolean =>
            children.some(({ hardlink, path }) => hardlink && path.subarray(path.lastIndexOf("/") + 1).equals(name))
          const listed = Syscalls.listDirectory(below(mountPoint, directory.path))
          const byName = (entries: ReadonlyArray<Syscalls.Dirent>) =>
            entries.toSorted((a, b) => Buffer.compare(a.name, b.name))
          assert.deepStrictEqual(
            byName(
              listed
                .slice(0, -2)
                .map((entry) => (isLink(entry.name) ? Object.assign({}, entry, { ino: MountedTree.LINK }) : entry)),
            ),
            byName(children.map((child) => entry(child.path.subarray(child.path.lastIndexOf("/") + 1), child))),
            String(directory.path),
          )
          assert.deepStrictEqual(listed.slice(-2), [entry(".", directory), entry("..", parent)])
          // In the order of the archive: inode numbers tell positions.
          const positions = listed.slice(0, -2)
          assert.deepStrictEqual(
            positions,
            positions.toSorted((a, b) => Number(a.ino - b.ino)),
          )
        }
      }),
    )
  })
}

describe("the golden sets contain what matters", () => {
  const views = Golden.all.flatMap((golden) => golden.view())
  const names = views.map((view) => view.path.subarray(view.path.lastIndexOf("/") + 1))

  it("names that are not UTF-8, and of 255 bytes but no longer", () => {
    assert.isTrue(names.some((name) => name.includes(0xff)))
    // The README of the golden sets speaks of longer ones; there are none, so nothing is left out above.
    assert.strictEqual(Math.max(...names.map((name) => name.length)), 255)
  })

  it("node ids beyond 53 bits, times before 1970 and with nanoseconds", () => {
    assert.isTrue(views.some((view) => view.ino > 1n << 63n))
    assert.isTrue(views.some((view) => view.mtimeSeconds < 0n && view.mtimeNanos > 0))
  })

  it("ACLs, capabilities, hard links and every kind of file", () => {
    const attributes = new Set(views.flatMap((view) => Object.keys(view.xattrs)))
    for (const name of ["system.posix_acl_access", "system.posix_acl_default", "security.capability"]) {
      assert.isTrue(attributes.has(Buffer.from(name).toString("hex")), name)
    }
    assert.isTrue(views.some((view) => view.hardlink))
    assert.strictEqual(new Set(views.map((view) => view.kind)).size, 7)
  })
})

describe("listings", () => {
  it.live("are the same whatever the buffer of the reader", () =>
    Effect.gen(function* () {
      const { mountPoint } = yield* MountServer.golden(Golden.treeV1)
      const many = below(mountPoint, Buffer.from("/many"))
      const small = Syscalls.listDirectory(many, 300)
      assert.strictEqual(small.length, 402)
      assert.deepStrictEqual(small, Syscalls.listDirectory(many, 1 << 20))
    }),
  )
})

describe("hard links", () => {
  it.live("are files of their own with one link and one content, unless links are counted", () =>
    Effect.gen(function* () {
      const { mountPoint } = yield* MountServer.golden(Golden.treeV1)
      const links = Golden.treeV1.view().filter((view) => view.hardlink)
      assert.strictEqual(links.length, 5)
      const seen = MountedTree.read(mountPoint)
      for (const link of links) {
        const names = Golden.treeV1.view().filter(({ ino }) => ino === link.ino)
        const twins = seen.filter(({ path }) => names.some((name) => name.path.equals(path)))
        assert.isAtLeast(twins.length, 2, String(link.path))
        assert.strictEqual(twins.length, names.length)
        assert.strictEqual(new Set(twins.map(({ sha256 }) => sha256)).size, 1)
        assert.strictEqual(new Set(twins.map(({ ino }) => ino)).size, twins.length)
        for (const { nlink } of twins) assert.strictEqual(nlink, 1)
      }
    }),
  )
})

describe("lookups", () => {
  it.live("find neither the twin of a colliding name nor any other name that is not there", () =>
    Effect.gen(function* () {
      const { mountPoint } = yield* MountServer.golden(Golden.collisionsV1)
      const present = new Set(Golden.collisionsV1.view().map(({ path }) => path.toString()))
      const folders = Golden.collisionsV1.view().filter(({ kind }) => kind === "directory")
      let absent = 0
      for (const { path: folder } of folders) {
        for (const name of [...ArchiveBuilder.collidingNames.flat(), "x"]) {
          const full = path.posix.join(folder.toString(), name)
          const exists = fs.lstatSync(path.join(mountPoint, full), { throwIfNoEntry: false }) !== undefined
          assert.strictEqual(exists, present.has(full), full)
          if (!exists) absent++
        }
      }
      assert.isAbove(absent, folders.length)
    }),
  )

  it.live("of a name below something that is no directory fail with ENOTDIR", () =>
    Effect.gen(function* () {
      const { mountPoint } = yield* MountServer.golden(Golden.helloV1)
      assert.throws(() => fs.lstatSync(path.join(mountPoint, "hello/x")), /ENOTDIR/)
    }),
  )
})

describe("long names", () => {
  /** Files whose names have these lengths, each with its length as content. */
  const archiveOf = Effect.fnUntraced(function* (...lengths: ReadonlyArray<number>) {
    const file = path.join(yield* Processes.temporaryFolder, "long.pxar")
    const children = lengths.map((length) => ArchiveBuilder.file("n".repeat(length), String(length)))
    yield* Effect.promise(() => fs.promises.writeFile(file, ArchiveBuilder.build({ children }).bytes))
    return yield* Effect.orDie(MountServer.start(file))
  })

  it.live("of up to 1024 bytes are listed and can be read, although file systems mostly end at 255", () =>
    Effect.gen(function* () {
      const { mountPoint } = yield* archiveOf(255, 256, 1024)
      const names = MountedTree.list(Buffer.from(mountPoint)).map(({ name }) => name.toString())
      assert.deepStrictEqual(names.map(({ length }) => length).sort(), [1024, 255, 256])
      for (const name of names) {
        assert.strictEqual(fs.readFileSync(path.join(mountPoint, name), "utf8"), String(name.length))
      }
    }),
  )

  it.live("of more than 1024 bytes are left out, told once, and hide no other name", () =>
    Effect.gen(function* () {
      const server = yield* archiveOf(3, 1025)
      const names = () => MountedTree.list(Buffer.from(server.mountPoint)).map(({ name }) => name.toString())
      assert.deepStrictEqual([...names(), ...names()], ["nnn", "nnn"])
      assert.deepStrictEqual(yield* server.ask("log"), ["/: a name of 1025 bytes is not shown: the kernel takes 1024"])
    }),
  )
})

describe("extended attributes", () => {
  it.live("answer size queries, short buffers and names that are absent", () =>
    Effect.gen(function* () {
      const { mountPoint } = yield* MountServer.golden(Golden.synthV1)
      const file = below(mountPoint, Buffer.from("/meta/fcaps"))
      const view = Golden.synthV1.view().find((view) => view.path.equals(Buffer.from("/meta/fcaps")))!
      const names = Object.keys(view.xattrs).map((name) => Buffer.from(name, "hex"))
      const list = names.reduce((sum, name) => sum + name.length + 1, 0)
      assert.strictEqual(Syscalls.listxattr(file, 0), list)
      assert.strictEqual(Syscalls.listxattr(file, list - 1), "ERANGE")
      assert.strictEqual((Syscalls.listxattr(file, list) as Buffer).length, list)
      const user = Buffer.from("security.capability")
      const value = Buffer.from(view.xattrs[user.toString("hex")]!, "hex")
      assert.strictEqual(Syscalls.getxattr(file, user, 0), value.length)
      assert.strictEqual(Syscalls.getxattr(file, user, value.length - 1), "ERANGE")
      assert.deepStrictEqual(Syscalls.getxattr(file, user, value.length), value)
      assert.strictEqual(Syscalls.getxattr(file, Buffer.from("user.absent")), "ENODATA")
    }),
  )
})
