import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as Bytes from "../../../src/domain/Bytes.ts"
import * as Edition from "../../../src/services/history/Edition.ts"
import * as Versions from "../../../src/services/history/Versions.ts"
import * as backups from "./backups.ts"

const versionsOf = (repository: Parameters<typeof Edition.groups>[0], path: string, options?: Versions.Options) =>
  Effect.gen(function* () {
    const [group] = yield* Stream.runCollect(Edition.groups(repository))
    const series = group?.series[0]
    return series === undefined ? [] : (yield* Versions.of(series, Bytes.fromText(path), options)).versions
  })

describe("Versions", () => {
  it.effect("are the runs of backups in which a file is as it was", () =>
    Effect.gen(function* () {
      for (let seed = 1; seed <= 24; seed++) {
        const made = yield* backups.make(seed, { days: 8 })
        const expected: Array<{ times: Array<string>; file: backups.File }> = []
        let last: backups.File | undefined
        for (const { files, id } of made.backups) {
          const file = files.get("/d/alpha")
          const isSame = file !== undefined && last?.mtime === file.mtime && last.content.length === file.content.length
          if (isSame) expected.at(-1)?.times.push(id.time)
          else if (file !== undefined) expected.push({ times: [id.time], file })
          last = file
        }
        const versions = yield* versionsOf(made.repository, "d/alpha")
        assert.deepStrictEqual(
          versions.map(({ snapshots }) => snapshots.map(({ time }) => time)),
          expected.map(({ times }) => times),
          `seed ${seed}`,
        )
        for (const [at, version] of versions.entries()) {
          const [before, file] = [expected[at - 1]?.file, expected[at]?.file]
          // Never wrong: what is said to be the same is, what is said to be changed is not.
          if (version.content === "same") assert.isTrue(Bytes.equals(before!.content, file!.content), `seed ${seed}`)
          if (version.content === "changed")
            assert.isFalse(Bytes.equals(before!.content, file!.content), `seed ${seed}`)
        }
      }
    }),
  )

  it.effect("are those of the contents themselves where they are read", () =>
    Effect.gen(function* () {
      for (let seed = 1; seed <= 24; seed++) {
        const made = yield* backups.make(seed, { days: 8, unseen: true })
        const expected: Array<ReadonlyArray<unknown>> = []
        let last: backups.File | undefined
        for (const { files, id } of made.backups) {
          const file = files.get("/d/alpha")
          const isSame = file !== undefined && last !== undefined && Bytes.equals(last.content, file.content)
          if (isSame && last?.mtime === file.mtime) (expected.at(-1)![0] as Array<string>).push(id.time)
          else if (file !== undefined) {
            expected.push([[id.time], last === undefined ? "first" : isSame ? "same" : "changed", true])
          }
          last = file
        }
        const versions = yield* versionsOf(made.repository, "d/alpha", { data: true })
        assert.deepStrictEqual(
          versions.map(({ content, isProven, snapshots }) => [snapshots.map(({ time }) => time), content, isProven]),
          expected,
          `seed ${seed}`,
        )
      }
    }),
  )

  it.effect("were moved from, and to, where the model has their contents", () =>
    Effect.gen(function* () {
      let moves = 0
      for (let seed = 1; seed <= 20; seed++) {
        const made = yield* backups.make(seed, { days: 6, unseen: true })
        /** Paths of a content in a backup beside, which are not in its own. */
        const elsewhere = (own: backups.Files, file: backups.File, beside: backups.Files | undefined) =>
          [...(beside ?? [])].flatMap(([path, { content }]) =>
            !own.has(path) && content.length > 0 && Bytes.equals(content, file.content) ? [path] : [],
          )
        for (const data of [false, true]) {
          for (const version of yield* versionsOf(made.repository, "d/letter.txt", { data, moves: true })) {
            const place = (at: number) => made.backups.findIndex(({ id }) => id.time === version.snapshots.at(at)?.time)
            for (const [at, beside, moved] of [
              [place(0), place(0) - 1, version.movedFrom],
              [place(-1), place(-1) + 1, version.movedTo],
            ] as const) {
              const { files } = made.backups[at]!
              const other = made.backups[beside]?.files
              const paths = elsewhere(files, files.get("/d/letter.txt")!, other)
              const own = files.get("/d/letter.txt")!
              const isOther = other?.get("/d/letter.txt")?.content.length !== own.content.length
              const told = moved === undefined ? [] : [Bytes.toText(moved.path)]
              // Never wrong, and complete where contents are read.
              if (moved?.isProven === true) assert.include(paths, told[0], `seed ${seed}`)
              if (data) assert.strictEqual(told.length > 0, isOther && paths.length > 0, `seed ${seed}`)
              if (data && moved !== undefined) assert.isTrue(moved.isProven)
              moves += told.length
            }
          }
        }
      }
      assert.isAbove(moves, 3)
    }),
  )

  it.effect("of what is in no backup are none", () =>
    Effect.gen(function* () {
      const made = yield* backups.make(1)
      assert.deepStrictEqual(yield* versionsOf(made.repository, "no/such"), [])
    }),
  )
})
