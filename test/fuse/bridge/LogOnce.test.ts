import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as LogOnce from "../../../src/fuse/bridge/LogOnce.ts"
import * as H from "../harness.ts"

const path = (text: string) => Effect.succeed(Buffer.from(text, "latin1"))

describe("LogOnce", () => {
  it.effect("says a thing once for each key, with the path", () =>
    H.logged((log) =>
      Effect.gen(function* () {
        const report = LogOnce.make()
        yield* report("a", path("/x"), "first")
        yield* report("a", path("/y"), "second")
        yield* report("b", path("/y"), "third")
        assert.deepStrictEqual(log, ["Warn /x: first", "Warn /y: third"])
      }),
    ),
  )

  it.effect("prints paths that are no text", () =>
    H.logged((log) =>
      Effect.gen(function* () {
        yield* LogOnce.make()("a", path("/\xff\n"), "bad")
        assert.deepStrictEqual(log, [String.raw`Warn /\xff\x0a: bad`])
      }),
    ),
  )

  it.effect("leaves out a path that is empty", () =>
    H.logged((log) =>
      Effect.gen(function* () {
        yield* LogOnce.make()("a", path(""), "bad")
        assert.deepStrictEqual(log, ["Warn bad"])
      }),
    ),
  )

  it.effect("finds the path out only if it says something", () =>
    H.logged(() =>
      Effect.gen(function* () {
        const report = LogOnce.make()
        let asked = 0
        const counted = Effect.andThen(
          Effect.sync(() => asked++),
          path("/x"),
        )
        for (const _ of [1, 2, 3]) yield* report("a", counted, "bad")
        assert.strictEqual(asked, 1)
      }),
    ),
  )

  it.effect("is independent of other reports", () =>
    H.logged((log) =>
      Effect.gen(function* () {
        for (const report of [LogOnce.make(), LogOnce.make()]) yield* report("a", path("/x"), "bad")
        assert.strictEqual(log.length, 2)
      }),
    ),
  )

  it.effect("forgets after ten thousand, so that its memory is bounded, and may repeat itself then", () =>
    H.logged((log) =>
      Effect.gen(function* () {
        const report = LogOnce.make()
        for (let key = 0; key < 10_000; key++) yield* report(`${key}`, path("/x"), "bad")
        yield* report("0", path("/x"), "bad")
        assert.strictEqual(log.length, 10_000)
        yield* report("one more", path("/x"), "bad")
        yield* report("0", path("/x"), "bad")
        assert.strictEqual(log.length, 10_002)
      }),
    ),
  )
})
