import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import type * as ArchiveReader from "../../../src/services/archive/ArchiveReader.ts"
import * as ArchiveError from "../../../src/services/archive/ArchiveError.ts"
import * as OnDemandReader from "../../../src/services/virtual/OnDemandReader.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as AtOnce from "../../../src/services/AtOnce.ts"
import * as H from "../archive/helpers.ts"

const built = B.build({ children: [B.file("file", "content")] })

/** A reader that counts how often its archive is opened and closed. */
const make = Effect.fnUntraced(function* (
  change: (reader: ArchiveReader.ArchiveReader) => ArchiveReader.ArchiveReader = (same) => same,
) {
  const count = { closed: 0, opened: 0 }
  const open = Effect.acquireRelease(
    Effect.tap(Effect.map(H.open(built.bytes), change), () => Effect.sync(() => count.opened++)),
    () => Effect.sync(() => count.closed++),
  )
  const reader = yield* OnDemandReader.make({
    archive: "test.pxar",
    size: built.bytes.length,
    open,
    idle: "10 seconds",
  })
  return { count, reader }
})

describe("an archive that is open on demand", () => {
  it.effect("is opened by the first operation, once", () =>
    Effect.gen(function* () {
      const { count, reader } = yield* make()
      assert.deepStrictEqual(count, { closed: 0, opened: 0 })
      yield* Effect.all([reader.count(reader.root), reader.entry(reader.root), H.find(reader, "file")], {
        concurrency: "unbounded",
      })
      assert.deepStrictEqual(count, { closed: 0, opened: 1 })
    }),
  )

  it.effect("is closed when it has not been used for long enough, and opened again", () =>
    Effect.gen(function* () {
      const { count, reader } = yield* make()
      const { entry, node } = yield* H.find(reader, "file")
      yield* TestClock.adjust("9 seconds")
      yield* reader.entry(node)
      yield* TestClock.adjust("9 seconds")
      assert.deepStrictEqual(count, { closed: 0, opened: 1 })
      yield* TestClock.adjust("1 seconds")
      assert.deepStrictEqual(count, { closed: 1, opened: 1 })
      // What was found before is still good.
      assert.deepStrictEqual(yield* reader.entry(node), entry)
      assert.strictEqual(yield* H.readText(reader, "file"), "content")
      assert.deepStrictEqual(count, { closed: 1, opened: 2 })
    }),
  )

  it.effect("is not closed under an operation", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const { count, reader } = yield* make((reader) => ({
        ...reader,
        entry: (node) => Effect.andThen(Deferred.await(gate), reader.entry(node)),
      }))
      const fiber = yield* Effect.forkChild(reader.entry(reader.root), { startImmediately: true })
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(count, { closed: 0, opened: 1 })
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(fiber)
      yield* TestClock.adjust("20 seconds")
      assert.deepStrictEqual(count, { closed: 1, opened: 1 })
    }),
  )

  it.effect("that cannot be opened fails the operation, and the next one tries again", () =>
    Effect.gen(function* () {
      let missing = true
      const reader = yield* OnDemandReader.make({
        archive: "test.pxar",
        size: built.bytes.length,
        open: Effect.suspend(() =>
          missing ? Effect.fail(ArchiveError.unavailable("test.pxar", "gone")) : H.open(built.bytes),
        ),
        idle: "10 seconds",
      })
      assert.strictEqual((yield* H.failing(reader.count(reader.root), "IO", "unavailable")).message, "test.pxar: gone")
      missing = false
      assert.strictEqual(yield* reader.count(reader.root), 1)
    }),
  )

  it.effect("is opened for those that wait, whichever of them is interrupted; and again when all were", () =>
    Effect.gen(function* () {
      let opened = 0
      const gate = yield* Deferred.make<void>()
      const reader = yield* OnDemandReader.make({
        archive: "test.pxar",
        size: built.bytes.length,
        open: Effect.suspend(() => {
          opened++
          return Effect.andThen(Deferred.await(gate), H.open(built.bytes))
        }),
        idle: "10 seconds",
      })
      const start = Effect.forkChild(reader.count(reader.root), { startImmediately: true })
      for (const all of [yield* start, yield* start]) yield* Fiber.interrupt(all)
      assert.strictEqual(opened, 1)
      const [one, other] = [yield* start, yield* start]
      yield* Fiber.interrupt(one)
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual(yield* Fiber.join(other), 1)
      assert.strictEqual(opened, 2)
    }),
  )

  it.effect("tells nothing at once while it is closed", () =>
    Effect.gen(function* () {
      const { count, reader } = yield* make()
      const isAtHand = (): boolean => AtOnce.hasEnded(reader.entry(reader.root))
      assert.isFalse(isAtHand())
      assert.deepStrictEqual(count, { closed: 0, opened: 0 })
      yield* reader.entry(reader.root)
      assert.isTrue(isAtHand())
      // A use is noted at least once in a while.
      yield* TestClock.adjust("9 seconds")
      assert.isFalse(isAtHand())
      yield* reader.entry(reader.root)
      assert.isTrue(isAtHand())
      yield* TestClock.adjust("9 seconds")
      assert.strictEqual(count.closed, 0)
      yield* TestClock.adjust("2 seconds")
      assert.isFalse(isAtHand())
      assert.deepStrictEqual(count, { closed: 1, opened: 1 })
    }),
  )

  it.effect("is closed in time also when operations were interrupted wherever they were", () =>
    Effect.gen(function* () {
      const { count, reader } = yield* make((reader) => ({
        ...reader,
        entry: (node) => Effect.andThen(Effect.yieldNow, reader.entry(node)),
      }))
      for (let turns = 0; turns < 12; turns++) {
        const fiber = yield* Effect.forkChild(reader.entry(reader.root), { startImmediately: turns % 2 === 0 })
        for (let turn = 0; turn < turns >> 1; turn++) yield* Effect.yieldNow
        yield* Fiber.interrupt(fiber)
      }
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(count.closed, count.opened)
      assert.isAbove(count.opened, 0)
    }),
  )

  it.effect("is closed with its scope", () =>
    Effect.gen(function* () {
      const { count } = yield* Effect.scoped(Effect.tap(make(), ({ reader }) => reader.count(reader.root)))
      assert.deepStrictEqual(count, { closed: 1, opened: 1 })
    }),
  )
})
