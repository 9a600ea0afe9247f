/** The calls themselves, with an ordinary file in place of the kernel. */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as StoreSyscalls from "../../../src/fuse/session/StoreSyscalls.ts"
import { Stores } from "../../../src/fuse/wire/Stores.ts"
import * as Processes from "../../support/Processes.ts"

const write = (fd: number, sizes: ReadonlyArray<number>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => StoreSyscalls.open(fd) ?? assert.fail("no io_submit")),
    (writer) =>
      Effect.callback<ReadonlyArray<number>>((resume) => {
        const stores = new Stores()
        for (const size of sizes) stores.add(-1, size)?.fill(size)
        writer.write(stores, (results) => resume(Effect.succeed([...results])))
      }),
    (writer) => Effect.sync(() => writer.close()),
  )

describe("a batch written with one call", () => {
  it.live("is written whole, each message by itself, and its results are told", () =>
    Effect.gen(function* () {
      const file = path.join(yield* Processes.temporaryFolder, "file")
      const fd = fs.openSync(file, "w+")
      assert.deepStrictEqual(yield* write(fd, [9, 200, 3]), [49, 240, 43])
      // Each of them at the beginning of the file: the last one over the others.
      const bytes = fs.readFileSync(file)
      assert.strictEqual(bytes.length, 240)
      assert.deepStrictEqual([...bytes.subarray(40, 44)], [3, 3, 3, 200])
      fs.closeSync(fd)
    }),
  )

  it.live("is refused for a descriptor that cannot be written", () =>
    Effect.gen(function* () {
      const fd = fs.openSync("/dev/null", "r")
      assert.deepStrictEqual(yield* write(fd, [5]), [])
      fs.closeSync(fd)
    }),
  )
})
