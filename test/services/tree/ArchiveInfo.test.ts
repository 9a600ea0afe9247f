import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as PathText from "../../../src/domain/PathText.ts"
import * as ArchiveInfo from "../../../src/services/tree/ArchiveInfo.ts"
import { fromBytes } from "../../../src/services/bytes/ByteSource.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Golden from "../../support/Golden.ts"
import { absent, failing, present } from "../archive/helpers.ts"

const collect = (bytes: Uint8Array, payload?: Uint8Array, options?: ArchiveInfo.Options) =>
  ArchiveInfo.collect(
    { archive: fromBytes(bytes, "test.pxar"), payload: payload === undefined ? absent : present(payload) },
    options,
  )

describe("the golden archives", () => {
  for (const golden of Golden.all) {
    it.effect(`${golden.name}: the numbers are those of the view`, () =>
      Effect.gen(function* () {
        const { bytes, payload } = Golden.load(golden)
        const info = yield* collect(bytes, payload)
        const view = golden.view()
        const own = view.filter(({ hardlink }) => !hardlink)
        const ofKind = (kind: Golden.Kind) => own.filter((entry) => entry.kind === kind).length
        assert.strictEqual(info.version, golden.version)
        assert.strictEqual(info.size, bytes.length)
        assert.strictEqual(info.entries, view.length)
        assert.strictEqual(info.hardLinks, view.length - own.length)
        assert.deepStrictEqual(info.kinds, {
          directory: ofKind("directory"),
          file: ofKind("file"),
          symlink: ofKind("symlink"),
          fifo: ofKind("fifo"),
          socket: ofKind("socket"),
          chardev: ofKind("chardev"),
          blockdev: ofKind("blockdev"),
        })
        const files = own.filter(({ kind }) => kind === "file")
        const bySize = files.toSorted((a, b) => b.size - a.size)
        assert.strictEqual(
          info.contents,
          files.reduce((sum, { size }) => sum + size, 0),
        )
        assert.deepStrictEqual(
          info.largest.map(({ size }) => size),
          bySize.slice(0, ArchiveInfo.LARGEST).map(({ size }) => size),
        )
        const sizes = new Map(files.map((file) => [file.path.toString("hex"), file.size]))
        for (const { path, size } of info.largest)
          assert.strictEqual(sizes.get(Buffer.from(path).toString("hex")), size)
        const capabilities = own.filter(({ xattrs }) => Buffer.from("security.capability").toString("hex") in xattrs)
        assert.strictEqual(info.attributes.capabilities, capabilities.length)
        const levels = view.map(({ path }) => (path.length === 1 ? 0 : path.filter((byte) => byte === 0x2f).length))
        assert.strictEqual(info.deepest.depth, Math.max(...levels))
        assert.strictEqual(info.unreadable, 0)
        assert.strictEqual(info.payloadMissing, false)
        assert.strictEqual(info.payload?.size, payload?.length)
        if (info.payload !== undefined) assert.deepInclude(info.payload, { complete: true, unreferenced: 0 })
      }),
    )
  }
})

describe("a payload archive", () => {
  const built = B.build({ version: 2, children: [B.file("a", "first"), B.file("b", "second")] })

  it.effect("with bytes that no file refers to", () =>
    Effect.gen(function* () {
      const { bytes } = B.build({
        version: 2,
        children: [B.file("a", "first"), B.raw("b", B.entry(), B.payloadRef(16, 5))],
      })
      const info = yield* collect(bytes, built.payload)
      assert.deepInclude(info.payload, { complete: true, unreferenced: 16 + "second".length })
    }),
  )

  it.effect("that was cut short", () =>
    Effect.gen(function* () {
      const info = yield* collect(built.bytes, built.payload.subarray(0, -1))
      assert.deepInclude(info.payload, { complete: false })
    }),
  )

  it.effect("that is missing", () =>
    Effect.gen(function* () {
      const info = yield* collect(built.bytes)
      assert.deepInclude(info, { payload: undefined, payloadMissing: true, contents: 11 })
    }),
  )

  it.effect("is not missed where no file has its content there", () =>
    Effect.map(collect(B.build({ version: 2 }).bytes), (info) => assert.isFalse(info.payloadMissing)),
  )
})

describe("the prelude", () => {
  it.effect("is given as bytes", () =>
    Effect.gen(function* () {
      const info = yield* collect(
        B.build({ version: 2, head: Buffer.concat([B.formatVersion(2), B.prelude("{}")]) }).bytes,
      )
      assert.deepStrictEqual(info.prelude, { _tag: "Bytes", bytes: Uint8Array.from(Buffer.from("{}")) })
    }),
  )

  it.effect("that is longer than is allowed is no reason to fail", () =>
    Effect.gen(function* () {
      const prelude = B.prelude("x".repeat(2 * 1024 * 1024))
      const info = yield* collect(B.build({ version: 2, head: Buffer.concat([B.formatVersion(2), prelude]) }).bytes)
      assert.strictEqual(info.prelude?._tag === "Unreadable" && info.prelude.error.check, "R1")
    }),
  )

  it.effect("is none in an archive of version 1", () =>
    Effect.map(collect(B.build({}).bytes), (info) => assert.isUndefined(info.prelude)),
  )
})

describe("what cannot be read", () => {
  it.effect("is counted, and the rest too", () =>
    Effect.gen(function* () {
      const { bytes } = B.build({
        children: [B.file("a", "first"), B.raw("bad", B.entry(), B.item(0x1234n)), B.folder("c", [B.file("d", "x")])],
      })
      const info = yield* collect(bytes)
      assert.deepInclude(info, { unreadable: 1, hidden: 0, entries: 4, contents: 6 })
    }),
  )

  it.effect("because another of its name hides it is counted apart", () =>
    Effect.gen(function* () {
      const info = yield* collect(B.build({ children: [B.file("a", "1"), { ...B.file("a", "2"), key: "b" }] }).bytes)
      assert.deepInclude(info, { unreadable: 0, hidden: 1, entries: 2 })
    }),
  )

  it.effect("fails if it is the archive", () => failing(collect(Buffer.alloc(200)), "Malformed", "H4"))
})

describe("the deepest path", () => {
  it.effect("is the first of several, the root in an empty archive", () =>
    Effect.gen(function* () {
      const info = yield* collect(B.build({ children: [B.folder("x", [B.file("a"), B.file("b")])] }).bytes)
      assert.strictEqual(PathText.print(info.deepest.path), "/x/a")
      assert.strictEqual(PathText.print((yield* collect(B.build({}).bytes)).deepest.path), "/")
    }),
  )
})
