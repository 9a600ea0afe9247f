import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { beforeEach } from "vitest"
import * as CreateArchive from "../../../src/services/create/CreateArchive.ts"
import type { DiskWarning } from "../../../src/services/disk/DiskWarning.ts"
import * as Descriptors from "../../support/Descriptors.ts"
import * as ExcludeCases from "../../support/ExcludeCases.ts"
import * as Golden from "../../support/Golden.ts"
import { materialize, setXattr } from "../../support/Materialize.ts"
import * as Processes from "../../support/Processes.ts"
import * as Requirements from "../../support/Requirements.ts"
import * as SourceFolder from "../../support/SourceFolder.ts"
import * as Tree from "../../support/Tree.ts"

/** A folder for the source, and one for the archive. */
const folders = Effect.map(Processes.temporaryFolder, (folder) => {
  const source = path.join(folder, "source")
  const target = path.join(folder, "target")
  fs.mkdirSync(source)
  fs.mkdirSync(target)
  return { source, target }
})

type Given = Partial<CreateArchive.Options<CreateArchive.CreateError>>

/** Creates an archive and reads it again; warnings as `kind path`. */
const createIn = Effect.fnUntraced(function* (source: string, target: string, version: 1 | 2, options: Given = {}) {
  const archive = path.join(target, "archive")
  const payload = version === 2 ? path.join(target, "payload") : undefined
  const warnings: Array<DiskWarning> = []
  const summary = yield* CreateArchive.create({
    source,
    archive,
    payload,
    onWarning: (warning) => Effect.sync(() => void warnings.push(warning)),
    ...options,
  })
  const bytes = fs.readFileSync(archive)
  const payloadBytes = payload === undefined ? undefined : fs.readFileSync(payload)
  assert.strictEqual(summary.archiveSize, bytes.length)
  assert.strictEqual(summary.payloadSize, payloadBytes?.length)
  assert.strictEqual(summary.warnings, warnings.length)
  assert.deepStrictEqual(fs.readdirSync(target).toSorted(), version === 1 ? ["archive"] : ["archive", "payload"])
  const reader = yield* Tree.openBytes(bytes, payloadBytes)
  const tree = yield* Tree.read(reader)
  return {
    bytes,
    payloadBytes,
    reader,
    summary,
    tree,
    warnings: warnings.map(({ kind, path }) => `${kind} ${Tree.key(path)}`),
  }
})

/** All paths in a tree, without a slash before them. */
const pathsOf = (tree: Tree.Directory, at = ""): ReadonlyArray<string> =>
  tree.children.flatMap((child) => {
    const below = Tree.below(at, child.name)
    return [below, ...(child.tree._tag === "Directory" ? pathsOf(child.tree, below) : [])]
  })

const child = (tree: Tree.Directory, at: string): Tree.Tree => {
  let found: Tree.Tree = tree
  for (const name of at.split("/")) {
    const next: Tree.Tree | undefined =
      found._tag === "Directory" ? found.children.find((child) => Tree.key(child.name) === name)?.tree : undefined
    if (next === undefined) throw new Error(`no ${at}`)
    found = next
  }
  return found
}

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

describe("exclude patterns: the reference's runs", () => {
  const fill = (source: string, files: Readonly<Record<string, string>>): void => {
    SourceFolder.makeFiles(source, Object.fromEntries(ExcludeCases.tree.map((name) => [name, name])))
    SourceFolder.makeFiles(source, files)
  }
  for (const run of ExcludeCases.cases) {
    it.effect(run.name, () =>
      Effect.gen(function* () {
        const { source, target } = yield* folders
        fill(source, run.files)
        const exclude = run.cli.map((pattern) => Buffer.from(pattern))
        const { tree } = yield* createIn(source, target, 1, { exclude })
        assert.deepStrictEqual(
          pathsOf(tree)
            .map((found) => `/${found}`)
            .toSorted(),
          run.entries,
        )
        const last = tree.children.at(-1)
        if (run.recorded === undefined) assert.notStrictEqual(last && Tree.key(last.name), ".pxarexclude-cli")
        else {
          assert.strictEqual(last && Tree.key(last.name), ".pxarexclude-cli")
          assert.ok(last?.tree._tag === "File")
          assert.strictEqual(Buffer.from(last.tree.content).toString(), run.recorded)
          const { gid, mode, mtimeNanos, mtimeSeconds, uid } = last.tree.metadata
          assert.deepStrictEqual([mode, uid, gid, mtimeSeconds, mtimeNanos], [0o100600, 0, 0, 0n, 0])
        }

        fs.rmSync(path.join(target, "archive"))
        const split = yield* createIn(source, target, 2, { exclude })
        assert.deepStrictEqual(
          pathsOf(split.tree)
            .map((found) => `/${found}`)
            .toSorted(),
          run.entries.filter((found) => found !== "/.pxarexclude-cli"),
        )
        const prelude = yield* split.reader.prelude
        assert.strictEqual(prelude && Buffer.from(prelude).toString(), run.prelude)
      }),
    )
  }

  it.effect("a real .pxarexclude-cli is replaced in v1, in the root only", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      SourceFolder.makeFiles(source, { ".pxarexclude-cli": "real", "a/.pxarexclude-cli": "real", z: "" })
      const exclude = [Buffer.from("nothing")]
      const unified = yield* createIn(source, target, 1, { exclude })
      assert.deepStrictEqual(pathsOf(unified.tree), ["a", "a/.pxarexclude-cli", "z", ".pxarexclude-cli"])
      fs.rmSync(path.join(target, "archive"))
      const split = yield* createIn(source, target, 2, { exclude })
      assert.deepStrictEqual(pathsOf(split.tree), [".pxarexclude-cli", "a", "a/.pxarexclude-cli", "z"])
      fs.rmSync(path.join(target, "archive"))
      fs.rmSync(path.join(target, "payload"))
      const without = yield* createIn(source, target, 1)
      assert.deepStrictEqual(pathsOf(without.tree), [".pxarexclude-cli", "a", "a/.pxarexclude-cli", "z"])
    }),
  )

  it.effect("files that hold no patterns are reported", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      SourceFolder.makeFiles(source, {
        "a/.pxarexclude/": "",
        "b/.pxarexclude": "[\n*.o\n",
        "b/x.o": "",
        "c/.pxarexclude": Buffer.alloc(1024 * 1024 + 1, "x\n"),
        "c/x": "",
        "d/": "",
        "d/x": "",
      })
      fs.symlinkSync("x", `${source}/d/.pxarexclude`)
      const { tree, warnings } = yield* createIn(source, target, 1)
      assert.deepStrictEqual(
        warnings,
        ["a", "b", "c", "d"].map((folder) => `Pattern ${folder}/.pxarexclude`),
      )
      assert.isFalse(pathsOf(tree).includes("b/x.o"))
      assert.isTrue(pathsOf(tree).includes("c/x"))
    }),
  )

  it.effect("what is no pattern is refused before anything is done", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      const archive = `${target}/archive`
      const bad = CreateArchive.create({ source, archive, exclude: [Buffer.from("a["), Buffer.from("b")] })
      assert.strictEqual((yield* Effect.flip(bad))._tag, "PatternError")
      const exclude = [Buffer.from([0xff])]
      const text = CreateArchive.create({ source, archive, payload: `${target}/payload`, exclude })
      assert.strictEqual((yield* Effect.flip(text))._tag, "PatternError")
      assert.deepStrictEqual(fs.readdirSync(target), [])
      assert.strictEqual((yield* CreateArchive.create({ source, archive, exclude })).entries, 2)
    }),
  )
})

describe("the archive's name", () => {
  it.effect("is never taken from a file that exists", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      const [archive, payload] = [`${target}/archive`, `${target}/payload`]
      const failing = Effect.fnUntraced(function* (options: Given) {
        const error = yield* Effect.flip(CreateArchive.create({ source, archive, ...options }))
        assert.strictEqual(error._tag === "TargetError" && error.code, "EEXIST")
      })
      fs.writeFileSync(archive, "precious")
      yield* failing({})
      yield* failing({ payload })
      assert.deepStrictEqual(fs.readdirSync(target), ["archive"])
      assert.strictEqual(fs.readFileSync(archive, "utf8"), "precious")
      fs.renameSync(archive, payload)
      yield* failing({ payload })
      assert.deepStrictEqual(fs.readdirSync(target), ["payload"])
      fs.rmSync(payload)
      fs.symlinkSync("nowhere", archive)
      yield* failing({})
      assert.deepStrictEqual(fs.readdirSync(target), ["archive"])
    }),
  )

  for (const taken of ["archive", "payload"]) {
    it.effect(`is not taken from a file that appears meanwhile: ${taken}`, () =>
      Effect.gen(function* () {
        const { source, target } = yield* folders
        const error = yield* Effect.flip(
          CreateArchive.create({
            source,
            archive: `${target}/archive`,
            payload: `${target}/payload`,
            onProgress: () => fs.writeFileSync(`${target}/${taken}`, "precious"),
          }),
        )
        assert.strictEqual(error._tag === "TargetError" && error.code, "EEXIST")
        assert.deepStrictEqual(fs.readdirSync(target), [taken])
        assert.strictEqual(fs.readFileSync(`${target}/${taken}`, "utf8"), "precious")
      }),
    )
  }

  it.effect("appears at the end", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      SourceFolder.makeFiles(source, { a: "a" })
      let during: ReadonlyArray<string> = []
      yield* CreateArchive.create({
        source,
        archive: `${target}/archive`,
        onProgress: () => {
          during = fs.readdirSync(target)
        },
      })
      assert.strictEqual(during.length, 1)
      assert.match(during[0] ?? "", /^\.pxar-fuse-[0-9a-f]{16}\.tmp$/)
      assert.deepStrictEqual(fs.readdirSync(target), ["archive"])
      assert.strictEqual(fs.statSync(`${target}/archive`).mode & 0o007, 0)
    }),
  )

  it.effect("cannot be in a folder that does not exist", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      const error = yield* Effect.flip(CreateArchive.create({ source, archive: `${target}/no/archive` }))
      assert.strictEqual(error._tag === "TargetError" && error.code, "ENOENT")
    }),
  )

  it.effect("may be in the source: the archive does not hold itself", () =>
    Effect.gen(function* () {
      const { source } = yield* folders
      SourceFolder.makeFiles(source, { a: "a", "sub/b": "b" })
      const warnings: Array<string> = []
      const summary = yield* CreateArchive.create({
        source,
        archive: `${source}/sub/archive`,
        payload: `${source}/payload`,
        onWarning: ({ kind }) => Effect.sync(() => void warnings.push(kind)),
      })
      assert.deepStrictEqual(warnings, ["Itself", "Itself"])
      assert.strictEqual(summary.entries, 4)
      const tree = yield* Tree.readBytes(fs.readFileSync(`${source}/sub/archive`), fs.readFileSync(`${source}/payload`))
      assert.deepStrictEqual(pathsOf(tree), ["a", "sub", "sub/b"])
    }),
  )
})

describe("nothing is left", () => {
  for (const place of ["a", "b/c", "z"]) {
    it.effect(`after an interruption at ${place}`, () =>
      Effect.gen(function* () {
        const { source, target } = yield* folders
        SourceFolder.makeFiles(source, {
          a: Buffer.alloc(10_000_000),
          "b/c/.pxarexclude": "[",
          "b/d": "d",
          "z/.pxarexclude": "[",
        })
        SourceFolder.makeFiles(source, place === "a" ? { ".pxarexclude": "[" } : {})
        const reached = yield* Deferred.make<void>()
        const running = yield* Effect.forkChild(
          CreateArchive.create({
            source,
            archive: `${target}/archive`,
            payload: `${target}/payload`,
            onWarning: ({ path }) =>
              place === "a" || Tree.key(path).startsWith(place)
                ? Effect.andThen(Deferred.succeed(reached, undefined), Effect.never)
                : Effect.void,
          }),
        )
        yield* Deferred.await(reached)
        assert.strictEqual(fs.readdirSync(target).length, 2)
        yield* Fiber.interrupt(running)
        assert.deepStrictEqual(fs.readdirSync(target), [])
        assert.deepStrictEqual(Descriptors.below(source), [])
      }),
    )
  }

  it.effect("after an interruption while blocks are read and written", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      SourceFolder.makeFiles(source, { a: Buffer.alloc(60_000_000, "x") })
      const reached = yield* Deferred.make<void>()
      const running = yield* Effect.forkChild(
        CreateArchive.create({
          source,
          archive: `${target}/archive`,
          onProgress: ({ contentBytes }) => {
            if (contentBytes > 0) Deferred.doneUnsafe(reached, Effect.void)
          },
        }),
      )
      yield* Deferred.await(reached)
      yield* Fiber.interrupt(running)
      assert.deepStrictEqual(fs.readdirSync(target), [])
    }),
  )

  it.effect("after a warning that the caller takes for a failure", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      SourceFolder.makeFiles(source, { ".pxarexclude": "[" })
      const failing = CreateArchive.create({
        source,
        archive: `${target}/archive`,
        onWarning: (warning) => Effect.fail(warning),
      })
      const error = yield* Effect.flip(failing)
      assert.strictEqual(error._tag, "DiskWarning")
      assert.deepStrictEqual(fs.readdirSync(target), [])
    }),
  )

  it.effect("after a source that is none", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      SourceFolder.makeFiles(source, { file: "" })
      for (const [name, code] of [
        ["file", "ENOTDIR"],
        ["nothing", "ENOENT"],
      ]) {
        const error = yield* Effect.flip(CreateArchive.create({ source: `${source}/${name}`, archive: `${target}/a` }))
        assert.strictEqual(error._tag === "SourceTreeError" && error.code, code)
      }
      assert.deepStrictEqual(fs.readdirSync(target), [])
    }),
  )
})

describe("a source that changes or resists", () => {
  /** Runs `change` once, after the root has been listed. */
  const once = (change: () => void): Given => {
    let done = false
    return {
      onProgress: () => {
        if (done) return
        done = true
        change()
      },
    }
  }

  it.effect("an entry that vanishes is left out", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      SourceFolder.makeFiles(source, { a: "", "b/c": "", d: "" })
      fs.symlinkSync("a", `${source}/l`)
      const { tree, warnings } = yield* createIn(
        source,
        target,
        1,
        once(() => {
          for (const name of ["a", "b", "l"]) fs.rmSync(`${source}/${name}`, { recursive: true })
        }),
      )
      assert.deepStrictEqual(pathsOf(tree), ["d"])
      assert.deepStrictEqual(warnings, ["Vanished a", "Vanished b", "Vanished l"])
    }),
  )

  it.effect("an entry that turns into a link is not followed", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      SourceFolder.makeFiles(source, { a: "", "b/c": "", d: "", e: "" })
      SourceFolder.makeFiles(target, { "../secret/file": "secret" })
      fs.symlinkSync("a", `${source}/l`)
      const { tree, warnings } = yield* createIn(
        source,
        target,
        1,
        once(() => {
          for (const name of ["a", "b", "e", "l"]) fs.rmSync(`${source}/${name}`, { recursive: true })
          fs.symlinkSync("../secret/file", `${source}/a`)
          fs.symlinkSync("../secret", `${source}/b`)
          fs.mkdirSync(`${source}/e`)
          fs.writeFileSync(`${source}/l`, "no link")
        }),
      )
      assert.deepStrictEqual(pathsOf(tree), ["d"])
      assert.deepStrictEqual(warnings, ["Replaced a", "Replaced b", "Replaced e", "Replaced l"])
    }),
  )

  it.effect("a folder that moves away is read all the same, and nothing that comes in its place", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      SourceFolder.makeFiles(source, { "a/1": "one", "a/2": "two" })
      SourceFolder.makeFiles(target, { "../evil/1": "EVIL", "../evil/2": "EVIL" })
      const { tree } = yield* createIn(source, target, 1, {
        onProgress: ({ entries }) => {
          if (entries !== 3) return
          fs.renameSync(`${source}/a`, `${target}/../away`)
          fs.symlinkSync("../evil", `${source}/a`)
        },
      })
      assert.deepStrictEqual(pathsOf(tree), ["a", "a/1", "a/2"])
      for (const [name, text] of [
        ["a/1", "one"],
        ["a/2", "two"],
      ] as const) {
        const file = child(tree, name)
        assert.strictEqual(file._tag === "File" && Buffer.from(file.content).toString(), text)
      }
    }),
  )

  it.effect("a large file that is cut while it is read is filled up, one that grows is cut", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      const size = 6_000_000
      SourceFolder.makeFiles(source, { cut: Buffer.alloc(size, "x"), grown: Buffer.alloc(size, "y") })
      const { summary, tree, warnings } = yield* createIn(source, target, 2, {
        onProgress: ({ contentBytes, entries }) => {
          if (entries === 1 && contentBytes > 0) fs.truncateSync(`${source}/cut`, 3_000_000)
          if (entries === 2 && contentBytes > size) fs.appendFileSync(`${source}/grown`, "more")
        },
      })
      assert.deepStrictEqual(warnings, ["Shrunk cut", "Grown grown"])
      const [cut, grown] = [child(tree, "cut"), child(tree, "grown")]
      assert.ok(cut._tag === "File" && grown._tag === "File")
      assert.isTrue(Buffer.from(grown.content).equals(Buffer.alloc(size, "y")))
      const zeros = cut.content.indexOf(0)
      assert.isAbove(zeros, 0)
      assert.isTrue(
        Buffer.from(cut.content).equals(Buffer.concat([Buffer.alloc(zeros, "x"), Buffer.alloc(size - zeros)])),
      )
      assert.strictEqual(summary.contentBytes, zeros + size)
    }),
  )

  it.effect("what an ordinary user may not read is left out", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      SourceFolder.makeFiles(source, { "closed/a": "", "listed/b": "", secret: "secret", z: "z", ".pxarexclude": "z" })
      fs.chmodSync(`${source}/closed`, 0o000)
      fs.chmodSync(`${source}/listed`, 0o444)
      fs.chmodSync(`${source}/secret`, 0o000)
      fs.chmodSync(`${source}/.pxarexclude`, 0o000)
      fs.chmodSync(target, 0o777)
      fs.chmodSync(path.dirname(target), 0o755)
      const { tree, warnings } = yield* Effect.acquireUseRelease(
        Effect.sync(() => {
          if (Requirements.isRoot) process.seteuid?.(Requirements.NOBODY)
        }),
        () => createIn(source, target, 1),
        () =>
          Effect.sync(() => {
            if (Requirements.isRoot) process.seteuid?.(0)
          }),
      )
      fs.chmodSync(`${source}/closed`, 0o700)
      fs.chmodSync(`${source}/listed`, 0o700)
      assert.deepStrictEqual(pathsOf(tree), ["listed", "z"])
      assert.deepStrictEqual(warnings, [
        "Pattern .pxarexclude",
        "Unreadable .pxarexclude",
        "Unreadable closed",
        "Unreadable listed/b",
        "Unreadable secret",
      ])
    }),
  )
})
