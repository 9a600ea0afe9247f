/**
 * A mount with `--link-counts`: what tools make of it, and that `create` gives the mounted archive back, byte for byte.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { afterAll } from "vitest"
import * as Command from "../support/Command.ts"
import * as Golden from "../support/Golden.ts"
import * as MountedTree from "../support/MountedTree.ts"
import * as Processes from "../support/Processes.ts"
import { need } from "../support/Requirements.ts"

beforeEach(need({ mount: true, root: true, tools: ["find", "rsync", "tar"] }))

/** One mount for all tests about an archive. */
const shared = (archive: string) => {
  const scope = Scope.makeUnsafe()
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  let mounted: string | undefined
  return Effect.gen(function* () {
    if (mounted !== undefined) return mounted
    const mountPoint = yield* Processes.mountPoint()
    yield* Command.mount(archive, mountPoint, ["--link-counts"])
    return (mounted = mountPoint)
  }).pipe(Scope.provide(scope))
}

/** Files of a view with several names, by inode number. */
const linked = (golden: Golden.Golden): ReadonlyMap<bigint, ReadonlyArray<string>> => {
  const byInode = new Map<bigint, Array<string>>()
  for (const { ino, kind, path } of golden.view()) {
    if (kind === "file") byInode.set(ino, [...(byInode.get(ino) ?? []), path.toString("latin1")])
  }
  return new Map([...byInode].filter(([, names]) => names.length > 1))
}

/** The names that a `find -links +1` prints, in groups of one inode each. */
const groups = Effect.fnUntraced(function* (folder: string) {
  const { code, stdout } = yield* Processes.run("find", [
    folder,
    "-type",
    "f",
    "-links",
    "+1",
    "-printf",
    "%i %n /%P\\0",
  ])
  assert.strictEqual(code, 0)
  const found = new Map<string, Array<string>>()
  for (const line of stdout
    .toString("latin1")
    .split("\0")
    .filter((line) => line !== "")) {
    const [, inode, count, name] = /^(\d+) (\d+) (.*)$/s.exec(line)!
    const key = `${inode} ${count}`
    found.set(key, [...(found.get(key) ?? []), name!])
  }
  return [...found].map(([key, names]) => ({ count: Number(key.split(" ")[1]), names: names.sort() }))
})

const expected = (golden: Golden.Golden) =>
  [...linked(golden).values()].map((names) => ({ count: names.length, names: names.toSorted() }))

for (const golden of [Golden.treeV1, Golden.treeV2]) {
  describe(golden.name, () => {
    const mount = shared(golden.archive)

    it.live("has files with several names, to begin with", () =>
      Effect.sync(() => assert.isAtLeast(linked(golden).size, 2)),
    )

    it.live("find -links shows the files with several names, and how many", () =>
      Effect.gen(function* () {
        assert.sameDeepMembers(yield* groups(yield* mount), expected(golden))
      }),
    )

    it.live("rsync -aHAX reproduces the hard links and all else", () =>
      Effect.gen(function* () {
        const mountPoint = yield* mount
        const target = path.join(path.dirname(mountPoint), "target")
        const { code, stderr } = yield* Processes.run("rsync", ["-aHAX", `${mountPoint}/`, target])
        assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
        assert.sameDeepMembers(yield* groups(target), expected(golden))
        assert.strictEqual(MountedTree.read(target).length, golden.view().length)
      }),
    )

    it.live("tar stores the content of a file with several names once", () =>
      Effect.gen(function* () {
        const mountPoint = yield* mount
        const packed = path.join(path.dirname(mountPoint), "packed.tar")
        assert.strictEqual((yield* Processes.run("tar", ["cf", packed, "-C", mountPoint, "."])).code, 0)
        const { stdout: listing } = yield* Processes.run("tar", ["tvf", packed])
        const links = listing
          .toString()
          .split("\n")
          .filter((line) => line.startsWith("h"))
        const names = [...linked(golden).values()].flat().length
        assert.strictEqual(links.length, names - linked(golden).size)
      }),
    )

    it.live("du counts a file with several names once", () =>
      Effect.gen(function* () {
        const { stdout } = yield* Processes.run("du", ["-s", "--block-size=512", yield* mount])
        const blocks = new Map(golden.view().map(({ blocks, ino }) => [ino, blocks]))
        assert.strictEqual(
          Number.parseInt(stdout.toString(), 10),
          [...blocks.values()].reduce((sum, blocks) => sum + blocks, 0),
        )
      }),
    )

    it.live("create gives the archive back, byte for byte", () =>
      Effect.gen(function* () {
        const mountPoint = yield* mount
        const copy = path.join(path.dirname(mountPoint), path.basename(golden.archive))
        const { code, stderr } = yield* Command.run(["create", copy, mountPoint])
        assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
        assert.isTrue(fs.readFileSync(copy).equals(fs.readFileSync(golden.archive)))
        if (golden.payload === undefined) return
        const payload = path.join(path.dirname(mountPoint), path.basename(golden.payload))
        assert.isTrue(fs.readFileSync(payload).equals(fs.readFileSync(golden.payload)))
      }),
    )
  })
}
