import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { ByteSource, fromBytes, layerMemory, SourceError } from "../../../src/services/bytes/ByteSource.ts"

const bytes = Uint8Array.of(10, 11, 12, 13, 14)

const read = (offset: number, length: number) => {
  const target = new Uint8Array(length)
  return Effect.as(fromBytes(bytes, "five").read(target, offset), target)
}

describe("a source over bytes in memory", () => {
  it("has their size, and the name it was given", () => {
    assert.strictEqual(fromBytes(bytes, "five").size, 5)
    assert.strictEqual(fromBytes(bytes, "five").name, "five")
  })

  it.effect.each([
    [0, 5, [10, 11, 12, 13, 14]],
    [1, 3, [11, 12, 13]],
    [4, 1, [14]],
    [5, 0, []],
  ] as const)("from %i on gives %i bytes", ([offset, length, expected]) =>
    Effect.map(read(offset, length), (target) => {
      assert.deepStrictEqual([...target], [...expected])
    }),
  )

  it.effect.each([
    [0, 6],
    [5, 1],
    [100, 1],
  ] as const)("from %i on does not give %i bytes: it fails and is never short (H6)", ([offset, length]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(read(offset, length))
      assert.strictEqual(error._tag, "SourceError")
      assert.deepStrictEqual([error.source, error.offset], ["five", offset])
    }),
  )

  it.effect("fills the part of a buffer that it is given, and nothing around it", () =>
    Effect.gen(function* () {
      const whole = new Uint8Array(6)
      yield* fromBytes(bytes).read(whole.subarray(2, 4), 1)
      assert.deepStrictEqual([...whole], [0, 0, 11, 12, 0, 0])
    }),
  )

  it.effect("is served by its layer", () =>
    Effect.gen(function* () {
      const source = yield* ByteSource
      assert.deepStrictEqual([source.name, source.size], ["five", 5])
    }).pipe(Effect.provide(layerMemory(bytes, "five"))),
  )
})

describe("SourceError", () => {
  it("says which source failed, where and why", () => {
    const error = new SourceError({ source: "/backup/x.pxar", offset: 4096, detail: "input/output error" })
    assert.strictEqual(error.message, "/backup/x.pxar: input/output error (reading at byte 4096)")
  })
})
