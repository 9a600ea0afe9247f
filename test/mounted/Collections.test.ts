/**
 * Several archives in one mount.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import * as Command from "../support/Command.ts"
import * as Golden from "../support/Golden.ts"
import * as MountedTree from "../support/MountedTree.ts"
import * as Processes from "../support/Processes.ts"
import { need } from "../support/Requirements.ts"

beforeEach(need({ mount: true }))

/** Archives, by the paths of their files, that a process has open. */
const openBy = (pid: number): ReadonlyArray<string> =>
  fs.readdirSync(`/proc/${pid}/fd`).flatMap((descriptor) => {
    try {
      const target = fs.readlinkSync(`/proc/${pid}/fd/${descriptor}`)
      return /\.[mp]?pxar$/.test(target) ? [path.basename(target)] : []
    } catch {
      return []
    }
  })

/** A folder of archives, mounted. */
const mountFolder = Effect.fnUntraced(function* (
  ...args: ReadonlyArray<string>
): Effect.fn.Return<{ folder: string; mountPoint: string; program: Processes.Process }, never, Scope.Scope> {
  const folder = yield* Processes.temporaryFolder
  const copies = [
    [Golden.helloV1.archive, "hello.pxar"],
    [Golden.helloV2.archive, "split.mpxar"],
    [Golden.helloV2.payload!, "split.ppxar"],
    [path.resolve("fixtures/should-fail/A1-too-short.pxar"), "broken.pxar"],
  ] as const
  for (const [from, name] of copies) fs.copyFileSync(from, path.join(folder, name))
  fs.writeFileSync(path.join(folder, "README"), "no archive")
  const mountPoint = yield* Processes.mountPoint()
  return { folder, mountPoint, program: yield* Command.mount(folder, mountPoint, args) }
})

const hello = (mountPoint: string, archive: string) => fs.readFileSync(path.join(mountPoint, archive, "hello"), "utf8")

describe("several archives", () => {
  it.live("are folders with all that a mount of each shows, and with inode numbers of their own", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const goldens = [Golden.treeV1, Golden.synthV2, Golden.treeV2]
      const [first, ...others] = goldens.map(({ archive }) => archive)
      yield* Command.start(["mount", "--foreground", first!, ...others, mountPoint])
      yield* Processes.eventually("the mount", Processes.mountsBelow(mountPoint), (mounts) => mounts.length === 1)
      const inodes = new Set<bigint>()
      for (const golden of goldens) {
        const seen = MountedTree.comparable(
          MountedTree.read(path.join(mountPoint, path.basename(golden.archive))),
          golden.view(),
        )
        // Above the archive's base; the archive's own folder has a number outside of all archives.
        const base = seen[1]!.ino - (seen[1]!.ino % 2n ** 32n)
        const moved = MountedTree.byPath(
          golden.view().map((view) => {
            const shown = MountedTree.expected(view)
            const ino = view.path.length === 1 ? seen[0]!.ino : view.hardlink ? shown.ino : shown.ino + base
            return Object.assign(shown, { ino })
          }),
        )
        assert.deepStrictEqual(seen, moved, golden.name)
        for (const { ino } of seen) {
          if (ino === MountedTree.LINK) continue
          assert.isFalse(inodes.has(ino))
          assert.isBelow(Number(ino), Number.MAX_SAFE_INTEGER)
          inodes.add(ino)
        }
      }
      assert.sameMembers(
        fs.readdirSync(mountPoint),
        goldens.map(({ archive }) => path.basename(archive)),
      )
    }),
  )

  it.live("are refused with a payload archive, and with one name", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const { archive } = Golden.helloV1
      const same = yield* Command.run(["mount", archive, archive, mountPoint])
      assert.strictEqual(same.code, 2)
      assert.include(same.stderr, "would be one folder, hello-v1.pxar")
      const payload = yield* Command.run(["mount", archive, Golden.helloV2.archive, mountPoint, "--payload=x.ppxar"])
      assert.strictEqual(payload.code, 2)
      assert.include(payload.stderr, "x.ppxar: a payload archive can be named for one archive only")
    }),
  )
})

describe("a folder of archives", () => {
  it.live("shows the archives in it, and opens none before one is looked at", () =>
    Effect.gen(function* () {
      const { folder, mountPoint, program } = yield* mountFolder()
      assert.deepStrictEqual(fs.readdirSync(mountPoint), ["broken.pxar", "hello.pxar", "split.mpxar"])
      assert.deepStrictEqual(openBy(program.pid), [])
      assert.strictEqual(hello(mountPoint, "split.mpxar"), "hi\n")
      assert.sameMembers([...openBy(program.pid)], ["split.mpxar", "split.ppxar"])
      const source = fs
        .readFileSync("/proc/self/mountinfo", "utf8")
        .split("\n")
        .find((line) => line.includes(` ${mountPoint} `))
      assert.include(source, ` fuse.pxar-fuse ${folder} `)
    }),
  )

  it.live("says what is wrong with a bad one, and shows the others", () =>
    Effect.gen(function* () {
      const { mountPoint, program } = yield* mountFolder()
      assert.throws(() => fs.readdirSync(path.join(mountPoint, "broken.pxar")), /EIO/)
      assert.strictEqual(hello(mountPoint, "hello.pxar"), "hi\n")
      yield* program.kill("SIGINT")
      const { code, stderr } = yield* program.ended
      assert.strictEqual(code, 0)
      assert.match(stderr, /^pxar-fuse: warning: \/broken\.pxar: .*too few for a pxar archive.*\n$/)
    }),
  )

  it.live("closes an archive that is not used, and opens it again when it is", () =>
    Effect.gen(function* () {
      const { mountPoint, program } = yield* mountFolder("--close-after=0.1")
      assert.strictEqual(hello(mountPoint, "hello.pxar"), "hi\n")
      const file = path.join(mountPoint, "hello.pxar", "link")
      yield* Processes.eventually(
        "the archive to be closed",
        Effect.sync(() => openBy(program.pid)),
        (open) => open.length === 0,
      )
      // What is known stays known, and the rest is read from the archive again.
      assert.strictEqual(fs.lstatSync(path.join(mountPoint, "hello.pxar", "hello")).size, 3)
      assert.strictEqual(fs.readlinkSync(file), "hello")
    }),
  )

  it.live("does not show one that was changed while it was closed, and says so once", () =>
    Effect.gen(function* () {
      const { folder, mountPoint, program } = yield* mountFolder("--close-after=0.1")
      const inside = path.join(mountPoint, "hello.pxar")
      assert.lengthOf(fs.readdirSync(inside), 2)
      yield* Processes.eventually(
        "the archive to be closed",
        Effect.sync(() => openBy(program.pid)),
        (open) => open.length === 0,
      )
      fs.appendFileSync(path.join(folder, "hello.pxar"), "more")
      for (const name of ["hello", "link"]) {
        assert.throws(() => fs.readlinkSync(path.join(inside, name)), /EIO|EINVAL/)
      }
      assert.throws(() => fs.readFileSync(path.join(inside, "hello")), /EIO/)
      assert.strictEqual(hello(mountPoint, "split.mpxar"), "hi\n")
      yield* program.kill("SIGINT")
      const { stderr } = yield* program.ended
      assert.match(
        stderr,
        /^pxar-fuse: warning: \/hello\.pxar.*: .*hello\.pxar: has changed since it was mounted: unmount, and mount it again\n$/,
      )
    }),
  )

  it.live("can be one of its archives only: --subdir", () =>
    Effect.gen(function* () {
      const { mountPoint } = yield* mountFolder("--subdir=split.mpxar")
      assert.sameMembers(fs.readdirSync(mountPoint), ["hello", "link"])
    }),
  )
})
