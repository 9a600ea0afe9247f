import * as fs from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ArchiveTarget from "../../../src/services/create/ArchiveTarget.ts"
import * as Processes from "../../support/Processes.ts"

describe("an archive target", () => {
  it.effect("has its name and its bytes after the commit", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      yield* Effect.scoped(
        Effect.gen(function* () {
          const target = yield* ArchiveTarget.open(`${folder}/a`)
          yield* target.sink.write(Buffer.from("one "))
          yield* target.sink.write(Buffer.from("two"))
          assert.strictEqual(target.sink.position(), 7)
          assert.isFalse(fs.existsSync(`${folder}/a`))
          yield* target.commit
          assert.strictEqual(fs.readFileSync(`${folder}/a`, "utf8"), "one two")
          yield* target.commit
        }),
      )
      assert.deepStrictEqual(fs.readdirSync(folder), ["a"])
    }),
  )

  it.effect("leaves nothing without a commit", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      yield* Effect.scoped(
        Effect.flatMap(ArchiveTarget.open(`${folder}/a`), (target) => target.sink.write(Buffer.from("x"))),
      )
      assert.deepStrictEqual(fs.readdirSync(folder), [])
    }),
  )

  it.effect("takes its name back if what it belongs to fails after the commit", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      const failing = Effect.scoped(
        Effect.flatMap(ArchiveTarget.open(`${folder}/a`), (target) =>
          Effect.andThen(target.commit, Effect.fail("the other half failed")),
        ),
      )
      assert.strictEqual(yield* Effect.flip(failing), "the other half failed")
      assert.deepStrictEqual(fs.readdirSync(folder), [])
    }),
  )

  it.effect("can have a name of 255 bytes, and lie in the current folder", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      const name = "n".repeat(255)
      yield* Effect.scoped(Effect.flatMap(ArchiveTarget.open(`${folder}/${name}`), ({ commit }) => commit))
      assert.deepStrictEqual(fs.readdirSync(folder), [name])
      const before = process.cwd()
      process.chdir(folder)
      yield* Effect.ensuring(
        Effect.scoped(Effect.flatMap(ArchiveTarget.open("b"), ({ commit }) => commit)),
        Effect.sync(() => process.chdir(before)),
      )
      assert.deepStrictEqual(fs.readdirSync(folder).toSorted(), ["b", name])
    }),
  )
})
