/** Unmounting what is meant, whatever others do to the path; and changing a mount that is there. */
import * as fs from "node:fs"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import * as MountOptions from "../../src/fuse/mount/MountOptions.ts"
import * as MountTable from "../../src/fuse/mount/MountTable.ts"
import * as Remount from "../../src/fuse/mount/Remount.ts"
import * as Unmount from "../../src/fuse/mount/Unmount.ts"
import * as Processes from "../support/Processes.ts"
import { need } from "../support/Requirements.ts"

beforeEach(need({ mount: true, root: true, tools: ["umount"] }))

/** A memory file system: what is mounted does not matter here. */
const mountSomething = Effect.fnUntraced(function* (mountPoint: string) {
  fs.mkdirSync(mountPoint, { recursive: true })
  const { code, stderr } = yield* Processes.run("mount", ["-t", "tmpfs", "something", mountPoint])
  assert.strictEqual(code, 0, stderr)
  return (yield* MountTable.find(mountPoint)) ?? assert.fail("not mounted")
})

describe("a mount that was found in the mount table", () => {
  it.live("is not mistaken for another that a link in its path leads to", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      const meant = yield* mountSomething(`${folder}/theirs/mnt`)
      yield* mountSomething(`${folder}/precious/mnt`)
      fs.renameSync(`${folder}/theirs`, `${folder}/moved`)
      fs.symlinkSync("precious", `${folder}/theirs`)
      for (const lazy of [false, true]) {
        const unmounted = yield* Effect.result(Unmount.detach("root", meant, lazy))
        assert.isTrue(Result.isFailure(unmounted))
      }
      const left = yield* Processes.mountsBelow(folder)
      assert.sameMembers([...left], [`${folder}/moved/mnt`, `${folder}/precious/mnt`])
    }),
  )

  it.live("is not mistaken for one that has been mounted over it", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      const meant = yield* mountSomething(`${folder}/mnt`)
      yield* mountSomething(`${folder}/mnt`)
      assert.isTrue(Result.isFailure(yield* Effect.result(Unmount.detach("root", meant, true))))
      assert.strictEqual((yield* Processes.mountsBelow(folder)).length, 2)
    }),
  )

  it.live("is unmounted, with any bytes in its name", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      const name = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0x63, 0xe9, 0x20, 0x5c, 0x0a])])
      fs.mkdirSync(name)
      const script = 'cd "$1" && mount -t tmpfs something ./c*'
      assert.strictEqual((yield* Processes.run("bash", ["-c", script, "bash", folder])).code, 0)
      const entry = (yield* MountTable.find(name)) ?? assert.fail("not mounted")
      yield* Unmount.detach("root", entry, false)
      assert.isUndefined(yield* MountTable.find(name))
      fs.rmdirSync(name)
    }),
  )

  it.live("gets other flags by a remount, and stays read-only", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      const entry = yield* mountSomething(`${folder}/mnt`)
      const options = Result.getOrThrow(MountOptions.parse(["remount,noexec,user_id=0,group_id=0"]))
      yield* Remount.remount(entry, options)
      const line = fs
        .readFileSync("/proc/self/mounts", "utf8")
        .split("\n")
        .find((line) => line.includes(` ${folder}/mnt `))
      assert.match(line ?? "", / ro,nosuid,nodev,noexec,/)
    }),
  )
})
