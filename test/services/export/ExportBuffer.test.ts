import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExportBuffer from "../../../src/services/export/ExportBuffer.ts"
import * as Random from "../../support/Random.ts"

/** Pieces of all sizes: small ones, many that fill what is gathered, and some that go through. */
const pieces = (seed: number): ReadonlyArray<Uint8Array> => {
  const random = Random.make(seed)
  return Array.from({ length: 60 }, () => {
    const length = random.below(10) === 0 ? random.below(400_000) : random.below(60_000)
    return new Uint8Array(length).fill(random.below(256))
  })
}

describe("ExportBuffer", () => {
  for (const isDone of [false, true]) {
    it.effect(`gives all bytes in order to a target that ${isDone ? "has done with them at once" : "keeps them"}`, () =>
      Effect.gen(function* () {
        for (let seed = 1; seed <= 20; seed++) {
          const given = pieces(seed)
          const taken: Array<Uint8Array> = []
          const write = (bytes: Uint8Array) =>
            Effect.map(Effect.yieldNow, () => void taken.push(isDone ? bytes.slice() : bytes))
          const { flush, put, size } = ExportBuffer.make({ write, isDone })
          for (const piece of given) yield* put(piece)
          yield* flush
          assert.deepStrictEqual(Buffer.compare(Buffer.concat(taken), Buffer.concat(given)), 0)
          assert.strictEqual(size(), Buffer.concat(given).length)
        }
      }),
    )
  }

  it.effect("gathers in the same memory again for a target that has done with it", () =>
    Effect.gen(function* () {
      const memories = new Set<ArrayBufferLike>()
      const write = ({ buffer }: Uint8Array) => Effect.sync(() => void memories.add(buffer))
      const { flush, put } = ExportBuffer.make({ write, isDone: true })
      for (let round = 0; round < 100; round++) yield* put(new Uint8Array(50_000))
      yield* flush
      assert.lengthOf([...memories], 1)
    }),
  )
})
