/** What is said of a folder that is archived, deep folders, holes, and archives that go through pipes. */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as CreateArchive from "../../../src/services/create/CreateArchive.ts"
import type { DiskWarning } from "../../../src/services/disk/DiskWarning.ts"
import * as DiskTree from "../../../src/services/disk/DiskTree.ts"
import * as Descriptors from "../../support/Descriptors.ts"
import { need } from "../../support/Requirements.ts"
import { folders } from "./creating.ts"

/** Creates an archive, and tells its warnings as `kind path: detail`. */
const create = Effect.fnUntraced(function* (options: CreateArchive.Options) {
  const warnings: Array<string> = []
  const onWarning = ({ detail, kind, path }: DiskWarning) =>
    Effect.sync(() => void warnings.push(`${kind} ${Buffer.from(path).toString()}: ${detail}`))
  const summary = yield* CreateArchive.create({ ...options, onWarning })
  return { summary, warnings }
})

describe("patterns that leave out nothing are said, and why", () => {
  for (const [pattern, reason] of [
    ["*.none", "this pattern has left out nothing"],
    ["!*.none", "this pattern has kept nothing"],
    ["./cache", 'no path in an archive begins with ./; "/cache" is that of the top folder'],
    ["cache/../x", "no path in an archive has . or .. in it"],
    ["/var/cache", "a slash at the beginning stands for the folder that is archived"],
    ["cache/f/", "with a slash at the end it matches folders only"],
  ] as const) {
    it.effect(pattern, () =>
      Effect.gen(function* () {
        const { source, target } = yield* folders
        fs.mkdirSync(path.join(source, "cache"))
        fs.writeFileSync(path.join(source, "cache/f"), "")
        const exclude = [Buffer.from(pattern)]
        const { warnings } = yield* create({ source, archive: path.join(target, "a.pxar"), exclude })
        assert.strictEqual(warnings.length, 1)
        assert.include(warnings[0], `Unused ${pattern}: `)
        assert.include(warnings[0], reason)
      }),
    )
  }

  it.effect("a path of the disk is answered with that in the archive", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      const exclude = [Buffer.from(`${source}/cache`)]
      const { warnings } = yield* create({ source, archive: path.join(target, "a.pxar"), exclude })
      assert.include(warnings[0], 'so it should be "/cache"')
    }),
  )

  it.effect("those that have left out something are not", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      for (const name of ["a.o", "b.o", "c"]) fs.writeFileSync(path.join(source, name), "")
      const exclude = ["*.o", "!b.o", "c"].map((text) => Buffer.from(text))
      const { warnings } = yield* create({ source, archive: path.join(target, "a.pxar"), exclude })
      assert.deepStrictEqual(warnings, [])
    }),
  )

  it.effect("of a .pxarexclude file those with dots are", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      fs.writeFileSync(path.join(source, ".pxarexclude"), "# a\n*.none\n./x\n..\n...\nx/../y\n.hidden\n")
      const { warnings } = yield* create({ source, archive: path.join(target, "a.pxar") })
      assert.deepStrictEqual(
        warnings.map((warning) => /line \d+/.exec(warning)?.[0]),
        ["line 3", "line 4", "line 6"],
      )
    }),
  )
})

describe("sizes", () => {
  it.effect("a huge sparse file is said, and is a hole in the archive", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      const size = 1024 ** 3 + 1024 ** 2
      const sparse = path.join(source, "sparse")
      fs.writeFileSync(sparse, "begin")
      fs.truncateSync(sparse, size)
      const archive = path.join(target, "a.pxar")
      const { warnings } = yield* create({ source, archive })
      assert.match(
        warnings.join(),
        /^Sparse sparse: has \d+ bytes of holes in its 1074790400; they are stored as zeros$/,
      )
      const { blocks, size: stored } = fs.statSync(archive)
      assert.isAbove(stored, size)
      assert.isBelow(blocks * 512, 1024 * 1024)
    }),
  )

  it.effect("files of proc are said to be of a size that means nothing, and none fills the disk", () =>
    Effect.gen(function* () {
      const { target } = yield* folders
      const archive = path.join(target, "a.pxar")
      const { warnings } = yield* create({ source: "/proc/sys/kernel/random", archive })
      assert.match(warnings[0] ?? "", /^Pseudo : on a file system whose sizes mean nothing/)
      assert.isTrue(warnings.some((warning) => warning.startsWith("Grown uuid: its size of 0 bytes is not that")))
    }),
  )
})

describe("holes in the archive", () => {
  it.effect("change nothing of its bytes", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      const content = Buffer.alloc(5 * 1024 * 1024)
      for (let at = 100_000; at < content.length; at += 700_001) content[at] = 1
      fs.writeFileSync(path.join(source, "file"), content)
      fs.writeFileSync(path.join(source, "last"), Buffer.alloc(300_000))
      const archive = path.join(target, "a.pxar")
      const { summary } = yield* create({ source, archive })
      const bytes = fs.readFileSync(archive)
      assert.strictEqual(bytes.length, summary.archiveSize)
      const at = bytes.indexOf(Buffer.from([1]), bytes.indexOf("file"))
      assert.isTrue(bytes.includes(content.subarray(100_000)), `the content, at ${at}`)
      assert.isBelow(fs.statSync(archive).blocks * 512, 3 * 1024 * 1024)
    }),
  )
})

describe("folders nested deeper than there are descriptors", () => {
  const DEPTH = 1500

  it.effect("are archived with few open at a time, and what stands behind a deep folder too", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      let at = source
      for (let i = 0; i < DEPTH; i++) at = path.join(at, "d")
      fs.mkdirSync(at, { recursive: true })
      for (let level = 0, up = at; level < DEPTH; level += 100) {
        fs.writeFileSync(path.join(up, "e"), "")
        for (let i = 0; i < 100; i++) up = path.dirname(up)
      }
      let most = 0
      let seen = 0
      const { summary, warnings } = yield* create({
        source,
        archive: path.join(target, "a.pxar"),
        onProgress: () => {
          if (seen++ % 100 === 0) most = Math.max(most, Descriptors.below(source).length)
        },
      })
      assert.deepStrictEqual([warnings, summary.entries], [[], 1 + DEPTH + 15])
      assert.isAtMost(most, 70)
      assert.deepStrictEqual(Descriptors.below(source), [])
    }),
  )

  it.effect("are not read where one above them was replaced meanwhile", () =>
    Effect.gen(function* () {
      const { source } = yield* folders
      fs.mkdirSync(path.join(source, ...Array.from({ length: 100 }, () => "d")), { recursive: true })
      const tree = yield* DiskTree.open(source)
      const entries = [tree.root]
      for (let i = 0; i < 100; i++) {
        const parent = entries.at(-1)!
        entries.push(yield* tree.open(parent, yield* tree.list(parent), 0))
      }
      fs.renameSync(path.join(source, "d"), path.join(source, "moved"))
      fs.mkdirSync(path.join(source, "d/d"), { recursive: true })
      const error = yield* Effect.flip(tree.list(entries[2]!))
      assert.strictEqual(error.code, "ELOOP")
    }),
  )
})

describe("a FIFO in place of the archive", () => {
  for (const late of [false, true]) {
    it.live(`gets its bytes${late ? ", once somebody reads from it" : ""}`, () =>
      Effect.gen(function* () {
        const { source, target } = yield* folders
        fs.writeFileSync(path.join(source, "f"), Buffer.alloc(300_000, "x"))
        yield* create({ source, archive: path.join(target, "a.pxar") })
        const fifo = path.join(target, "fifo")
        execFileSync("mkfifo", [fifo])
        const read = Effect.promise(() => fs.promises.readFile(fifo))
        const write = create({ source, archive: fifo })
        const [bytes] = yield* Effect.all(late ? [Effect.delay(read, 100), write] : [read, write], {
          concurrency: "unbounded",
        })
        assert.isTrue(bytes.equals(fs.readFileSync(path.join(target, "a.pxar"))))
        assert.isTrue(fs.lstatSync(fifo).isFIFO())
      }),
    )
  }
})

describe("ACLs as XFS shows them a second time", () => {
  it.effect("are not stored", (context) =>
    Effect.gen(function* () {
      need({ root: true, tools: ["getfattr"] })(context)
      const { source, target } = yield* folders
      const file = path.join(source, "f")
      fs.writeFileSync(file, "")
      execFileSync("setfattr", ["-n", "trusted.SGI_ACL_FILE", "-v", "x", file])
      execFileSync("setfattr", ["-n", "trusted.other", "-v", "x", file])
      const archive = path.join(target, "a.pxar")
      yield* create({ source, archive })
      const bytes = fs.readFileSync(archive)
      assert.deepStrictEqual([bytes.includes("SGI_ACL"), bytes.includes("trusted.other")], [false, true])
    }),
  )
})
