/**
 * Whatever the bytes: typed failures only, an end, and healthy siblings. The short form of `main.ts`, which see.
 *
 * Each run tries other archives; a failure names the seed and the number. `HOSTILE_SEED=S` runs those of a seed again,
 * `HOSTILE_RUNS=N` more of them.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Damage from "../support/Damage.ts"
import * as Layout from "../support/Layout.ts"
import { drive } from "./drive.ts"

const seed = Number(process.env["HOSTILE_SEED"] ?? Math.floor(Math.random() * 2 ** 31))
const runs = Number(process.env["HOSTILE_RUNS"] ?? 320)

/** Archives of one test. */
const BATCH = 80

const drop = ({ base, what }: Damage.Damaged): string => `${base.name}: ${what}`

describe(`hostile archives of seed ${seed}`, () => {
  for (let from = 0; from < runs; from += BATCH) {
    it.live(`number ${from} to ${from + BATCH - 1} do no harm`, () =>
      Effect.gen(function* () {
        for (let index = from; index < from + BATCH; index++) {
          const damaged = Damage.make(seed, index)
          const { problems } = yield* drive(damaged)
          const again = `node test/hostile/main.ts --seed ${seed} --only ${index}`
          assert.deepStrictEqual(problems, [], `${drop(damaged)}\n${again}`)
        }
      }),
    )
  }

  it.live("show many sound entries beside the damaged ones, and compare them", () =>
    Effect.gen(function* () {
      const total = { compared: 0, opened: 0 }
      for (let index = 0; index < BATCH; index++) {
        const { compared, opened } = yield* drive(Damage.make(seed + 1, index))
        total.compared += compared
        if (opened) total.opened++
      }
      assert.isAbove(total.compared, BATCH)
      assert.isAbove(total.opened, BATCH / 3)
    }),
  )
})

describe("archives that are well-formed and unpleasant", () => {
  for (const [name, base] of Object.entries(Damage.builtBases)) {
    it.live(`${name}: do no harm`, () =>
      Effect.gen(function* () {
        const { bytes, payload } = base()
        const whole = { base: base(), what: "nothing", bytes, payload, changed: [], changedPayload: [] }
        assert.deepStrictEqual((yield* drive(whole)).problems, [])
      }),
    )
  }
})

describe("the oracle", () => {
  it("is the same for the same seed and number", () => {
    for (let index = 0; index < 30; index++) {
      const [one, other] = [Damage.make(seed, index), Damage.make(seed, index)]
      assert.isTrue(one.bytes.equals(other.bytes) && one.what === other.what)
    }
  })

  it("lays out a golden archive as its view lists it", () => {
    for (const { layout, view } of [Damage.make(5, 1).base, Damage.make(5, 2).base]) {
      if (view === undefined) continue
      assert.deepStrictEqual(layout.places.map(({ path }) => path).sort(), [...view.keys()].sort())
    }
  })

  it("takes an entry for damaged when a byte of it or of its link's target is, and leaves tables to be made anew", () => {
    const base = Damage.builtBases["links"]?.()
    if (base === undefined) return assert.fail("no such base")
    const at = (path: string) => base.layout.places.find((place) => place.path === path) as Layout.Place
    const health = (...changed: ReadonlyArray<Layout.Range>) => Layout.healthOf(base.layout, changed, []).healthy
    const { own } = at("/a")
    assert.isFalse(health([own[0] + 16, own[0] + 17]).has("/a"))
    assert.isFalse(health([own[0] + 16, own[0] + 17]).has("/b"), "a hard link to it")
    assert.isTrue(health([own[0] + 16, own[0] + 17]).has("/d"))
    const [from] = at("/d").table as Layout.Range
    assert.isTrue(health([from + 20, from + 21]).has("/d/e"), "a table alone costs nothing")
    assert.isTrue(health([from + 20, from + 21]).has("/a"))
    const inFolder = at("/d/a").own[0] + 16
    assert.isFalse(health([from + 20, from + 21], [inFolder, inFolder + 1]).has("/d/e"), "with more it may")
  })
})
