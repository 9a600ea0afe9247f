import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { fromMap } from "../../../src/services/blobs/BlobStore.ts"
import * as BlobStoreWrappers from "../../../src/services/blobs/BlobStoreWrappers.ts"
import * as SharedReads from "../../../src/services/blobs/SharedReads.ts"

const chunk = (number: number) => `.chunks/abcd/${String(number).padStart(64, "0")}`
const ALL = 1_000_000

/** Five chunks of 1000 bytes and a file, of which none comes before `open` is done. */
const setUp = Effect.fnUntraced(function* (capacity?: number) {
  const blobs = new Map<string, Uint8Array>([["file", new Uint8Array(3)]])
  for (let number = 0; number < 5; number++) blobs.set(chunk(number), new Uint8Array(1000).fill(number))
  const open = yield* Deferred.make<void>()
  const { counts, store } = BlobStoreWrappers.counting(
    BlobStoreWrappers.intercepted(fromMap(blobs), () => Deferred.await(open)),
  )
  return { blobs, counts, go: Deferred.succeed(open, undefined), shared: yield* SharedReads.make(store, capacity) }
})

describe("SharedReads", () => {
  it.effect("fetches a chunk once for all who want it, and gives each its own bytes", () =>
    Effect.gen(function* () {
      const { counts, go, shared } = yield* setUp()
      const readers = yield* Effect.forEach([1, 2, 3], () =>
        Effect.forkChild(shared.read(chunk(4), ALL), { startImmediately: true }),
      )
      // One who goes leaves the fetch to the others.
      yield* Fiber.interrupt(readers[0]!)
      yield* go
      const [first, second] = yield* Effect.forEach(readers.slice(1), (fiber) => Fiber.join(fiber))
      first!.fill(0)
      assert.deepStrictEqual(second, new Uint8Array(1000).fill(4))
      assert.deepStrictEqual(yield* shared.read(chunk(4), ALL), second)
      assert.deepStrictEqual(counts.blobs, [chunk(4)])
    }),
  )

  it.effect("holds no more than its capacity, those used last", () =>
    Effect.gen(function* () {
      const { counts, go, shared } = yield* setUp(3000)
      yield* go
      for (const number of [0, 1, 2, 0, 3, 0, 1]) yield* shared.read(chunk(number), ALL)
      assert.deepStrictEqual(counts.blobs, [0, 1, 2, 3, 1].map(chunk))
    }),
  )

  it.effect("holds no failure, nothing that was found wrong, and nothing but chunks", () =>
    Effect.gen(function* () {
      const { blobs, counts, go, shared } = yield* setUp()
      yield* go
      const late = chunk(9)
      assert.strictEqual((yield* Effect.flip(shared.read(late, ALL))).reason, "NotFound")
      blobs.set(late, new Uint8Array(1))
      yield* shared.read(late, ALL)
      assert.isTrue(yield* shared.forget!(late))
      assert.isFalse(yield* shared.forget!(late))
      yield* shared.read(late, ALL)
      for (let times = 0; times < 2; times++) yield* shared.read("file", ALL)
      assert.deepStrictEqual(counts.blobs, [late, late, late, "file", "file"])
    }),
  )

  it.effect("refuses more bytes than the reader allows", () =>
    Effect.gen(function* () {
      const { go, shared } = yield* setUp()
      yield* go
      assert.strictEqual((yield* Effect.flip(shared.read(chunk(1), 999))).reason, "TooLarge")
    }),
  )
})
