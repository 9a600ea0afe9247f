import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as LinkCounts from "../../../src/services/tree/LinkCounts.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as H from "../archive/helpers.ts"

const built = B.build({
  children: [
    B.file("alone", "1"),
    B.file("many", "2"),
    B.folder("folder", [B.file("twice", ""), B.linkTo("inner", "many")]),
    B.linkTo("outer", "folder/twice"),
    B.linkTo("third", "many"),
    B.linkTo("broken", "folder"),
  ],
})

const idOf = (path: string): number => 2 * built.at(path).start + 1

describe("link counts", () => {
  it.effect("are the numbers of names, of files with several", () =>
    Effect.gen(function* () {
      const { of: counts, unreadable } = yield* LinkCounts.collect(yield* H.open(built.bytes))
      assert.strictEqual(unreadable, 1)
      assert.strictEqual(counts(idOf("many")), 3)
      assert.strictEqual(counts(idOf("folder/twice")), 2)
      assert.isUndefined(counts(idOf("alone")))
      assert.isUndefined(counts(2 * built.at("folder").end))
    }),
  )

  it.effect("say how far they are, in the archive without its payload archive", () =>
    Effect.gen(function* () {
      const { at, bytes, payload } = B.build({
        version: 2,
        children: [B.file("large", "x".repeat(100_000)), B.file("last", "x")],
      })
      const seen: Array<LinkCounts.Progress> = []
      yield* LinkCounts.collect(yield* H.open(bytes, payload), { onProgress: (progress) => seen.push(progress) })
      assert.deepStrictEqual(seen, [{ entries: 3, position: at("last").start, size: bytes.length }])
    }),
  )
})
