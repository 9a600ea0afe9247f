import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope } from "effect"
import * as TestClock from "effect/testing/TestClock"
import * as PageStore from "../../../src/fuse/session/PageStore.ts"
import type { Writer } from "../../../src/fuse/session/StoreSyscalls.ts"
import { Stores } from "../../../src/fuse/wire/Stores.ts"

const ENOENT = -2
const EPERM = -1

/** A writer whose writes end when the test says so. */
const manual = () => {
  const waiting: Array<(results: Int32Array) => void> = []
  let opened = 0
  let closed = 0
  const writer: Writer = { write: (_, done) => void waiting.push(done), close: () => void closed++ }
  return {
    open: () => {
      opened++
      return writer
    },
    state: () => ({ opened, closed, waiting: waiting.length }),
    finish: (...results: ReadonlyArray<number>) => Effect.sync(() => waiting.shift()?.(Int32Array.from(results))),
  }
}

const batch = (): Stores => {
  const stores = new Stores()
  stores.add(-78, 5)?.set(Buffer.from("hello"))
  return stores
}

const begin = <A, E>(effect: Effect.Effect<A, E>) => Effect.forkChild(effect, { startImmediately: true })

describe("the kernel's page cache", () => {
  it.effect("is written by what is opened for the first batch", () =>
    Effect.gen(function* () {
      const { finish, open, state } = manual()
      const pages = yield* PageStore.make(7, open)
      assert.deepStrictEqual(state(), { opened: 0, closed: 0, waiting: 0 })
      const first = yield* begin(pages.store(batch()))
      assert.isFalse(pages.isFree())
      yield* finish(45, ENOENT, 45)
      assert.strictEqual(yield* Fiber.join(first), 2)
      assert.isTrue(pages.isFree())
      const second = yield* begin(pages.store(batch()))
      // All have been forgotten meanwhile.
      yield* finish(ENOENT)
      assert.strictEqual(yield* Fiber.join(second), 0)
      assert.deepStrictEqual(state(), { opened: 1, closed: 0, waiting: 0 })
    }),
  )

  it.effect("takes one batch at a time, and is not free while one is written that nobody waits for", () =>
    Effect.gen(function* () {
      const { finish, open, state } = manual()
      const pages = yield* PageStore.make(7, open)
      const first = yield* begin(pages.store(batch()))
      assert.strictEqual(yield* pages.store(batch()), 0)
      yield* Fiber.interrupt(first)
      assert.isFalse(pages.isFree())
      assert.strictEqual(state().waiting, 1)
      yield* finish(45)
      assert.isTrue(pages.isFree())
    }),
  )

  it.effect("ends when what is under way has been written, and takes nothing more", () =>
    Effect.gen(function* () {
      const { finish, open, state } = manual()
      const pages = yield* PageStore.make(7, open)
      yield* begin(pages.store(batch()))
      const end = yield* begin(pages.end)
      assert.isUndefined(end.pollUnsafe())
      assert.isFalse(pages.isFree())
      yield* finish(45)
      yield* Fiber.join(end)
      assert.isFalse(pages.isFree())
      assert.strictEqual(yield* pages.store(batch()), 0)
      assert.deepStrictEqual(state(), { opened: 1, closed: 0, waiting: 0 })
    }),
  )

  it.effect("ends after a while if what is under way does not", () =>
    Effect.gen(function* () {
      const { open } = manual()
      const pages = yield* PageStore.make(7, open)
      yield* begin(pages.store(batch()))
      const end = yield* begin(pages.end)
      yield* TestClock.adjust(PageStore.END - 1)
      assert.isUndefined(end.pollUnsafe())
      yield* TestClock.adjust(1)
      yield* Fiber.join(end)
    }),
  )

  it.effect("is closed by its scope, unless somebody still writes", () =>
    Effect.gen(function* () {
      for (const finished of [true, false]) {
        const { finish, open, state } = manual()
        const scope = yield* Scope.make()
        const pages = yield* Scope.provide(PageStore.make(7, open), scope)
        yield* begin(pages.store(batch()))
        if (finished) yield* finish(45)
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual(state().closed, finished ? 1 : 0)
      }
    }),
  )

  for (const [name, results, errno] of [
    ["does not know such messages", [45, EPERM], 1],
    ["takes none", [], 0],
  ] as const) {
    it.effect(`is left alone if the kernel ${name}`, () =>
      Effect.gen(function* () {
        const { finish, open } = manual()
        const pages = yield* PageStore.make(7, open)
        const store = yield* begin(Effect.flip(pages.store(batch())))
        yield* finish(...results)
        assert.deepStrictEqual(yield* Fiber.join(store), new PageStore.CannotStore({ errno }))
        assert.isFalse(pages.isFree())
      }),
    )
  }

  it.effect("is left alone where there are no such calls", () =>
    Effect.gen(function* () {
      const pages = yield* PageStore.make(7, () => undefined)
      const error = yield* Effect.flip(pages.store(batch()))
      assert.include(error.message, "cannot be filled ahead")
      assert.isFalse(pages.isFree())
    }),
  )
})
