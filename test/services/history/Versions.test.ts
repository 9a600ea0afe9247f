import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as Bytes from "../../../src/domain/Bytes.ts"
import * as Edition from "../../../src/services/history/Edition.ts"
import * as Versions from "../../../src/services/history/Versions.ts"
import * as backups from "./backups.ts"

const versionsOf = (repository: Parameters<typeof Edition.groups>[0], path: string) =>
  Effect.gen(function* () {
    const [group] = yield* Stream.runCollect(Edition.groups(repository))
    const series = group?.series[0]
    return series === undefined ? [] : (yield* Versions.of(series, Bytes.fromText(path))).versions
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

  it.effect("of what is in no backup are none", () =>
    Effect.gen(function* () {
      const made = yield* backups.make(1)
      assert.deepStrictEqual(yield* versionsOf(made.repository, "no/such"), [])
    }),
  )
})
