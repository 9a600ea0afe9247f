import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import * as TestClock from "effect/testing/TestClock"
import { ProgressJson } from "../../src/domain/json/ProgressJson.ts"
import * as Progress from "../../src/cli/Progress.ts"

/** A screen that remembers what was written. */
const make = (screen: Partial<Progress.Screen> = {}, mode: Progress.Mode = "auto") => {
  const written: Array<string> = []
  const options: Progress.Options = {
    screen: { isTTY: true, columns: 80, write: (text) => written.push(text), ...screen },
    mode,
  }
  return { options, written, progress: Progress.make(options) }
}

const CLEAR = "\r\u001b[K"

describe("the line", () => {
  it.effect("appears after a second, is written over five times a second, and goes away", () =>
    Effect.gen(function* () {
      const { progress, written } = make()
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { update } = yield* progress
          for (let time = 0; time <= 1500; time += 10) {
            update({ entries: time, bytes: 0 })
            yield* TestClock.adjust("10 millis")
          }
        }),
      )
      assert.deepStrictEqual(
        written.map((text) => text.split(",")[0]),
        [`${CLEAR}1`, `${CLEAR}1`, `${CLEAR}1`, CLEAR],
      )
    }),
  )

  it.effect("goes away with the effect it is for, and leaves what that has acquired", () =>
    Effect.gen(function* () {
      const { options, written } = make()
      let released = false
      yield* Progress.during(
        options,
        Effect.fnUntraced(function* ({ update }) {
          yield* TestClock.adjust("5 seconds")
          update({ entries: 1, bytes: 1 })
          yield* Effect.addFinalizer(() => Effect.sync(() => (released = true)))
        }),
      )
      assert.strictEqual(written.at(-1), CLEAR)
      assert.lengthOf(written, 2)
      assert.isFalse(released)
    }),
  )

  it.effect("never appears where no terminal is", () =>
    Effect.gen(function* () {
      const { progress, written } = make({ isTTY: false })
      const { update } = yield* progress
      yield* TestClock.adjust("5 seconds")
      update({ entries: 1, bytes: 1 })
      assert.deepStrictEqual(written, [])
    }),
  )

  it.effect("is no wider than the terminal", () =>
    Effect.gen(function* () {
      const { progress, written } = make({ columns: 20 })
      const { update } = yield* progress
      yield* TestClock.adjust("5 seconds")
      update({ entries: 123_456, bytes: 1e9, position: 1, size: 10 })
      assert.deepStrictEqual(written, [`${CLEAR}10 %, 123,456 entri`])
    }),
  )
})

describe("progress for front ends", () => {
  it.effect("is an object a line, five times a second and at the end, also where no terminal is", () =>
    Effect.gen(function* () {
      const { progress, written } = make({ isTTY: false }, "json")
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { update } = yield* progress
          for (let time = 0; time <= 450; time += 50) {
            update({ entries: time, bytes: 7, position: 1, size: 2 })
            yield* TestClock.adjust("50 millis")
          }
        }),
      )
      const base = { bytes: 7, position: 1, size: 2 }
      assert.deepStrictEqual(
        written.map((text) => Schema.decodeUnknownSync(Schema.fromJsonString(ProgressJson))(text)),
        [
          { progress: { entries: 200, ...base, seconds: 0.2, done: false } },
          { progress: { entries: 400, ...base, seconds: 0.4, done: false } },
          { progress: { entries: 450, ...base, seconds: 0.5, done: true } },
        ],
      )
    }),
  )
})

describe("its text", () => {
  it("says how much is done, how fast it goes and how long it will take", () =>
    assert.strictEqual(
      Progress.line({ entries: 12_345, bytes: 3e9, position: 25, size: 100 }, 30),
      "25 %, 12,345 entries, 3.00 GB, 100 MB/s, 1:30 left",
    ))

  it("says what it can where the size is not known", () =>
    assert.strictEqual(Progress.line({ entries: 5, bytes: 1234 }, 2), "5 entries, 1.23 kB, 617 B/s"))

  it("says nothing of contents where they are not read", () =>
    assert.deepStrictEqual(
      [5, 1].map((entries) => Progress.line({ entries, position: 1, size: 2 }, 2)),
      ["50 %, 5 entries, 0:02 left", "50 %, 1 entry, 0:02 left"],
    ))

  it("does not guess at the beginning", () =>
    assert.strictEqual(Progress.line({ entries: 0, bytes: 0, position: 0, size: 9 }, 1), "0 %, 0 entries, 0 B, 0 B/s"))
})

describe("formats", () => {
  it("bytes with three digits", () => {
    const sizes = [0, 999, 1000, 9994, 9995, 99_949, 99_950, 999_499, 999_500, 1.5e12]
    assert.deepStrictEqual(sizes.map(Progress.formatBytes), [
      "0 B",
      "999 B",
      "1.00 kB",
      "9.99 kB",
      "10.0 kB",
      "99.9 kB",
      "100 kB",
      "999 kB",
      "1.00 MB",
      "1.50 TB",
    ])
  })

  it("numbers of things, of one thing too", () =>
    assert.deepStrictEqual(
      [0, 1, 2].map((count) => [Progress.formatCount(count, "error"), Progress.formatCount(count, "entry", "entries")]),
      [
        ["0 errors", "0 entries"],
        ["1 error", "1 entry"],
        ["2 errors", "2 entries"],
      ],
    ))

  it("times", () =>
    assert.deepStrictEqual([0, 0.2, 59, 60, 3599, 3600, 36_061].map(Progress.formatTime), [
      "0:00",
      "0:01",
      "0:59",
      "1:00",
      "59:59",
      "1:00:00",
      "10:01:01",
    ]))
})
