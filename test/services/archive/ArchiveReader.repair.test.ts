/** A bad item of a goodbye table costs that item at most; a folder whose table is lost is read forward. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type * as ArchiveReader from "../../../src/services/archive/ArchiveReader.ts"
import type { Listed } from "../../../src/services/archive/ArchiveTree.ts"
import { anyInteger } from "../../domain/pxar/helpers.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import { find, open, type Reader, readText } from "./helpers.ts"

const list = (reader: Reader, directory: Reader["root"], from = 0) =>
  Effect.gen(function* () {
    const children: Array<Listed> = []
    yield* reader.list(directory, from, (child) => children.push(child) > 0)
    return children
  })

/** Names in the order of the archive; `!` before what cannot be read. */
const names = (children: ReadonlyArray<Listed>): ReadonlyArray<string> =>
  children.map(({ _tag, name }) => {
    const text = name === undefined ? "?" : Buffer.from(name).toString("latin1")
    return _tag === "Unreadable" ? `!${text}` : text
  })

const checks = (reader: ArchiveReader.ArchiveReader, path?: string) =>
  Effect.gen(function* () {
    const directory = path === undefined ? reader.root : (yield* find(reader, path)).node
    return (yield* reader.flaws(directory)).map(({ error, loses }) => (loses ? `lost ${error.check}` : error.check))
  })

const children = [
  B.file("a", "first"),
  B.folder("d", [B.file("in", "inside"), B.folder("e", [B.file("deep", "deepest")])]),
  B.raw("fifo", B.entry({ mode: 0o10644 })),
  B.file("m", "middle"),
  B.linkTo("n", "a"),
  B.file("z", "last"),
]
const all = ["a", "d", "fifo", "m", "n", "z"]

/** An archive with a byte of the item of a child of the root changed. */
const changed = (built: B.Built, name: string, field: "hash" | "offset" | "size", value: bigint) => {
  const at = built.at("").slot(name) + { hash: 0, offset: 8, size: 16 }[field]
  return B.poke(built.bytes, at, built.bytes.readBigUInt64LE(at) ^ value)
}

for (const version of [1, 2] as const) {
  const built = B.build({ version, children })
  const openChanged = (bytes: Uint8Array) => open(bytes, version === 2 ? built.payload : undefined)

  describe(`an item of an archive of version ${version}`, () => {
    for (const name of all) {
      it.effect.each([0n, 17n, 40n, 63n])(`with bit %i of the hash of ${name} wrong costs nothing`, (bit) =>
        Effect.gen(function* () {
          const bytes = changed(built, name, "hash", 1n << bit)
          const looked = yield* openChanged(bytes)
          for (const other of all) assert.strictEqual(Buffer.from((yield* find(looked, other)).name).toString(), other)
          const reader = yield* openChanged(bytes)
          assert.deepStrictEqual(names(yield* list(reader, reader.root)), all)
          assert.include(yield* checks(reader), "D8")
        }),
      )

      it.effect.each([0n, 4n, 9n, 30n, 62n])(`with bit %i of the offset of ${name} wrong costs nothing`, (bit) =>
        Effect.gen(function* () {
          const reader = yield* openChanged(changed(built, name, "offset", 1n << bit))
          assert.deepStrictEqual(names(yield* list(reader, reader.root)), all)
          assert.strictEqual(yield* readText(reader, "z"), "last")
          assert.strictEqual(yield* readText(reader, "d/e/deep"), "deepest")
          assert.isNotEmpty(yield* checks(reader))
        }),
      )

      it.effect.each([0n, 4n, 9n, 30n, 62n])(`with bit %i of the size of ${name} wrong costs nothing`, (bit) =>
        Effect.gen(function* () {
          const reader = yield* openChanged(changed(built, name, "size", 1n << bit))
          assert.deepStrictEqual(names(yield* list(reader, reader.root)), all)
          assert.strictEqual(yield* readText(reader, "a"), "first")
          assert.strictEqual(yield* readText(reader, "d/e/deep"), "deepest")
          assert.include(yield* checks(reader), name === "d" ? "D6" : "D7")
        }),
      )
    }

    it.effect("that leads to a child of a sibling does not show that child twice", () =>
      Effect.gen(function* () {
        const { goodbye, slot } = built.at("")
        const bytes = B.poke(built.bytes, slot("m") + 8, goodbye - built.at("d/e").nameStart)
        const reader = yield* openChanged(bytes)
        assert.deepStrictEqual(names(yield* list(reader, reader.root)), all)
        assert.strictEqual(yield* readText(reader, "d/e/deep"), "deepest")
      }),
    )

    it.effect("is nobody's business when two have changed places", () =>
      Effect.gen(function* () {
        const { slot } = built.at("")
        const [one, other] = [slot("a"), slot("z")]
        const swapped = B.splice(
          B.splice(built.bytes, one, built.bytes.subarray(other, other + 24)),
          other,
          built.bytes.subarray(one, one + 24),
        )
        const reader = yield* openChanged(swapped)
        for (const name of all) yield* find(reader, name)
        assert.isUndefined(yield* reader.lookup(reader.root, Buffer.from("not there")))
        assert.deepStrictEqual(names(yield* list(reader, reader.root)), all)
        assert.include(yield* checks(reader), "D8")
      }),
    )
  })

  describe(`a folder of version ${version} whose table is lost`, () => {
    const damages: Readonly<Record<string, readonly [at: number, value: number | bigint]>> = {
      "its tail is no tail (D1)": [built.at("d").end - 24, 0x1234],
      "its tail leads to another folder (D3)": [built.at("d").end - 16, 5],
      "its tail has another size (D1)": [built.at("d").end - 8, 2n ** 60n],
      "its tail has half an item (D2)": [built.at("d").end - 8, 53],
      "its header has another size (D2)": [built.at("d").goodbye + 8, 40],
      "its header is of another type (H4)": [built.at("d").goodbye, 0x1234],
    }
    for (const [name, [at, value]] of Object.entries(damages)) {
      it.effect(`shows its children: ${name}`, () =>
        Effect.gen(function* () {
          const reader = yield* openChanged(B.poke(built.bytes, at, value))
          assert.deepStrictEqual(names(yield* list(reader, reader.root)), all)
          const folder = (yield* find(reader, "d")).node
          assert.deepStrictEqual(names(yield* list(reader, folder)), ["in", "e"])
          assert.strictEqual(yield* readText(reader, "d/in"), "inside")
          assert.strictEqual(yield* readText(reader, "d/e/deep"), "deepest")
          assert.isNotEmpty(yield* checks(reader, "d"))
        }),
      )
    }
  })
}

describe("an item for a file that was never written", () => {
  /** As a third-party client writes it: of no length, at the place of what comes next. */
  const withLocked = (before: string, locked: string) => {
    const built = B.build({ children: [B.file("a", "one"), B.file("locked", ""), B.file("z", "two")] })
    const { goodbye, slot } = built.at("")
    const to = before === "" ? goodbye : built.at(before).nameStart
    const bytes = B.poke(B.poke(built.bytes, slot(locked) + 8, goodbye - to), slot(locked) + 16, 0)
    return { built, bytes }
  }

  it.effect.each(["z", "a", ""])("and stands at %s costs that file", (before) =>
    Effect.gen(function* () {
      // What it is a copy of is there: then nothing is lost. So the child itself is broken, too.
      const { built, bytes } = withLocked(before, "locked")
      const reader = yield* open(B.poke(bytes, built.at("locked").nameStart, B.Type.SYMLINK))
      assert.deepStrictEqual(names(yield* list(reader, reader.root)), ["a", "z", "!?"])
      assert.strictEqual(yield* readText(reader, "a"), "one")
      assert.strictEqual(yield* readText(reader, "z"), "two")
      assert.isAbove((yield* checks(reader)).filter((check) => check.startsWith("lost")).length, 0)
      const lost = yield* Effect.flip(reader.lookup(reader.root, Buffer.from("locked")))
      assert.strictEqual(lost.kind, "Malformed")
      assert.isUndefined(yield* reader.lookup(reader.root, Buffer.from("another")))
    }),
  )
})

describe("a file that grew while it was stored", () => {
  it.effect("is shown as long as its header says, and its siblings are whole", () =>
    Effect.gen(function* () {
      const grown = B.raw("grown", B.entry({ mode: 0o100644 }), B.payload("said"), Buffer.from("and more than that"))
      const reader = yield* open(B.build({ children: [B.file("a", "one"), grown, B.file("z", "two")] }).bytes)
      assert.deepStrictEqual(names(yield* list(reader, reader.root)), ["a", "grown", "z"])
      assert.strictEqual(yield* readText(reader, "grown"), "said")
      assert.strictEqual(yield* readText(reader, "z"), "two")
      assert.include(yield* checks(reader), "D7")
    }),
  )
})

describe("a first child whose header is bad", () => {
  it.effect.each([
    ["a flipped bit", (bytes: Buffer, at: number) => bytes.writeUInt8(bytes.readUInt8(at) ^ 4, at)],
    ["zeros", (bytes: Buffer, at: number) => bytes.fill(0, at, at + 20)],
  ] as const)("costs neither its folder nor its siblings: %s", ([, damage]) =>
    Effect.gen(function* () {
      const built = B.build({ children: [B.folder("d", [B.file("x", "1"), B.file("y", "2")]), B.file("z", "3")] })
      const bytes = Buffer.from(built.bytes)
      damage(bytes, built.at("d/x").nameStart)
      const reader = yield* open(bytes)
      const folder = yield* find(reader, "d")
      assert.deepStrictEqual(names(yield* list(reader, folder.node)), ["!?", "y"])
      assert.strictEqual(yield* readText(reader, "d/y"), "2")
      assert.strictEqual(yield* readText(reader, "z"), "3")
    }),
  )
})

describe("bytes that no item leads to", () => {
  it.effect("are not shown, even where they are a child", () =>
    Effect.gen(function* () {
      const hidden = Buffer.concat([B.filename("hidden"), B.entry({ mode: 0o100644 }), B.payload("x")])
      const a = B.raw("a", B.entry({ mode: 0o100644 }), B.payload("one"), hidden)
      const { bytes } = B.build({ children: [a, B.file("z", "two")] })
      const reader = yield* open(bytes)
      assert.deepStrictEqual(names(yield* list(reader, reader.root)), ["a", "z"])
    }),
  )
})

describe("a listing", () => {
  const many = B.build({
    version: 2,
    children: Array.from({ length: 300 }, (_, index) => B.file(`f${index}`, `${index}`)),
  })

  it.effect.prop(
    "that meets a bad item on its way goes on, and shows each child once",
    [anyInteger(0, 299), anyInteger(0, 40)],
    ([index, bit]) =>
      Effect.gen(function* () {
        const at = many.at("").slot(`f${index}`) + 8
        const bytes = B.poke(many.bytes, at, many.bytes.readBigUInt64LE(at) ^ (1n << BigInt(bit)))
        const reader = yield* open(bytes, many.payload)
        const seen: Array<string> = []
        let next = 0
        for (let more = true; more;) {
          more = false
          let room = 7
          yield* reader.list(reader.root, next, (child, after) => {
            if (room-- === 0) return !(more = true)
            seen.push(...names([child]))
            next = after
            return true
          })
        }
        assert.deepStrictEqual(seen.toSorted(), Array.from({ length: 300 }, (_, i) => `f${i}`).toSorted())
      }),
    { arbitrary: { runs: 60 } },
  )
})
