/**
 * Damaged archives, mounted: what is bad fails alone, with EIO, and is told once.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ArchiveBuilder from "../support/ArchiveBuilder.ts"
import * as Golden from "../support/Golden.ts"
import * as MountedTree from "../support/MountedTree.ts"
import * as MountServer from "../support/MountServer.ts"
import * as Processes from "../support/Processes.ts"
import { need } from "../support/Requirements.ts"

beforeEach(need({ mount: true }))

const write = Effect.fnUntraced(function* (name: string, bytes: Uint8Array) {
  const file = path.join(yield* Processes.temporaryFolder, name)
  yield* Effect.promise(() => fs.promises.writeFile(file, bytes))
  return file
})

const names = (mountPoint: string) =>
  MountedTree.list(Buffer.from(mountPoint))
    .map(({ name }) => name.toString())
    .sort()

describe("an entry that cannot be decoded", () => {
  /** Files `a`, `b` and `c`; what follows the name of `b` is no ENTRY. */
  const damaged = Effect.gen(function* () {
    const built = ArchiveBuilder.build({ children: ["a", "b", "c"].map((name) => ArchiveBuilder.file(name, name)) })
    const bytes = ArchiveBuilder.poke(built.bytes, built.at("b").start, 0x0123456789abcdefn)
    return yield* Effect.orDie(MountServer.start(yield* write("damaged.pxar", bytes)))
  })

  it.live("is listed by its name among its siblings", () =>
    Effect.gen(function* () {
      const { mountPoint } = yield* damaged
      assert.deepStrictEqual(names(mountPoint), ["a", "b", "c"])
    }),
  )

  it.live("answers EIO, and its siblings their contents", () =>
    Effect.gen(function* () {
      const { mountPoint } = yield* damaged
      assert.throws(() => fs.lstatSync(path.join(mountPoint, "b")), /EIO/)
      for (const name of ["a", "c"]) assert.strictEqual(fs.readFileSync(path.join(mountPoint, name), "utf8"), name)
    }),
  )

  it.live("is told once, with its path, however often it is met", () =>
    Effect.gen(function* () {
      const server = yield* damaged
      for (let round = 0; round < 3; round++) {
        names(server.mountPoint)
        assert.throws(() => fs.lstatSync(path.join(server.mountPoint, "b")), /EIO/)
      }
      const log = yield* server.ask("log")
      assert.strictEqual(log.length, 1, log.join("\n"))
      assert.match(log[0]!, /^\/b: .*damaged\.pxar: /)
    }),
  )
})

describe("a file whose content is cut off", () => {
  // Some are for root's eyes only.
  beforeEach(need({ root: true }))

  it.live("answers EIO where bytes are missing, never a short read, and is told once a file", () =>
    Effect.gen(function* () {
      const { bytes, payload } = Golden.load(Golden.treeV2)
      const archive = yield* write("cut.mpxar", bytes)
      const cut = path.join(path.dirname(archive), "cut.ppxar")
      yield* Effect.promise(() => fs.promises.writeFile(cut, payload!))
      const server = yield* Effect.orDie(MountServer.start(archive))
      // After it was opened: nothing could have been checked before.
      yield* Effect.promise(() => fs.promises.truncate(cut, payload!.length >> 1))
      const read = () =>
        Golden.treeV2
          .view()
          .filter(({ kind, size }) => kind === "file" && size > 0)
          .map((view) => {
            const file = Buffer.concat([Buffer.from(server.mountPoint), view.path])
            try {
              return fs.readFileSync(file).length === view.size ? "whole" : "short"
            } catch (error) {
              return (error as NodeJS.ErrnoException).code
            }
          })
      const results = read()
      assert.deepStrictEqual(new Set(results), new Set(["whole", "EIO"]))
      assert.deepStrictEqual(read(), results)
      const told = (yield* server.ask("log")).map((line) => line.slice(0, line.indexOf(": ")))
      assert.strictEqual(told.length, new Set(told).size, told.join("\n"))
      assert.strictEqual(told.length, results.filter((result) => result === "EIO").length)
    }),
  )
})
