import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as Drill from "../../../src/services/history/Drill.ts"
import * as Edition from "../../../src/services/history/Edition.ts"
import * as backups from "./backups.ts"

describe("Spread", () => {
  it("keeps as many files as are wanted, or all there are, evenly spread", () => {
    for (let count = 0; count <= 300; count++) {
      for (const most of [0, 1, 2, 3, 7, 20]) {
        const spread = new Drill.Spread<number>(most)
        for (let file = 0; file < count; file++) spread.add(file)
        const { files } = spread
        assert.strictEqual(files.length, Math.min(most, count), `${most} of ${count}`)
        assert.strictEqual(new Set(files).size, files.length)
        const gaps = files.map((file, at) => (files[at + 1] ?? count) - file)
        // No part of it is left out: gaps are at most about four times as wide as they would be at best.
        assert.isAtMost(Math.max(0, ...gaps), Math.ceil((4 * count) / Math.max(1, most)) + 1, `${most} of ${count}`)
      }
    }
  })
})

describe("Drill", () => {
  it.effect("counts and reads what the model has", () =>
    Effect.gen(function* () {
      for (let seed = 1; seed <= 8; seed++) {
        const made = yield* backups.make(seed)
        const [group] = yield* Stream.runCollect(Edition.groups(made.repository))
        for (const edition of group?.series[0]?.editions ?? []) {
          const { files } = made.backups.find(({ id }) => id.time === edition.snapshot.id.time)!
          const size = [...files.values()].reduce((sum, { content }) => sum + content.length, 0)
          const all = yield* Drill.run(edition, { sample: Infinity })
          assert.deepStrictEqual([all.state, all.files, all.bytes], ["ok", files.size, size], `seed ${seed}`)
          const some = yield* Drill.run(edition, { sample: 2 })
          assert.deepStrictEqual([some.files, some.entries], [Math.min(2, files.size), all.entries], `seed ${seed}`)
        }
      }
    }),
  )
})
