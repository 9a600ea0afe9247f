/** A datastore that is mounted with `--versions`: programs see every version of a file. */
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Command from "../support/Command.ts"
import * as Datastores from "../support/Datastores.ts"
import * as Processes from "../support/Processes.ts"
import { need } from "../support/Requirements.ts"

beforeEach(need({ mount: true, root: true }))

describe("a mount with --versions", () => {
  it.live("has the versions of files as files, for find and cmp", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      yield* Command.mount(`${Datastores.store("datastore-plain")}::host/alpha`, mountPoint, ["--versions"])
      const versions = `${mountPoint}/versions/root.pxar/sizes`
      const { code, stderr, stdout } = yield* Processes.run("find", [versions, "-type", "f"])
      assert.deepStrictEqual([code, stderr], [0, ""])
      const found = stdout.toString().split("\n").filter(Boolean)
      assert.isAbove(found.length, 10)
      for (const file of found.slice(0, 10)) {
        const [name, time] = file.slice(versions.length + 1).split("/")
        const same = yield* Processes.run("cmp", [file, `${mountPoint}/${time}/root.pxar/sizes/${name}`])
        assert.deepStrictEqual([same.code, same.stderr], [0, ""])
      }
    }),
  )
})

describe("mount --versions", () => {
  it.live("is refused for a single backup", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const address = `${Datastores.store("datastore-plain")}::host/alpha/2024-01`
      const { code, stderr } = yield* Command.run(["mount", "-f", "--versions", address, mountPoint])
      assert.strictEqual(code, 2)
      assert.include(stderr, "--versions is for the mount of a datastore")
    }),
  )
})
