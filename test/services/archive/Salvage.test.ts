import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ArchiveHead from "../../../src/domain/pxar/ArchiveHead.ts"
import * as Item from "../../../src/domain/pxar/Item.ts"
import * as Limits from "../../../src/domain/pxar/Limits.ts"
import * as PathText from "../../../src/domain/PathText.ts"
import * as SipHash from "../../../src/domain/pxar/SipHash.ts"
import * as ArchiveReader from "../../../src/services/archive/ArchiveReader.ts"
import * as Salvage from "../../../src/services/archive/Salvage.ts"
import { fromBytes } from "../../../src/services/bytes/ByteSource.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Golden from "../../support/Golden.ts"
import * as Layout from "../../support/Layout.ts"
import { absent, children, present } from "./helpers.ts"

const complete = (bytes: Buffer, limits: Limits.Limits = Limits.defaults) => {
  const head = ArchiveHead.readHead(Item.makeWindow(bytes, 0), bytes.length)
  return Salvage.complete(fromBytes(bytes, "cut.pxar"), head, limits, SipHash.hash)
}

/** Paths of all that can be reached in a completed archive, with what is not whole left out. */
const pathsOf = Effect.fnUntraced(function* (salvaged: Salvage.Salvaged, payload: Buffer | undefined) {
  const reader = yield* ArchiveReader.make(salvaged.source, payload === undefined ? absent : present(payload))
  const paths: Array<string> = []
  const visit = (directory: ArchiveReader.ArchiveReader["root"], path: string): Effect.Effect<void, unknown> =>
    Effect.gen(function* () {
      for (const { entry, name, node } of yield* children(reader, directory)) {
        const at = `${path}/${Buffer.from(name).toString("latin1")}`
        paths.push(at)
        if (entry.body._tag === "Directory") yield* visit(node, at)
      }
    })
  yield* visit(reader.root, "")
  return paths.sort()
})

const sample = B.build({
  children: [
    B.file("a", "content"),
    B.folder("d", [B.file("b", "x".repeat(300)), B.folder("e", [B.file("c", "y".repeat(200)), B.linkTo("l", "a")])]),
    B.folder("empty", []),
    B.file("z", "z"),
  ],
})

describe("Salvage.complete", () => {
  for (const golden of [Golden.hardlinkV1, Golden.hardlinkV2, Golden.richV1, Golden.legacyV1, Golden.collisionsV1]) {
    it.effect(`of ${golden.name}, cut anywhere, is an archive with all that is whole`, () =>
      Effect.gen(function* () {
        const { bytes, payload } = Golden.load(golden)
        const { places } = Layout.scan(bytes)
        const root = places[0] as Layout.Place
        const step = Math.max(1, Math.floor(bytes.length / 500))
        for (let length = Math.max(112, root.own[1]); length < bytes.length; length += step) {
          const paths = yield* pathsOf(yield* complete(bytes.subarray(0, length)), payload)
          const whole = places.slice(1).filter(({ content, own }) => {
            const end = content?.source === "archive" ? content.range[1] : own[1]
            // A folder, FIFO or socket shows that it is one by the header behind it.
            return end + 16 <= length
          })
          const missing = whole.map(({ path }) => path).filter((path) => !paths.includes(path))
          assert.deepStrictEqual(missing, [], `${length} bytes of ${bytes.length}`)
          const known = new Set(places.map(({ path }) => path))
          assert.deepStrictEqual(
            paths.filter((path) => !known.has(path)),
            [],
          )
        }
      }),
    )
  }

  it.effect("keeps a file that is cut, and says which and where", () =>
    Effect.gen(function* () {
      const cut = sample.at("d/e/c").end - 50
      const salvaged = yield* complete(sample.bytes.subarray(0, cut))
      assert.strictEqual(PathText.print(salvaged.path), "/d/e/c")
      assert.strictEqual(salvaged.end, cut)
      assert.deepInclude(salvaged.stop, { check: "A4", offset: cut })
      assert.deepStrictEqual(yield* pathsOf(salvaged, undefined), ["/a", "/d", "/d/b", "/d/e", "/d/e/c"])
    }),
  )

  it.effect("rebuilds a root table that is bad, of an archive that is whole otherwise", () =>
    Effect.gen(function* () {
      const salvaged = yield* complete(B.poke(sample.bytes, sample.bytes.length - 24, 1))
      assert.deepInclude(salvaged.stop, { check: "D1" })
      assert.lengthOf(yield* pathsOf(salvaged, undefined), 8)
    }),
  )

  it.effect("leaves out bytes behind the end of an archive that is whole", () =>
    Effect.gen(function* () {
      const { bytes } = sample
      const salvaged = yield* complete(Buffer.concat([bytes, Buffer.alloc(7)]))
      assert.strictEqual(salvaged.source.size, bytes.length)
      assert.deepInclude(salvaged.stop, { check: "A4", offset: bytes.length })
      assert.lengthOf(yield* pathsOf(salvaged, undefined), 8)
    }),
  )

  it.effect("stops where a download left zeros", () =>
    Effect.gen(function* () {
      const bytes = Buffer.from(sample.bytes)
      bytes.fill(0, sample.at("empty").nameStart)
      const salvaged = yield* complete(bytes)
      assert.deepInclude(salvaged.stop, { check: "H4", offset: sample.at("empty").nameStart })
      assert.lengthOf(yield* pathsOf(salvaged, undefined), 6)
    }),
  )

  it.effect("believes no size: a file of 2^51 bytes is no reason for memory", () =>
    Effect.gen(function* () {
      const at = sample.at("d/b").end - 300 - 8
      const salvaged = yield* complete(B.poke(sample.bytes, at, 2 ** 51).subarray(0, at + 100))
      assert.isAbove(salvaged.source.size, 2 ** 51)
      assert.deepStrictEqual(yield* pathsOf(salvaged, undefined), ["/a", "/d", "/d/b"])
    }),
  )

  it.effect("of more children than allowed stops at the limit (D10)", () =>
    Effect.gen(function* () {
      const salvaged = yield* complete(sample.bytes.subarray(0, -30), { ...Limits.defaults, directoryEntries: 2 })
      assert.deepInclude(salvaged.stop, { check: "D10", kind: "Limit" })
      assert.lengthOf(yield* pathsOf(salvaged, undefined), 6)
    }),
  )

  it.effect("fails for what has no root (A5)", () =>
    Effect.gen(function* () {
      const { bytes } = B.build({ root: Buffer.concat([B.entry(), B.payload("x".repeat(100))]) })
      const error = yield* Effect.flip(complete(bytes))
      assert.deepInclude(error, { kind: "Malformed", check: "A5" })
    }),
  )
})
