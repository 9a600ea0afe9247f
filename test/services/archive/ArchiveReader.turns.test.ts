/**
 * Whoever waits for one entry or folder, however large, leaves others their turns: counted in numbers that are read from
 * the archive between two turns of a neighbour, which are as many on any machine.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Result } from "effect"
import { vi } from "vitest"
import * as EntryView from "../../../src/domain/pxar/EntryView.ts"
import * as XattrList from "../../../src/domain/pxar/XattrList.ts"
import * as StreamReader from "../../../src/services/archive/StreamReader.ts"
import * as PresentedTree from "../../../src/services/tree/PresentedTree.ts"
import * as Xattrs from "../../../src/fuse/bridge/Xattrs.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import { absent, find, listed, open } from "./helpers.ts"

/** Runs an effect beside a neighbour who wants nothing but turns; the most numbers that were read between two of them. */
const longestPiece = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<readonly [number, A], E> =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const original = Object.getOwnPropertyDescriptor(DataView.prototype, "getUint32")!.value as DataView["getUint32"]
      const counted = { reads: 0, most: 0 }
      const spy = vi.spyOn(DataView.prototype, "getUint32").mockImplementation(function (this: DataView, ...args) {
        counted.reads++
        return original.apply(this, args)
      })
      return { counted, spy }
    }),
    ({ counted }) =>
      Effect.gen(function* () {
        const turn = Effect.sync(() => {
          counted.most = Math.max(counted.most, counted.reads)
          counted.reads = 0
        })
        const neighbour = yield* Effect.forkChild(Effect.forever(Effect.andThen(turn, Effect.yieldNow)))
        const result = yield* effect
        yield* Fiber.interrupt(neighbour)
        yield* turn
        return [counted.most, result] as const
      }),
    ({ spy }) => Effect.sync(() => spy.mockRestore()),
  )

const COUNT = 65_000
const xattrs = Array.from({ length: COUNT }, (_, i) => B.xattr(`user.${i}`, ""))
const many = B.build({
  children: [B.raw("many", B.entry({ mode: 0o100644 }), ...xattrs, B.payload("content")), B.file("next", "beside")],
})

/** Numbers of one attribute, its type read twice; the neighbour may be passed over for a few pieces. */
const READS = 4 * 6

describe("an entry with 65,000 attributes", () => {
  it.effect("is found in pieces, and complete", () =>
    Effect.gen(function* () {
      const reader = yield* open(many.bytes)
      const [most, found] = yield* longestPiece(find(reader, "many"))
      assert.lengthOf(found.entry.attributes.xattrs, COUNT)
      assert.deepStrictEqual(found.entry.attributes.xattrs[COUNT - 1]?.name, new Uint8Array(Buffer.from("user.64999")))
      assert.isAtMost(most, 1024 * READS)
    }),
  )

  it.effect("is listed in pieces, of a stream and of an archive without an end too", () =>
    Effect.gen(function* () {
      const cut = yield* longestPiece(open(many.bytes.subarray(0, many.bytes.length - 8)))
      assert.isAtMost(cut[0], 1024 * READS)
      const whole = yield* open(many.bytes)
      const [most, children] = yield* longestPiece(listed(whole, whole.root))
      assert.isAtMost(most, 1024 * READS)
      assert.lengthOf(children, 2)
      let position = 0
      const stream = yield* StreamReader.make(
        {
          name: "stream",
          read: (target) =>
            Effect.sync(() => {
              const part = many.bytes.subarray(position, position + target.length)
              target.set(part)
              position += part.length
              return part.length
            }),
        },
        absent,
      )
      const [streamed, seen] = yield* longestPiece(listed(stream, stream.root))
      assert.isAtMost(streamed, 1024 * READS)
      assert.lengthOf(seen, 2)
    }),
  )

  it.effect("has its list made once, in pieces, also where it is shown differently", () =>
    Effect.gen(function* () {
      const reader = yield* open(many.bytes)
      const shown = PresentedTree.make(reader, EntryView.make({ uid: 7 })!)
      const { node } = yield* find(reader, "many")
      const first = yield* shown.entry(node)
      assert.strictEqual(first.uid, 7)
      assert.strictEqual(yield* shown.entry(node), first)
      const pieces = [...XattrList.make(first)]
      assert.isAtLeast(pieces.length, Math.floor(COUNT / 1024))
      const list = yield* Xattrs.list(first)
      assert.lengthOf(list.xattrs, COUNT)
      assert.isFalse(XattrList.takesLong(first))
      assert.strictEqual(yield* Xattrs.list(first), list)
    }),
  )
})

const FOLDER = 20_000
const large = B.build({ children: Array.from({ length: FOLDER }, (_, i) => B.file(`name ${i}`, "")) })

/** Numbers of one item of a table, for a few pieces again. */
const READS_ITEM = 9

describe("a folder of 20,000", () => {
  it.effect("is looked into in pieces", () =>
    Effect.gen(function* () {
      const reader = yield* open(large.bytes)
      const [most, found] = yield* longestPiece(find(reader, "name 19999"))
      assert.strictEqual(found.nameStart, large.at("name 19999").nameStart)
      assert.isAtMost(most, 8192 * READS_ITEM)
    }),
  )

  it.effect("is listed in pieces, in the order of the archive", () =>
    Effect.gen(function* () {
      const reader = yield* open(large.bytes)
      const [most, children] = yield* longestPiece(listed(reader, reader.root))
      assert.deepStrictEqual(
        children.map((child) => child._tag === "Found" && Buffer.from(child.name).toString()),
        Array.from({ length: FOLDER }, (_, i) => `name ${i}`),
      )
      assert.isAtMost(most, 8192 * READS_ITEM)
    }),
  )

  it.effect("is made anew in pieces where its table is out of order", () =>
    Effect.gen(function* () {
      const bytes = Buffer.from(large.bytes)
      bytes.writeBigUInt64LE(0xffff_ffff_ffff_fff0n, large.at("").goodbye + 16)
      const reader = yield* open(bytes)
      const [most, found] = yield* longestPiece(Effect.result(find(reader, "name 19999")))
      assert.isTrue(Result.isSuccess(found))
      assert.isAtMost(most, 8192 * READS_ITEM)
    }),
  )
})
