/** The checks of §7 that only random access can make, and that a bad child leaves its siblings alone. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Limits from "../../../src/domain/pxar/Limits.ts"
import type { ArchiveError } from "../../../src/services/archive/ArchiveError.ts"
import { text } from "../../domain/pxar/helpers.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import { failing, find, failureOf, listed, open, readText } from "./helpers.ts"

/** A u64 of the archive, changed by `by`. */
const shift = (bytes: Buffer, position: number, by: number): Buffer =>
  B.poke(bytes, position, bytes.readBigUInt64LE(position) + BigInt(by))

const good = [B.file("before", "good"), B.file("after", "fine")] as const

/** An archive with `bad` between two good children, all of them in a folder and again in the root. */
const around = (bad: B.Node, version: 1 | 2 = 1): B.Built =>
  B.build({ version, children: [good[0], bad, good[1], B.folder("folder", [good[0], bad, good[1]])] })

interface Damage {
  readonly name: string
  readonly bad: B.Node
  readonly version?: 1 | 2
  /** Damages a child; the place of its folder is given too. */
  readonly damage?: (bytes: Buffer, child: B.Place, folder: B.Place) => Buffer
  readonly kind: ArchiveError["kind"]
  readonly check: string
}

const poke =
  (of: (child: B.Place, folder: B.Place) => number, value: number | bigint): Required<Damage>["damage"] =>
  (bytes, child, folder) =>
    B.poke(bytes, of(child, folder), value)

const FILE = B.file("bad", "content")

/** Damages that leave the name readable. */
const entryDamages: ReadonlyArray<Damage> = [
  { name: "an ENTRY of size 8", bad: FILE, damage: poke(({ start }) => start + 8, 8), kind: "Malformed", check: "H1" },
  {
    name: "an unknown item after its name",
    bad: FILE,
    damage: poke(({ start }) => start, 1),
    kind: "Unsupported",
    check: "H4",
  },
  { name: "no ENTRY after its name", bad: B.raw("bad", B.payload("x")), kind: "Malformed", check: "N4" },
  {
    name: "content that crosses its bound",
    bad: FILE,
    damage: poke(({ start }) => start + 64, 24),
    kind: "Malformed",
    check: "H2",
  },
  {
    name: "content of 2^63 bytes",
    bad: FILE,
    damage: poke(({ start }) => start + 64, 1n << 63n),
    kind: "Malformed",
    check: "H3",
  },
  {
    name: "a mode of 17 bits",
    bad: B.file("bad", "", { head: B.entry({ mode: 0o300644 }) }),
    kind: "Malformed",
    check: "E1",
  },
  {
    name: "a mode that does not fit",
    bad: B.file("bad", "", { head: B.entry({ mode: 0o120777 }) }),
    kind: "Malformed",
    check: "E1",
  },
  { name: "an unknown item", bad: B.raw("bad", B.entry(), B.item(99n)), kind: "Unsupported", check: "H4" },
  {
    name: "an attribute without its name",
    bad: B.raw("bad", B.entry(), B.xattr("", "v"), B.payload("")),
    kind: "Malformed",
    check: "E5",
  },
  {
    name: "a symlink target without NUL",
    bad: B.raw("bad", B.entry({ mode: 0o120777 }), B.item(B.Type.SYMLINK, Buffer.from("ab"))),
    kind: "Malformed",
    check: "E4",
  },
  {
    name: "a PAYLOAD_REF in version 1",
    bad: B.raw("bad", B.entry(), B.payloadRef(16, 3)),
    kind: "Malformed",
    check: "A6",
  },
  {
    name: "a payload offset within the start marker",
    bad: B.raw("bad", B.entry(), B.payloadRef(15, 3)),
    version: 2,
    kind: "Malformed",
    check: "P4",
  },
  {
    name: "a payload that ends beyond 2^53",
    bad: B.raw("bad", B.entry(), B.payloadRef(16, 1n << 53n)),
    version: 2,
    kind: "Limit",
    check: "P4",
  },
  { name: "a hard link to itself", bad: B.raw("bad", B.hardlink(0, "bad")), kind: "Malformed", check: "L1" },
  {
    name: "a hard link to before the archive",
    bad: B.raw("bad", B.hardlink(1 << 20, "bad")),
    kind: "Malformed",
    check: "L1",
  },
]

describe.each(entryDamages)("a child with $name", ({ bad, check, damage, kind, version = 1 }) => {
  const built = around(bad, version)
  const bytes = ["", "folder/"].reduce(
    (damaged, folder) => damage?.(damaged, built.at(`${folder}bad`), built.at(folder.slice(0, -1))) ?? damaged,
    built.bytes,
  )
  const opened = Effect.suspend(() => open(bytes, version === 2 ? built.payload : undefined))

  it.effect.each(["", "folder/"])(`fails with ${check} when it is looked up in "%s"`, (folder) =>
    Effect.gen(function* () {
      yield* failing(find(yield* opened, `${folder}bad`), kind, check)
    }),
  )

  it.effect.each(["", "folder/"])('leaves its siblings in "%s" readable', (folder) =>
    Effect.gen(function* () {
      const reader = yield* opened
      assert.strictEqual(yield* readText(reader, `${folder}before`), "good")
      assert.strictEqual(yield* readText(reader, `${folder}after`), "fine")
    }),
  )

  it.effect("fails in a listing alone, and still has its name there", () =>
    Effect.gen(function* () {
      const reader = yield* opened
      const children = yield* listed(reader, (yield* find(reader, "folder")).node)
      assert.deepStrictEqual(
        children.map((child) => [text(child.name!), child._tag]),
        [
          ["before", "Found"],
          ["bad", "Unreadable"],
          ["after", "Found"],
        ],
      )
      assert.deepInclude(failureOf(children, 1), { kind, check })
    }),
  )
})

/** Damages of the name itself. The child's slot is known by its hash. */
const nameDamages: ReadonlyArray<Damage> = [
  {
    name: "no terminating NUL",
    bad: { ...FILE, filename: B.item(B.Type.FILENAME, Buffer.from("badx")) },
    kind: "Malformed",
    check: "N1",
  },
  { name: "a slash", bad: { ...FILE, filename: B.filename("b/d") }, kind: "Malformed", check: "N2" },
  { name: "two dots", bad: { ...FILE, filename: B.filename("..") }, kind: "Malformed", check: "N2" },
  { name: "a NUL inside", bad: { ...FILE, filename: B.filename("b\0d") }, kind: "Malformed", check: "N3" },
  { name: "another item in its place", bad: { ...FILE, filename: B.xattr("bad", "") }, kind: "Malformed", check: "H4" },
  {
    name: "a size of 5000",
    bad: { ...FILE, filename: B.item(B.Type.FILENAME, Buffer.from("bad\0"), 5000) },
    kind: "Malformed",
    check: "H3",
  },
  {
    name: "a size that crosses its bound",
    bad: { ...FILE, filename: B.item(B.Type.FILENAME, Buffer.from("bad\0"), 200) },
    kind: "Malformed",
    check: "H2",
  },
]

describe.each(nameDamages)("a child whose name has $name", ({ bad, check, kind }) => {
  const built = around(bad)

  it.effect("fails in a listing", () =>
    Effect.gen(function* () {
      const reader = yield* open(built.bytes)
      for (const folder of [reader.root, (yield* find(reader, "folder")).node]) {
        const children = yield* listed(reader, folder)
        assert.deepInclude(failureOf(children, 1), { kind, check })
        assert.deepStrictEqual(
          children.map(({ _tag }) => _tag),
          children.map((_, index) => (index === 1 ? "Unreadable" : "Found")),
        )
      }
    }),
  )

  it.effect("leaves its siblings readable", () =>
    Effect.gen(function* () {
      const reader = yield* open(built.bytes)
      assert.strictEqual(yield* readText(reader, "before"), "good")
      assert.strictEqual(yield* readText(reader, "folder/after"), "fine")
    }),
  )
})

/** Damages of a folder's own table: what is in it is found without (see `TableRepair`). */
const tableDamages: ReadonlyArray<Omit<Damage, "bad">> = [
  { name: "no tail marker", damage: poke(({ end }) => end - 24, 0), kind: "Malformed", check: "D1" },
  { name: "a tail size below the minimum", damage: poke(({ end }) => end - 8, 39), kind: "Malformed", check: "D1" },
  { name: "a table larger than itself", damage: poke(({ end }) => end - 8, 1 << 20), kind: "Malformed", check: "D1" },
  {
    name: "a tail size that is no whole number of items",
    damage: poke(({ end }) => end - 8, 65),
    kind: "Malformed",
    check: "D2",
  },
  {
    name: "no GOODBYE where the tail points",
    damage: poke(({ goodbye }) => goodbye, B.Type.PAYLOAD),
    kind: "Malformed",
    check: "D2",
  },
  {
    name: "a table that claims another start (D3)",
    damage: (bytes, { end }) => shift(bytes, end - 16, -1),
    kind: "Malformed",
    check: "D3",
  },
  {
    name: "a child before the end of its own attributes",
    damage: (bytes, { goodbye, start }) => B.poke(bytes, goodbye + 24, goodbye - start - 55),
    kind: "Malformed",
    check: "D4",
  },
  { name: "a child at its own table", damage: poke(({ goodbye }) => goodbye + 24, 0), kind: "Malformed", check: "D4" },
  {
    name: "two children at one place",
    damage: (bytes, { goodbye }) => B.poke(bytes, goodbye + 48, bytes.readBigUInt64LE(goodbye + 24)),
    kind: "Malformed",
    check: "D5",
  },
  {
    name: "a table out of order",
    damage: poke(({ goodbye }) => goodbye + 40, (1n << 64n) - 1n),
    kind: "Malformed",
    check: "D8",
  },
]

describe.each(tableDamages)("a folder with $name", ({ check, damage, kind }) => {
  const built = around(B.folder("bad", [B.file("x", "1"), B.file("y", "2")]))
  const opened = Effect.suspend(() => open(damage!(built.bytes, built.at("folder/bad"), built.at("folder"))))

  it.effect("has its stat", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* find(yield* opened, "folder/bad")).entry.mode, 0o40755)
    }),
  )

  it.effect(`shows what is in it, and says that it fails ${check}`, () =>
    Effect.gen(function* () {
      const reader = yield* opened
      const { node } = yield* find(reader, "folder/bad")
      assert.strictEqual(yield* reader.count(node), 2)
      assert.deepStrictEqual(
        (yield* listed(reader, node)).map((child) => [text(child.name!), child._tag]),
        [
          ["x", "Found"],
          ["y", "Found"],
        ],
      )
      assert.strictEqual(yield* readText(reader, "folder/bad/x"), "1")
      const [flaw] = yield* reader.flaws(node)
      assert.deepStrictEqual({ kind: flaw?.error.kind, check: flaw?.error.check }, { kind, check })
    }),
  )

  it.effect("leaves its siblings readable", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* readText(yield* opened, "folder/after"), "fine")
    }),
  )
})

describe("a folder with more children than the limit", () => {
  it.effect("has its stat, but fails to be listed, as a limit (D10)", () =>
    Effect.gen(function* () {
      const built = B.build({
        children: [
          B.folder(
            "many",
            ["a", "b", "c"].map((name) => B.file(name)),
          ),
          good[0],
        ],
      })
      const limits = { ...Limits.defaults, directoryEntries: 2 }
      const reader = yield* open(built.bytes, undefined, { limits })
      const { node } = yield* find(reader, "many")
      yield* failing(reader.count(node), "Limit", "D10")
      assert.strictEqual(yield* readText(reader, "before"), "good")
    }),
  )
})

describe("overlapping children", () => {
  it.effect("a child inside the content of another is not shown: the content is what it is", () =>
    Effect.gen(function* () {
      const hidden = Buffer.concat([B.filename("other"), B.entry(), B.payload("boo")])
      const built = B.build({ children: [B.file("outer", hidden), B.file("in", "boo")] })
      // The table's item of `in` is bent to the copy inside `outer`.
      const inside = built.at("outer").end - hidden.length
      const bytes = B.poke(built.bytes, built.at("").slot("in") + 8, built.at("").goodbye - inside)
      const reader = yield* open(bytes)
      assert.deepInclude((yield* find(reader, "outer")).entry.body, {
        content: { source: "archive", start: inside, length: hidden.length },
      })
      assert.strictEqual(yield* readText(reader, "in"), "boo")
      assert.isUndefined(yield* reader.lookup(reader.root, Buffer.from("other")))
    }),
  )

  it.effect("a file that claims to reach into a sibling of the right name is cut there", () =>
    Effect.gen(function* () {
      const built = B.build({ children: [B.file("outer", "12345678"), B.file("in", "boo")] })
      const size = built.at("outer").end - 8 - 8
      const reader = yield* open(B.poke(built.bytes, size, 16 + 8 + 30))
      yield* failing(find(reader, "outer"), "Malformed", "H2")
      assert.strictEqual(yield* readText(reader, "in"), "boo")
    }),
  )

  it.effect("a folder that claims its sibling's bytes does not get them, whatever else is true", () =>
    Effect.gen(function* () {
      const built = B.build({ children: [B.folder("a", []), B.folder("b", [B.file("x", "xyz")])] })
      const size = built.at("b").end - built.at("a").nameStart
      const reader = yield* open(B.poke(built.bytes, built.at("").slot("a") + 16, size))
      assert.strictEqual((yield* find(reader, "a")).node.bound, built.at("a").end)
      assert.strictEqual(yield* readText(reader, "b/x"), "xyz")
    }),
  )

  it.effect("a folder cannot name its own table's bytes for a child (D4)", () =>
    Effect.gen(function* () {
      const built = B.build({ children: [B.folder("d", [B.file("x", "xyz")])] })
      const slot = built.at("d").slot("x")
      const reader = yield* open(B.poke(built.bytes, slot + 8, -16))
      const { node } = yield* find(reader, "d")
      assert.strictEqual(yield* readText(reader, "d/x"), "xyz")
      assert.deepInclude((yield* reader.flaws(node))[0]?.error, { check: "D4" })
    }),
  )
})
