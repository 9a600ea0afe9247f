/**
 * What holds for every store of blobs, wherever its blobs are. A store under test holds `CONTENT`.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import type { BlobError, BlobStore } from "../../src/services/blobs/BlobStore.ts"

/** Bytes by their names. There is a folder of more names than S3 has on a page. */
export const CONTENT: Readonly<Record<string, Uint8Array>> = {
  ".chunks/0000/a": Uint8Array.of(1, 2, 3),
  ".chunks/0000/b": new Uint8Array(),
  "host/elsa/2020-06-26T13:56:05Z/index.json.blob": Uint8Array.of(9),
  top: Uint8Array.of(7, 7),
}

/** Names that have to be escaped on the way. */
export const ODD: Readonly<Record<string, Uint8Array>> = Object.fromEntries(
  ["a b", "a+b", "a%20b", "a&b=c;d", "ä€𝄞", "it's (a) *star*!", "x:y@z,$~", "#hash?query", '"<&>"'].map(
    (name, index) => [`odd/${name}/${name}`, Uint8Array.of(index)],
  ),
)

/** Tests a store that holds `CONTENT`, and `ODD` where `odd`. */
export const suite = (
  name: string,
  open: Effect.Effect<BlobStore, never, Scope.Scope>,
  { odd = false }: { readonly odd?: boolean } = {},
): void => {
  describe(name, () => {
    it.live("gives a blob's bytes", () =>
      Effect.gen(function* () {
        const store = yield* open
        for (const [name, bytes] of Object.entries(CONTENT)) {
          assert.deepStrictEqual([...(yield* store.read(name, 100))], [...bytes])
        }
      }),
    )

    it.live("gives bytes that the reader may change", () =>
      Effect.gen(function* () {
        const store = yield* open
        ;(yield* store.read("top", 100)).fill(0)
        assert.deepStrictEqual([...(yield* store.read("top", 100))], [7, 7])
      }),
    )

    it.live("gives no more than is allowed", () =>
      Effect.gen(function* () {
        const store = yield* open
        assert.strictEqual((yield* store.read(".chunks/0000/a", 3)).length, 3)
        assert.strictEqual((yield* Effect.flip(store.read(".chunks/0000/a", 2))).reason, "TooLarge")
      }),
    )

    it.live("lists a folder without its subfolders", () =>
      Effect.gen(function* () {
        const store = yield* open
        const top = (yield* store.list("")).filter((item) => item.name !== "odd")
        assert.sameDeepMembers(
          [...top],
          [
            { name: ".chunks", kind: "folder" },
            { name: "host", kind: "folder" },
            { name: "top", kind: "blob" },
          ],
        )
        assert.sameDeepMembers(
          [...(yield* store.list(".chunks/0000"))],
          [
            { name: "a", kind: "blob" },
            { name: "b", kind: "blob" },
          ],
        )
      }),
    )

    it.live("says what is not there", () =>
      Effect.gen(function* () {
        const store = yield* open
        for (const attempt of [store.read("nothing", 100), store.read("top/below", 100), store.list("nothing")]) {
          const error = yield* Effect.flip(Effect.asVoid(attempt as Effect.Effect<unknown, BlobError>))
          assert.deepStrictEqual([error.reason, error.isTransient], ["NotFound", false])
          assert.include(error.message, store.name)
        }
      }),
    )

    it.live("gives nothing that is outside", () =>
      Effect.gen(function* () {
        const store = yield* open
        for (const name of ["../x", "host/../../x", "a//b", "."]) {
          assert.include(["Denied", "NotFound"], (yield* Effect.flip(store.read(name, 100))).reason, name)
        }
      }),
    )

    it.live.runIf(odd)("takes names of any characters", () =>
      Effect.gen(function* () {
        const store = yield* open
        for (const [name, bytes] of Object.entries(ODD)) {
          assert.deepStrictEqual([...(yield* store.read(name, 100))], [...bytes], name)
          const folder = name.slice(0, name.lastIndexOf("/"))
          assert.deepStrictEqual(yield* store.list(folder), [{ name: name.slice(folder.length + 1), kind: "blob" }])
        }
        const names = [...new Set(Object.keys(ODD).map((name) => name.split("/")[1]))]
        assert.sameMembers(
          (yield* store.list("odd")).map((item) => item.name),
          names as Array<string>,
        )
      }),
    )
  })
}
