/** Names of one hash, and one name twice in a folder (§3.6, D9). */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as B from "../../support/ArchiveBuilder.ts"
import * as ArchiveReader from "../../../src/services/archive/ArchiveReader.ts"
import { absent, children, contentOf, listed, open, readText, recorded } from "./helpers.ts"

describe("names of one hash", () => {
  const [one, other] = B.collidingNames[0]

  it.effect("are found each for itself, in either order in the archive", () =>
    Effect.gen(function* () {
      for (const [first, second] of [
        [one, other],
        [other, one],
      ] as const) {
        const reader = yield* open(B.build({ children: [B.file(first, first), B.file(second, second)] }).bytes)
        assert.strictEqual(yield* readText(reader, one), one)
        assert.strictEqual(yield* readText(reader, other), other)
      }
    }),
  )

  it.effect("are found among many others and among three pairs", () =>
    Effect.gen(function* () {
      const names = [...B.collidingNames.flat(), ...Array.from({ length: 100 }, (_, index) => `file ${index}`)]
      const reader = yield* open(B.build({ children: names.toSorted().map((name) => B.file(name, name)) }).bytes)
      for (const name of names) assert.strictEqual(yield* readText(reader, name), name)
    }),
  )

  it.effect("are found although a sibling of their hash has no readable name", () =>
    Effect.gen(function* () {
      for (const [broken, whole] of [
        [one, other],
        [other, one],
      ] as const) {
        const damaged = { ...B.file(broken, ""), filename: B.item(B.Type.FILENAME, Buffer.from("no nul")) }
        const reader = yield* open(B.build({ children: [B.file("good"), damaged, B.file(whole, "whole")] }).bytes)
        assert.strictEqual(yield* readText(reader, whole), "whole")
      }
    }),
  )
})

describe("one name twice in a folder (D9)", () => {
  const [one, other] = B.collidingNames[0]
  const file = (name: string, content: string): B.Node => B.file(name, content, { key: content })

  /** Contents of the visible children, and what is found under each name. */
  const visible = (nodes: ReadonlyArray<B.Node>, names: ReadonlyArray<string>) =>
    Effect.gen(function* () {
      const reader = yield* open(B.build({ children: nodes }).bytes)
      const listed = yield* children(reader, reader.root)
      const contents = yield* Effect.forEach(listed, (found) => Effect.map(contentOf(reader, found), String))
      return { listed: contents, found: yield* Effect.forEach(names, (name) => readText(reader, name)) }
    })

  it.effect("shows the one that §3.6 meets first, under its name and in the listing", () =>
    Effect.gen(function* () {
      // n = 2 has the rank order 1 0: of equal hashes the builder's second stands in slot 0.
      assert.deepStrictEqual(yield* visible([file("a", "first"), file("a", "second")], ["a"]), {
        listed: ["second"],
        found: ["second"],
      })
    }),
  )

  it.effect("still counts both slots", () =>
    Effect.gen(function* () {
      const reader = yield* open(B.build({ children: [file("a", "first"), file("a", "second")] }).bytes)
      assert.strictEqual(yield* reader.count(reader.root), 2)
    }),
  )

  it.effect("hides all but one of five, and nothing else", () =>
    Effect.gen(function* () {
      const five = Array.from({ length: 5 }, (_, index) => file("a", String(index)))
      const seen = yield* visible([...five, file("b", "b"), file("c", "c")], ["a", "b", "c"])
      assert.lengthOf(seen.listed, 3)
      assert.includeMembers(seen.listed, seen.found)
    }),
  )

  it.effect("keeps apart two names of one hash that are there twice each", () =>
    Effect.gen(function* () {
      const nodes = [file(one, "1a"), file(other, "2a"), file(one, "1b"), file(other, "2b")]
      const seen = yield* visible(nodes, [one, other])
      assert.lengthOf(seen.listed, 2)
      assert.sameMembers([...seen.listed], [...seen.found])
      assert.match(seen.found[0]!, /^1/)
      assert.match(seen.found[1]!, /^2/)
    }),
  )
})

describe("many children with one hash", () => {
  const [one, other] = B.collidingNames[0]

  it.effect("cost a number of reads of names that grows with them, not with their square", () =>
    Effect.gen(function* () {
      const costs: Array<number> = []
      for (const count of [100, 400]) {
        const children = Array.from({ length: count }, (_, index) =>
          B.file(index < count / 2 ? one : other, "", { key: String(index) }),
        )
        const source = recorded(B.build({ children }).bytes)
        const reader = yield* ArchiveReader.make(source, absent, {
          blocks: { blockSize: 64, capacity: 64 },
          entryCapacity: 0,
        })
        source.reads.length = 0
        const seen = yield* listed(reader, reader.root)
        assert.lengthOf(seen, count)
        assert.lengthOf(
          seen.filter(({ _tag }) => _tag === "Found"),
          2,
        )
        costs.push(source.reads.length)
        source.reads.length = 0
        assert.isDefined(yield* reader.lookup(reader.root, Buffer.from(one)))
        assert.isBelow(source.reads.length, 20)
      }
      assert.isBelow(costs[1]!, 6 * costs[0]!)
    }),
  )
})
