/** What is archived of a folder. */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { beforeEach } from "vitest"
import * as CreateArchive from "../../../src/services/create/CreateArchive.ts"
import * as Descriptors from "../../support/Descriptors.ts"
import * as Golden from "../../support/Golden.ts"
import { materialize, setXattr } from "../../support/Materialize.ts"
import * as Requirements from "../../support/Requirements.ts"
import * as SourceFolder from "../../support/SourceFolder.ts"
import * as Tree from "../../support/Tree.ts"
import { child, createIn, folders, pathsOf } from "./creating.ts"

describe("what any user may archive", () => {
  for (const version of [1, 2] as const) {
    it.effect(`is in the archive as it is on disk, v${version}`, () =>
      Effect.gen(function* () {
        const { source, target } = yield* folders
        SourceFolder.fillAsUser(source)
        const result = yield* createIn(source, target, version)
        assert.deepStrictEqual(result.warnings, [])
        assert.deepStrictEqual(yield* SourceFolder.inArchive(result.reader), SourceFolder.onDisk(source))
        assert.strictEqual(result.summary.entries, SourceFolder.onDisk(source).length)
        assert.deepStrictEqual(Descriptors.below(source), [])
      }),
    )
  }

  it.effect("is written in ascending order of its bytes", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      SourceFolder.fillAsUser(source)
      const { tree } = yield* createIn(source, target, 1)
      const check = (folder: Tree.Directory): void => {
        const names = folder.children.map(({ name }) => Buffer.from(name))
        assert.deepStrictEqual(names, names.toSorted(Buffer.compare))
        for (const { tree } of folder.children) if (tree._tag === "Directory") check(tree)
      }
      check(tree)
    }),
  )

  it.effect("keeps the names of one file together", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      SourceFolder.makeFiles(source, { "b/first": "content", c: "alone", "z/outside": "x" })
      for (const name of ["b/second", "c2", "d"]) fs.linkSync(path.join(source, "b/first"), path.join(source, name))
      fs.linkSync(path.join(source, "z/outside"), path.join(target, "..", "elsewhere"))
      fs.symlinkSync("c", path.join(source, "s"))
      fs.linkSync(path.join(source, "s"), path.join(source, "s2"))
      const { tree } = yield* createIn(source, target, 1)
      assert.strictEqual(child(tree, "b/first")._tag, "File")
      for (const name of ["b/second", "c2", "d"]) {
        const link = child(tree, name)
        assert.deepStrictEqual(link, {
          _tag: "HardLink",
          target: "b/first",
          path: new Uint8Array(Buffer.from("b/first")),
        })
      }
      for (const name of ["c", "z/outside"]) assert.strictEqual(child(tree, name)._tag, "File")
      for (const name of ["s", "s2"]) assert.strictEqual(child(tree, name)._tag, "Symlink")
    }),
  )

  it.effect("is stored again under a second name if the path of the first is too long for a link", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      // Longer than any path a system call takes: made step by step.
      const open: Array<number> = []
      let folder = fs.openSync(source, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY)
      for (let depth = 0; depth < 17; depth++) {
        open.push(folder)
        const below = `/proc/self/fd/${folder}/${"d".repeat(250)}`
        fs.mkdirSync(below)
        folder = fs.openSync(below, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY)
      }
      open.push(folder)
      fs.writeFileSync(`/proc/self/fd/${folder}/a`, "content")
      fs.linkSync(`/proc/self/fd/${folder}/a`, `/proc/self/fd/${folder}/b`)
      for (const fd of open) fs.closeSync(fd)
      const { tree } = yield* createIn(source, target, 1)
      const deep = Array.from({ length: 17 }, () => "d".repeat(250)).join("/")
      assert.strictEqual(child(tree, `${deep}/a`)._tag, "File")
      assert.deepStrictEqual(child(tree, `${deep}/b`), child(tree, `${deep}/a`))
      execFileSync("rm", ["-r", source])
    }),
  )

  it.effect("can be a path of any bytes into files of any name", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      const bytes = Buffer.concat([Buffer.from(`${source}/`), Buffer.from([0xff, 0xfe])])
      fs.mkdirSync(bytes)
      const archive = Buffer.concat([Buffer.from(`${target}/`), Buffer.from([0xe9])])
      yield* CreateArchive.create({ source: bytes, archive })
      assert.deepStrictEqual(fs.readdirSync(target, { encoding: "buffer" }), [Buffer.from([0xe9])])
      assert.strictEqual(fs.readFileSync(archive).length, 96)
    }),
  )

  it.effect("counts up while it is archived", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      SourceFolder.makeFiles(source, { a: "12", "b/c": "345", large: Buffer.alloc(3_000_000) })
      const seen: Array<readonly [number, number]> = []
      const { summary } = yield* createIn(source, target, 1, {
        onProgress: ({ contentBytes, entries }) => void seen.push([entries, contentBytes]),
      })
      assert.deepStrictEqual(seen[0], [1, 0])
      assert.deepStrictEqual(seen.at(-1), [5, 3_000_005])
      assert.isTrue(seen.some(([entries, bytes]) => entries === 4 && bytes > 5 && bytes < 3_000_005))
      assert.deepStrictEqual([summary.entries, summary.contentBytes], [5, 3_000_005])
    }),
  )
})

describe("what root may archive", () => {
  beforeEach(Requirements.need({ root: true, tools: ["getfacl", "getcap"] }))

  for (const version of [1, 2] as const) {
    it.effect(`is in the archive as it is on disk, v${version}`, () =>
      Effect.gen(function* () {
        const { source, target } = yield* folders
        SourceFolder.fillAsRoot(source)
        const result = yield* createIn(source, target, version)
        assert.deepStrictEqual(result.warnings, [])
        assert.deepStrictEqual(yield* SourceFolder.inArchive(result.reader), SourceFolder.onDisk(source))
      }),
    )
  }

  for (const golden of [Golden.treeV1, Golden.treeV2]) {
    it.effect(`${golden.name}: put on disk, it becomes the reference's archive, byte for byte`, () =>
      Effect.gen(function* () {
        const { source, target } = yield* folders
        const { bytes, payload } = Golden.load(golden)
        materialize(yield* Tree.readBytes(bytes, payload), source)
        const result = yield* createIn(source, target, golden.version)
        assert.strictEqual(result.summary.entries, 626)
        assert.isTrue(result.bytes.equals(bytes))
        assert.strictEqual(Buffer.compare(result.payloadBytes ?? Buffer.alloc(0), payload ?? Buffer.alloc(0)), 0)
      }),
    )
  }

  it.effect("the options leave things out", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      SourceFolder.fillAsRoot(source)
      const { reader } = yield* createIn(source, target, 1, {
        acls: false,
        deviceNodes: false,
        fcaps: false,
        fifos: false,
        sockets: false,
        xattrs: false,
      })
      const kept = SourceFolder.onDisk(source).filter(({ mode }) => ![1, 2, 6, 12].includes(mode >> 12))
      assert.deepStrictEqual(
        yield* SourceFolder.inArchive(reader),
        kept.map((shown) => Object.assign({}, shown, { xattrs: {} })),
      )
    }),
  )

  for (const [option, names] of [
    ["xattrs", /^(user|trusted|security\.NTACL)/],
    ["acls", /^system/],
    ["fcaps", /^security\.capability/],
  ] as const) {
    it.effect(`${option}: false leaves out those only`, () =>
      Effect.gen(function* () {
        const { source, target } = yield* folders
        SourceFolder.fillAsRoot(source)
        const { reader } = yield* createIn(source, target, 1, { [option]: false })
        const isKept = (name: string) => !names.test(Buffer.from(name, "hex").toString("latin1"))
        const expected = SourceFolder.onDisk(source).map((shown) =>
          Object.assign({}, shown, {
            xattrs: Object.fromEntries(Object.entries(shown.xattrs).filter(([name]) => isKept(name))),
          }),
        )
        assert.deepStrictEqual(yield* SourceFolder.inArchive(reader), expected)
      }),
    )
  }
})

describe("file systems in the source", () => {
  beforeEach(Requirements.need({ root: true, mount: true, tools: ["umount"] }))

  const mounted = (folder: string) =>
    Effect.acquireRelease(
      Effect.sync(() => execFileSync("mount", ["-t", "tmpfs", "-o", "mode=0712", "none", folder])),
      () => Effect.sync(() => execFileSync("umount", [folder])),
    )

  it.effect("stay out, but for the folder they are mounted on", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      SourceFolder.makeFiles(source, { "a/": "", "other/": "", z: "z" })
      yield* mounted(`${source}/other`)
      SourceFolder.makeFiles(`${source}/other`, { inside: "x", ".pxarexclude": "z" })
      const { tree, warnings } = yield* createIn(source, target, 1)
      assert.deepStrictEqual(pathsOf(tree), ["a", "other", "z"])
      const other = child(tree, "other")
      assert.strictEqual(other._tag === "Directory" && other.metadata.mode, 0o40712)
      assert.deepStrictEqual(warnings, ["MountPoint other"])
    }),
  )

  it.effect("come in if asked for", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      SourceFolder.makeFiles(source, { "other/": "", z: "z" })
      yield* mounted(`${source}/other`)
      SourceFolder.makeFiles(`${source}/other`, { inside: "x" })
      const { tree, warnings } = yield* createIn(source, target, 1, { oneFileSystem: false })
      assert.deepStrictEqual(pathsOf(tree), ["other", "other/inside", "z"])
      assert.deepStrictEqual(warnings, [])
    }),
  )

  it.effect("may have an attribute that does not fit into an archive", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      yield* mounted(source)
      SourceFolder.makeFiles(source, { a: "" })
      // One byte more than §1.5 allows; ext4 has no attributes of this size.
      setXattr(Buffer.from(`${source}/a`), "trusted.".padEnd(255, "x"), Buffer.alloc(65_536))
      setXattr(Buffer.from(`${source}/a`), "trusted.kept".padEnd(254, "x"), Buffer.alloc(65_536))
      const { tree, warnings } = yield* createIn(source, target, 1)
      assert.deepStrictEqual(warnings, ["Attribute a"])
      const file = child(tree, "a")
      assert.deepStrictEqual(
        file._tag === "File" && file.metadata.attributes.xattrs.map(({ name, value }) => [name.length, value.length]),
        [[254, 65_536]],
      )
    }),
  )

  it.effect("may be the source itself", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      yield* mounted(source)
      SourceFolder.makeFiles(source, { "a/b": "x" })
      const { reader, warnings } = yield* createIn(source, target, 2)
      assert.deepStrictEqual(warnings, [])
      assert.deepStrictEqual(yield* SourceFolder.inArchive(reader), SourceFolder.onDisk(source))
    }),
  )
})
