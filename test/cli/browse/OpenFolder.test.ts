import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as OpenFolder from "../../../src/cli/browse/OpenFolder.ts"
import * as Archive from "../../../src/services/tree/Archive.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Tree from "../../support/Tree.ts"

/** A folder of five entries, the cursor at the one with number `cursor`. */
const folderAt = Effect.fnUntraced(function* (cursor: number) {
  const archive = Archive.fromReader(yield* Tree.openBytes(B.build({}).bytes))
  const folder = OpenFolder.make(yield* archive.root)
  return OpenFolder.moveTo(OpenFolder.withContents(folder, { _tag: "Known", slots: new Uint32Array(5) }), cursor)
})

describe("a search whose names are not all known yet", () => {
  it.effect("finds more as they come, and the cursor goes on to where it was", () =>
    Effect.gen(function* () {
      const searched = OpenFolder.search(yield* folderAt(3), "A")
      assert.strictEqual(OpenFolder.count(searched), 0)
      const some = OpenFolder.withNames(searched, 0, ["a", "b", "ca"])
      assert.deepStrictEqual([some.search?.matches, OpenFolder.numberAt(some, some.cursor)], [[0, 2], 2])
      const all = OpenFolder.withNames(some, 3, ["d", "ea"])
      assert.deepStrictEqual([all.search?.matches, OpenFolder.numberAt(all, all.cursor)], [[0, 2, 4], 4])
    }),
  )

  it.effect("leaves the cursor where it was moved to meanwhile", () =>
    Effect.gen(function* () {
      const searched = OpenFolder.withNames(OpenFolder.search(yield* folderAt(3), "a"), 0, ["a", "b", "ca"])
      const moved = OpenFolder.withNames(OpenFolder.moveTo(searched, 0), 3, ["d", "ea"])
      assert.strictEqual(OpenFolder.numberAt(moved, moved.cursor), 0)
    }),
  )

  it.effect("takes no names twice", () =>
    Effect.gen(function* () {
      const searched = OpenFolder.withNames(OpenFolder.search(yield* folderAt(0), "a"), 0, ["a"])
      assert.strictEqual(OpenFolder.withNames(searched, 0, ["a"]), searched)
    }),
  )

  it.effect("that finds nothing ends where it began", () =>
    Effect.gen(function* () {
      const searched = OpenFolder.withNames(OpenFolder.search(yield* folderAt(3), "x"), 0, ["a", "b", "c", "d", "e"])
      assert.strictEqual(OpenFolder.endSearch(searched).cursor, 3)
    }),
  )
})

it.effect("the screen follows the cursor, and stays full at the end", () =>
  Effect.gen(function* () {
    const topAt = (folder: OpenFolder.OpenFolder, index: number) =>
      OpenFolder.scroll(OpenFolder.moveTo(folder, index), 3)
    let folder = yield* folderAt(0)
    const tops: Array<number> = []
    for (const index of [0, 2, 3, 4, 2, 1, 0]) {
      folder = topAt(folder, index)
      tops.push(folder.top)
    }
    assert.deepStrictEqual(tops, [0, 0, 1, 2, 2, 1, 0])
    assert.strictEqual(OpenFolder.scroll({ ...folder, top: 4 }, 5).top, 0)
  }),
)
