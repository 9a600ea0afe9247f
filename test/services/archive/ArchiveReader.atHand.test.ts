/** What is told in the turn in which it is asked for, and what is not. */
import * as fs from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import type * as ArchiveReader from "../../../src/services/archive/ArchiveReader.ts"
import type { Listed } from "../../../src/services/archive/ArchiveTree.ts"
import * as AtOnce from "../../../src/services/AtOnce.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Golden from "../../support/Golden.ts"
import { children, listed, open, openWaiting } from "./helpers.ts"

/** What an effect that has ended gives. */
const atHand = <A, E>(effect: Effect.Effect<A, E>): A =>
  AtOnce.hasEnded(effect) && Exit.isSuccess(effect) ? effect.value : assert.fail("is not at hand")

const openGolden = (golden: Golden.Golden) =>
  open(fs.readFileSync(golden.archive), golden.payload === undefined ? undefined : fs.readFileSync(golden.payload))

/** Every folder of an archive. */
const folders = (reader: ArchiveReader.ArchiveReader) =>
  Effect.gen(function* () {
    const all = [reader.root]
    for (const folder of all) {
      for (const { node } of yield* children(reader, folder)) if (node.id > 0) all.push(node)
    }
    return all
  })

describe("a golden archive that is at hand", () => {
  for (const golden of [Golden.treeV1, Golden.treeV2, Golden.synthV1]) {
    it.effect(`${golden.name} tells at once what it tells when it has to wait`, () =>
      Effect.gen(function* () {
        const reader = yield* openGolden(golden)
        const waiting = yield* openWaiting(
          fs.readFileSync(golden.archive),
          golden.payload === undefined ? undefined : fs.readFileSync(golden.payload),
        )
        let compared = 1
        for (const folder of yield* folders(reader)) {
          const found = yield* children(waiting, folder)
          const atOnce: Array<Listed> = []
          atHand(reader.list(folder, 0, (child) => atOnce.push(child) > 0))
          assert.deepStrictEqual<unknown>(atOnce, found)
          assert.strictEqual(atHand(reader.count(folder)), yield* waiting.count(folder))
          for (const child of found) {
            assert.deepStrictEqual(atHand(reader.lookup(folder, child.name)), child)
            assert.deepStrictEqual(atHand(reader.entry(child.node)), child.entry)
            const { body } = child.entry
            if (body._tag !== "File" || body.content.length === 0) continue
            const [one, other] = [new Uint8Array(body.content.length), new Uint8Array(body.content.length)]
            atHand(reader.content(child.node, 0, one))
            yield* waiting.content(child.node, 0, other)
            assert.deepStrictEqual(one, other)
          }
          assert.isUndefined(atHand(reader.lookup(folder, Buffer.from("not there"))))
          compared += found.length
        }
        assert.strictEqual(compared, golden.view().length)
      }),
    )
  }
})

describe("a listing", () => {
  const names = Array.from({ length: 300 }, (_, index) => `file ${index * 7}`)
  const { bytes } = B.build({ children: names.map((name) => B.file(name, name)) })

  it.effect("goes on where it stopped, the same whether its bytes are at hand or not", () =>
    Effect.gen(function* () {
      const seen: Array<ReadonlyArray<string>> = []
      for (const reader of [yield* open(bytes), yield* openWaiting(bytes)]) {
        const found: Array<string> = []
        for (let from = 0; from < names.length;) {
          let room = 7
          yield* reader.list(reader.root, from, (child, next) => {
            found.push(`${Buffer.from(child.name!)} ${next}`)
            from = next
            return --room > 0
          })
        }
        seen.push(found)
      }
      assert.deepStrictEqual(seen[0], seen[1])
      assert.deepStrictEqual(
        seen[0],
        names.map((name, index) => `${name} ${index + 1}`),
      )
    }),
  )

  it.effect("begins anywhere, and ends where there is no more", () =>
    Effect.gen(function* () {
      const reader = yield* open(bytes)
      for (const from of [0, 1, 299, 300, 301, 1e15]) {
        const found: Array<Listed> = []
        yield* reader.list(reader.root, from, (child) => found.push(child) > 0)
        assert.lengthOf(found, Math.max(0, 300 - from))
      }
    }),
  )

  it.effect.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])("cannot begin at %d", (from) =>
    Effect.gen(function* () {
      const reader = yield* open(bytes)
      const error = yield* Effect.flip(reader.list(reader.root, from, () => true))
      assert.strictEqual(error.check, "range")
    }),
  )

  it.effect("of a large folder lets others have a turn", () =>
    Effect.gen(function* () {
      const reader = yield* open(
        B.build({ children: Array.from({ length: 3000 }, (_, index) => B.file(String(index))) }).bytes,
      )
      let turns = 0
      const other = yield* Effect.forkChild(
        Effect.forever(
          Effect.andThen(
            Effect.yieldNow,
            Effect.sync(() => turns++),
          ),
        ),
      )
      assert.lengthOf(yield* listed(reader, reader.root), 3000)
      other.interruptUnsafe()
      assert.isAbove(turns, 0)
    }),
  )
})

describe("a read of a file", () => {
  const built = B.build({ children: [B.file("a", "0123456789"), B.folder("d", [])] })

  it.effect.each([
    [-1, 1],
    [0.5, 1],
    [Number.NaN, 1],
    [Number.NEGATIVE_INFINITY, 1],
    [Number.POSITIVE_INFINITY, 1],
    [2 ** 53, 1],
    [0, 11],
    [10, 1],
  ] as const)("from %d on, of %d bytes, is refused: they are another file's", ([offset, length]) =>
    Effect.gen(function* () {
      const reader = yield* open(built.bytes)
      const found = yield* reader.lookup(reader.root, Buffer.from("a"))
      const target = new Uint8Array(length)
      const error = yield* Effect.flip(reader.content(found!.node, offset, target))
      assert.deepInclude(error, { _tag: "ArchiveError", check: "range" })
      assert.deepStrictEqual(target, new Uint8Array(length))
    }),
  )

  it.effect("is refused of what is no file", () =>
    Effect.gen(function* () {
      const reader = yield* open(built.bytes)
      const found = yield* reader.lookup(reader.root, Buffer.from("d"))
      assert.strictEqual((yield* Effect.flip(reader.content(found!.node, 0, new Uint8Array(1)))).check, "range")
    }),
  )
})
