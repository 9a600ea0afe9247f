import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import type { ArchiveReader } from "../../../src/services/archive/ArchiveReader.ts"
import * as Place from "../../../src/services/tree/Place.ts"
import * as StraightWalk from "../../../src/services/tree/StraightWalk.ts"
import * as TreeWalk from "../../../src/services/tree/TreeWalk.ts"
import * as WalkStream from "../../../src/services/tree/WalkStream.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Golden from "../../support/Golden.ts"
import * as H from "../archive/helpers.ts"

const textOf = (item: TreeWalk.Item): string =>
  `${item.depth} ${Buffer.from(item.path).toString("hex")} ${
    item._tag === "Found"
      ? `${item.entry.mode} ${item.nameStart} ${item.node.id}`
      : `${item.isRest} ${item.error.check}`
  }`

/** What a walk with objects meets below the root. */
const met = Effect.fnUntraced(function* (reader: ArchiveReader, maxDepth = 100) {
  const items = yield* Stream.runCollect(
    WalkStream.walk(reader, yield* TreeWalk.root(reader), maxDepth, WalkStream.whole),
  )
  return items.slice(1).map(textOf)
})

/** What this walk meets there, and how much of it as numbers. Answers of `usual` come from `say`. */
const straight = Effect.fnUntraced(function* (
  reader: ArchiveReader,
  {
    maxDepth = 100,
    say = () => "more",
  }: { maxDepth?: number; say?: (count: number) => "more" | "item" | "pause" } = {},
) {
  const atHand = StraightWalk.atHandOf(reader) ?? assert.fail("nothing is at hand")
  const { scan } = atHand
  const lines: Array<string> = []
  let [usual, pauses] = [0, 0]
  yield* StraightWalk.walk(reader, atHand, yield* TreeWalk.root(reader), maxDepth, {
    usual: ({ depth, place }) => {
      const said = say(lines.length)
      if (said === "item") return said
      usual++
      const name = atHand.window().bytes.slice(scan.nameAt, scan.nameAt + scan.nameLength)
      const path = Buffer.from(Place.path({ parent: place, name })).toString("hex")
      const id = scan.isFolder ? atHand.bound() : -scan.start
      lines.push(`${depth + 1} ${path} ${scan.mode} ${atHand.nameStart()} ${id}`)
      return said
    },
    item: (item) => Effect.sync(() => void lines.push(textOf(item))),
    pause: Effect.sync(() => void pauses++),
  })
  return { lines, usual, pauses }
})

describe("a walk without objects", () => {
  for (const golden of Golden.all) {
    it.effect(`meets in ${golden.name} what a walk with objects meets`, () =>
      Effect.gen(function* () {
        const { bytes, payload } = Golden.load(golden)
        const reader = yield* H.open(bytes, payload)
        const { lines } = yield* straight(reader)
        assert.deepStrictEqual(lines, yield* met(reader))
      }),
    )
  }

  it.effect("makes nothing of usual entries", () =>
    Effect.gen(function* () {
      const children = Array.from({ length: 300 }, (_, index) => B.file(`file ${index}`, "x".repeat(index)))
      const reader = yield* H.open(B.build({ children: [B.folder("d", children), B.file("last")] }).bytes)
      const { lines, usual } = yield* straight(reader)
      assert.lengthOf(lines, 302)
      // The last one ends where the archive does, which is asked of the tree.
      assert.isAtLeast(usual, 300)
    }),
  )

  it.effect("gives what is wanted as an item so, and others a turn where that is said", () =>
    Effect.gen(function* () {
      const { bytes, payload } = Golden.load(Golden.treeV2)
      const reader = yield* H.open(bytes, payload)
      const { lines, pauses } = yield* straight(reader, {
        say: (count) => (count % 3 === 0 ? "item" : count % 3 === 1 ? "pause" : "more"),
      })
      assert.deepStrictEqual(lines, yield* met(reader))
      assert.isAbove(pauses, 1)
    }),
  )

  it.effect("reports folders that are too deep (D11)", () =>
    Effect.gen(function* () {
      const deep = B.folder("a", [B.folder("b", [B.folder("c", [B.file("deep")])]), B.file("beside")])
      const reader = yield* H.open(B.build({ children: [deep] }).bytes)
      const { lines } = yield* straight(reader, { maxDepth: 1 })
      assert.deepStrictEqual(lines, yield* met(reader, 1))
      assert.isTrue(lines.some((line) => line.endsWith("D11")))
    }),
  )

  it.effect("meets the same in an archive with any byte changed", () =>
    Effect.gen(function* () {
      const { bytes } = B.build({
        children: [
          B.raw("a", B.entry(), B.xattr("user.x", "1"), B.payload("one")),
          B.folder("d", [
            B.file("x"),
            B.folder("e", [B.file("deep")]),
            B.raw("y", B.entry({ mode: 0o120777 }), B.symlink("x")),
          ]),
          B.file("last"),
        ],
      })
      for (let at = 0; at < bytes.length; at++) {
        const damaged = Uint8Array.from(bytes)
        damaged[at] = (damaged[at] as number) ^ 0x41
        const one = yield* Effect.result(H.open(damaged))
        const other = yield* Effect.result(H.open(damaged))
        if (one._tag === "Failure" || other._tag === "Failure") continue
        assert.deepStrictEqual((yield* straight(one.success)).lines, yield* met(other.success), `byte ${at}`)
      }
    }),
  )
})
