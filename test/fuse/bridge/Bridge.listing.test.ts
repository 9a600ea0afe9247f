import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect } from "effect"
import { fromBytes } from "../../../src/services/bytes/ByteSource.ts"
import { anyInteger } from "../../domain/pxar/helpers.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as H from "../harness.ts"
import { ROOT, bridgeOver, type Shown, list, names, enter, many, manyInOrder } from "./listings.ts"

describe("readdir", () => {
  it.effect("gives the order of the archive, then . and .., each with the number that comes next", () =>
    Effect.gen(function* () {
      const { bridge } = yield* H.bridgeOver({ source: fromBytes(H.helloBytes()) })
      assert.deepStrictEqual(yield* names(bridge, ROOT), [
        { name: "hello", next: 1 },
        { name: "link", next: 2 },
        { name: ".", next: 3 },
        { name: "..", next: 4 },
      ])
      const { bridge: other } = yield* bridgeOver(many)
      assert.deepStrictEqual(yield* names(other, ROOT), manyInOrder)
    }),
  )

  it.effect("gives each child with its node, attributes and type", () =>
    Effect.gen(function* () {
      const { bridge } = yield* H.bridgeOver({ source: fromBytes(H.helloBytes()) })
      const [hello, link, dot] = yield* list(bridge, ROOT)
      assert.deepInclude(hello, { ino: 2 * 0x4e + 1, mode: 0o100644 })
      assert.deepInclude(hello?.child?.stat, {
        id: H.HELLO_ID,
        ino: 2 * 0x4e + 1,
        size: 3,
        uid: 1000,
        mtimeNanos: 500_000_000,
      })
      assert.deepStrictEqual(hello?.child?.node, {
        id: H.HELLO_ID,
        parent: ROOT,
        nameStart: 0x38,
        start: 0x4e,
        bound: 0x99,
        contentsStart: 0,
      })
      assert.deepInclude(link, { ino: 2 * 0xae + 1, mode: 0o120777 })
      assert.deepInclude(dot, { ino: 1, mode: 0o040000, child: undefined })
    }),
  )

  it.effect("counts no references", () =>
    Effect.gen(function* () {
      const { bridge, registry } = yield* bridgeOver(many)
      yield* list(bridge, ROOT)
      assert.deepStrictEqual(yield* registry.held, [ROOT])
    }),
  )

  it.effect("continues at any number", () =>
    Effect.gen(function* () {
      const { bridge } = yield* bridgeOver(many)
      for (let offset = 0; offset <= 42; offset++) {
        assert.deepStrictEqual(yield* names(bridge, ROOT, offset), manyInOrder.slice(offset))
      }
    }),
  )

  it.effect("gives nothing from the number after .. on", () =>
    Effect.gen(function* () {
      const { bridge } = yield* bridgeOver(many)
      for (const offset of [42, 43, 2 ** 31, 2 ** 53, 2 ** 64]) {
        assert.deepStrictEqual(yield* names(bridge, ROOT, offset), [])
      }
    }),
  )

  it.effect.prop(
    "gives every name once, whatever fits into each buffer",
    [Arbitrary.array(anyInteger(1, 9), { minLength: 42, maxLength: 42 })],
    ([sizes]) =>
      Effect.gen(function* () {
        const { bridge } = yield* bridgeOver(many)
        const shown: Array<Shown> = []
        for (const size of sizes) shown.push(...(yield* names(bridge, ROOT, shown.at(-1)?.next ?? 0, size)))
        assert.deepStrictEqual(shown, manyInOrder)
      }),
    { arbitrary: { runs: 30, size: 100 } },
  )

  it.effect("stops at once when nothing fits", () =>
    Effect.gen(function* () {
      const { bridge } = yield* bridgeOver(many)
      for (const offset of [0, 39, 40, 41]) {
        let asked = 0
        yield* bridge.readdir(ROOT, offset, () => {
          asked++
          return false
        })
        assert.strictEqual(asked, 1)
      }
    }),
  )

  it.effect("of an empty folder gives . and ..", () =>
    Effect.gen(function* () {
      const { bridge } = yield* bridgeOver(B.build({ children: [] }))
      assert.deepStrictEqual(yield* names(bridge, ROOT), [
        { name: ".", next: 1 },
        { name: "..", next: 2 },
      ])
    }),
  )

  it.effect("knows the parent of a folder; that of the root is the root", () =>
    Effect.gen(function* () {
      const built = B.build({ children: [B.folder("a", [B.folder("b", [])])] })
      const { bridge } = yield* bridgeOver(built)
      const a = yield* enter(bridge, ROOT, "a")
      const b = yield* enter(bridge, a, "b")
      const dots = (id: number) => Effect.map(list(bridge, id), (shown) => shown.slice(-2).map((entry) => entry.ino))
      assert.deepStrictEqual([a, b], [built.at("a").end, built.at("a/b").end])
      assert.deepStrictEqual(yield* dots(ROOT), [1, 1])
      assert.deepStrictEqual(yield* dots(a), [2 * a, 1])
      assert.deepStrictEqual(yield* dots(b), [2 * b, 2 * a])
    }),
  )

  it.effect("of something that is no folder is ENOTDIR", () =>
    Effect.gen(function* () {
      const { bridge } = yield* bridgeOver(many)
      const file = yield* enter(bridge, ROOT, "name-0")
      assert.strictEqual((yield* Effect.flip(list(bridge, file))).name, "ENOTDIR")
    }),
  )

  it.effect("shows a hard link as its target, with a node of its own unless all names are to share one", () =>
    Effect.gen(function* () {
      const built = B.build({ children: [B.file("a", "hi\n", { head: B.entry({ uid: 5 }) }), B.linkTo("b", "a")] })
      for (const sharesLinks of [true, false]) {
        const { bridge } = yield* H.bridgeOver({ source: fromBytes(built.bytes), sharesLinks })
        const shown = yield* list(bridge, ROOT)
        const [a, b] = ["a", "b"].map((name) => shown.find(({ text }) => text === name)?.child?.stat)
        assert.strictEqual(a?.id, -built.at("a").start)
        const id = sharesLinks ? a!.id : -built.at("b").nameStart
        assert.deepStrictEqual(b, { ...a!, id, ino: 2 * -id + 1, nlink: 1 })
        const held = yield* enter(bridge, ROOT, "b")
        assert.strictEqual(held, id)
        assert.deepStrictEqual(yield* bridge.getattr(held), b)
        const bytes = new Uint8Array(3)
        yield* bridge.read(held, 0, 3, () => bytes)
        assert.strictEqual(Buffer.from(bytes).toString(), "hi\n")
        assert.strictEqual(Buffer.from(yield* bridge.pathOf(held)).toString(), "/b")
      }
    }),
  )
})

describe("a listing of a damaged folder", () => {
  const broken = (name: string) => B.raw(name, B.entry({ mode: 0o100644 }), B.symlink("a file with a target"))
  const shownOf = (children: ReadonlyArray<B.Node>) =>
    H.logged((log) =>
      Effect.gen(function* () {
        const { bridge } = yield* bridgeOver(B.build({ children: [...children, B.file("sound", "x")] }))
        yield* list(bridge, ROOT)
        return { shown: yield* list(bridge, ROOT), log }
      }),
    )

  it.effect("shows a child that cannot be decoded by its name alone, and says so once", () =>
    Effect.gen(function* () {
      const { log, shown } = yield* shownOf([broken("broken")])
      assert.sameMembers(
        shown.map(({ text }) => text),
        ["broken", "sound", ".", ".."],
      )
      const entry = shown.find(({ text }) => text === "broken")
      assert.deepInclude(entry, { ino: 0xffff_ffff, mode: 0, child: undefined })
      assert.strictEqual(log.length, 1)
      assert.match(log[0]!, /^Warn \/broken: test\.pxar: .*check E1/)
    }),
  )

  it.effect("shows a hard link that leads nowhere by its name alone", () =>
    Effect.gen(function* () {
      const { log, shown } = yield* shownOf([B.file("a"), B.linkTo("one", "a"), B.linkTo("two", "one")])
      assert.isDefined(shown.find(({ text }) => text === "one")?.child)
      assert.isUndefined(shown.find(({ text }) => text === "two")?.child)
      assert.strictEqual(shown.length, 6)
      assert.match(log[0]!, /^Warn \/two: .*check L3/)
    }),
  )

  it.effect("leaves out a child whose very name is bad, and says so once", () =>
    Effect.gen(function* () {
      const { log, shown } = yield* shownOf([{ ...B.file("bad"), filename: B.filename("a/b") }])
      assert.deepStrictEqual(
        shown.map(({ text }) => text),
        ["sound", ".", ".."],
      )
      assert.strictEqual(log.length, 1)
      assert.match(log[0]!, /^Warn \/: test\.pxar: .*check N2/)
    }),
  )

  it.effect("keeps the numbers of the others when one is left out", () =>
    Effect.gen(function* () {
      const { shown } = yield* shownOf([{ ...B.file("bad"), filename: B.filename("a/b") }])
      const sound = shown.find(({ text }) => text === "sound")
      assert.strictEqual(sound?.next, 2)
      assert.deepStrictEqual(
        shown.slice(1).map(({ next }) => next),
        [3, 4],
      )
    }),
  )

  it.effect("leaves out a name longer than the kernel takes, and says so once", () =>
    Effect.gen(function* () {
      const [longest, longer] = ["n".repeat(1024), "m".repeat(1025)]
      const { log, shown } = yield* shownOf([B.file(longest), B.file(longer)])
      assert.sameMembers(
        shown.map(({ text }) => text),
        [longest, "sound", ".", ".."],
      )
      assert.strictEqual(log.length, 1)
      assert.match(log[0]!, /^Warn \/: .*1025 bytes.*1024/)
    }),
  )

  it.effect("leaves out a long name also of a child that cannot be decoded", () =>
    Effect.gen(function* () {
      const { shown } = yield* shownOf([broken("m".repeat(1025))])
      assert.deepStrictEqual(
        shown.map(({ text }) => text),
        ["sound", ".", ".."],
      )
    }),
  )

  it.effect("shows the first of two entries of one name, and says so once", () =>
    Effect.gen(function* () {
      const { log, shown } = yield* shownOf([B.file("twin", "one"), B.file("twin", "three", { key: "other" })])
      assert.strictEqual(shown.filter(({ text }) => text === "twin").length, 1)
      assert.strictEqual(log.length, 1)
      assert.match(log[0]!, /^Warn \/: .*D9/)
    }),
  )

  it.effect("names the folder in what it says", () =>
    H.logged((log) =>
      Effect.gen(function* () {
        const built = B.build({ children: [B.folder("a", [B.folder("b", [broken("c")])])] })
        const { bridge } = yield* bridgeOver(built)
        const b = yield* enter(bridge, yield* enter(bridge, ROOT, "a"), "b")
        yield* list(bridge, b)
        assert.match(log[0]!, /^Warn \/a\/b\/c: /)
        assert.strictEqual(Buffer.from(yield* bridge.pathOf(b)).toString(), "/a/b")
      }),
    ),
  )

  it.effect("whose source fails is EIO as a whole: the names are there", () =>
    H.logged((log) =>
      Effect.gen(function* () {
        const built = B.build({ children: [B.file("a"), B.file("b")] })
        const source = H.gated(built.bytes)
        const { bridge } = yield* H.bridgeOver({ source, options: H.uncached })
        const { nameStart } = built.at("b")
        source.failing = [nameStart, nameStart + 1]
        assert.strictEqual((yield* Effect.flip(list(bridge, ROOT))).name, "EIO")
        assert.strictEqual(log.length, 1)
        assert.match(log[0]!, /^Warn \/: memory: injected/)
        source.failing = undefined
        assert.strictEqual((yield* list(bridge, ROOT)).length, 4)
      }),
    ),
  )

  it.effect("whose table is damaged shows what is in it, and says so once", () =>
    H.logged((log) =>
      Effect.gen(function* () {
        const built = B.build({ children: [B.folder("a", [B.file("b")])] })
        const bytes = B.poke(built.bytes, built.at("a").end - 24, 1)
        const { bridge } = yield* H.bridgeOver({ source: fromBytes(bytes) })
        const a = yield* enter(bridge, ROOT, "a")
        for (const _ of [1, 2]) {
          assert.deepStrictEqual(
            (yield* list(bridge, a)).map(({ text }) => text),
            ["b", ".", ".."],
          )
        }
        assert.strictEqual(log.length, 1)
        assert.match(log[0]!, /^Warn .*: the index of a folder is damaged, .*D1/)
      }),
    ),
  )
})

describe("what is said", () => {
  it.effect("of an archive does not keep quiet what is wrong with its payload archive at the same place", () =>
    H.logged((log) =>
      Effect.gen(function* () {
        const built = B.build({ version: 2, children: [B.file("a", "content")] })
        const [source, payload] = [H.gated(built.bytes, "a.mpxar"), H.gated(built.payload, "a.ppxar")]
        const { bridge } = yield* H.bridgeOver({
          source,
          payload: { _tag: "Present", source: payload },
          options: H.uncached,
        })
        const a = yield* enter(bridge, ROOT, "a")
        // Byte 16: in the first archive just before the root's entry, in the other the header of the first file.
        payload.failing = [16, 17]
        yield* Effect.flip(bridge.read(a, 0, 9, (length) => new Uint8Array(length)))
        source.failing = [16, 17]
        yield* Effect.flip(bridge.getattr(ROOT))
        assert.deepStrictEqual(log, [
          "Warn /a: a.ppxar: injected (check H6 at byte 16)",
          "Warn /: a.mpxar: injected (check H6 at byte 16)",
        ])
      }),
    ),
  )
})
