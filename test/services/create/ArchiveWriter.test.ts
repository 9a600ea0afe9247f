import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Hash } from "../../../src/domain/pxar/SipHash.ts"
import * as ArchiveWriter from "../../../src/services/create/ArchiveWriter.ts"
import * as ByteSink from "../../../src/services/bytes/ByteSink.ts"
import * as ArchiveBuilder from "../../support/ArchiveBuilder.ts"
import * as Golden from "../../support/Golden.ts"
import * as Oracle from "../../support/Oracle.ts"
import * as Tree from "../../support/Tree.ts"
import * as TreeArbitrary from "../../support/TreeArbitrary.ts"
import { head, folderHead, fileHead, name } from "./heads.ts"

const firstDifference = (a: Uint8Array, b: Uint8Array): string => {
  let at = 0
  while (at < a.length && at < b.length && a[at] === b[at]) at++
  return at === a.length && at === b.length ? "none" : `byte ${at} of ${a.length} and ${b.length}`
}

/** Reads an archive with the project's reader and writes it again. */
const rewrite = Effect.fnUntraced(function* (golden: Golden.Golden) {
  const { bytes, payload } = Golden.load(golden)
  const reader = yield* Tree.openBytes(bytes, payload)
  const tree = yield* Tree.read(reader)
  const archive = ByteSink.makeMemory()
  const data = golden.version === 2 ? ByteSink.makeMemory() : undefined
  const writer = yield* ArchiveWriter.make({ archive, payload: data, prelude: yield* reader.prelude })
  const written = yield* Tree.write(writer, tree)
  return { golden: bytes, goldenPayload: payload, bytes: archive.bytes(), payload: data?.bytes(), written }
})

/** Writes a tree into memory. */
const writeTree = Effect.fnUntraced(function* (
  tree: Tree.Directory,
  version: 1 | 2,
  options: Partial<ArchiveWriter.Options> = {},
  piece?: number,
) {
  const archive = ByteSink.makeMemory()
  const payload = version === 2 ? ByteSink.makeMemory() : undefined
  const writer = yield* ArchiveWriter.make({ archive, payload, ...options })
  yield* Tree.write(writer, tree, piece)
  return { bytes: archive.bytes(), payload: payload?.bytes() }
}, Effect.scoped)

describe("identity with the reference", () => {
  // ENTRY_V1 is read, never written; collisions have a test of their own.
  const others = new Set([Golden.legacyV1, Golden.legacyEmpty, Golden.collisionsV1])
  for (const golden of Golden.all.filter((golden) => !others.has(golden))) {
    it.effect(`writes ${golden.name} again, byte for byte`, () =>
      Effect.gen(function* () {
        const result = yield* rewrite(golden)
        assert.strictEqual(firstDifference(result.bytes, result.golden), "none")
        assert.strictEqual(result.written.archiveSize, result.golden.length)
        assert.strictEqual(result.written.payloadSize, result.goldenPayload?.length)
        if (result.payload !== undefined && result.goldenPayload !== undefined) {
          assert.strictEqual(firstDifference(result.payload, result.goldenPayload), "none")
        }
      }),
    )
  }

  // §3.5: the order among equal hashes is unspecified. The reference sorts with an unstable sort, which keeps the order
  // in short tables and not in those of more than 20 items.
  it.effect("writes collisions-v1 again but for the order of equal hashes in a long table", () =>
    Effect.gen(function* () {
      const { bytes, golden } = yield* rewrite(Golden.collisionsV1)
      assert.strictEqual(bytes.length, golden.length)
      const different = [...golden.keys()].filter((at) => golden[at] !== bytes[at])
      assert.isAbove(different.length, 0)
      const folder = Golden.collisionsV1.view().find(({ path }) => path.toString() === "/mixed")
      const end = Number(folder?.ino)
      const size = golden.readUIntLE(end - 8, 6)
      const items = (archive: Uint8Array): ReadonlyArray<string> => {
        const table = Buffer.from(archive.subarray(end - size + 16, end - 24))
        return Array.from({ length: table.length / 24 }, (_, i) => table.toString("hex", 24 * i, 24 * i + 24))
      }
      assert.isTrue(different.every((at) => at >= end - size + 16 && at < end - 24))
      assert.deepStrictEqual(items(bytes).toSorted(), items(golden).toSorted())
      const hashes = (archive: Uint8Array) => items(archive).map((item) => item.slice(0, 16))
      assert.deepStrictEqual(hashes(bytes), hashes(golden))
      assert.strictEqual(hashes(bytes).length - new Set(hashes(bytes)).size, 3)
    }),
  )
})

describe("any tree", () => {
  it.effect.prop(
    "is written as the specification says and read back equal, v1",
    [TreeArbitrary.trees],
    ([tree]) =>
      Effect.gen(function* () {
        const given = Oracle.withBuilderPaths(tree)
        const { bytes } = yield* writeTree(given, 1)
        assert.strictEqual(firstDifference(bytes, Oracle.build(given, 1).bytes), "none")
        assert.strictEqual(Oracle.comparable(yield* Tree.readBytes(bytes)), Oracle.comparable(given))
      }),
    { arbitrary: { runs: 100, size: 1500 } },
  )

  it.effect.prop(
    "is written as the specification says and read back equal, v2, in small pieces",
    [TreeArbitrary.trees],
    ([tree]) =>
      Effect.gen(function* () {
        const given = Oracle.withBuilderPaths(tree)
        const prelude = Buffer.from("{}")
        const { bytes, payload } = yield* writeTree(given, 2, { prelude, blockSize: 64 }, 7)
        const built = Oracle.build(given, 2, prelude)
        assert.strictEqual(firstDifference(bytes, built.bytes), "none")
        assert.strictEqual(firstDifference(payload ?? Buffer.alloc(0), built.payload), "none")
        assert.strictEqual(Oracle.comparable(yield* Tree.readBytes(bytes, payload)), Oracle.comparable(given))
      }),
    { arbitrary: { runs: 100, size: 1500 } },
  )

  for (const count of [0, 1, 2, 20, 21, 1000, 20_000]) {
    it.effect(`with a folder of ${count} entries`, () =>
      Effect.gen(function* () {
        const children = Array.from({ length: count }, (_, i) => ({
          name: name(`n${String(i).padStart(6, "0")}`),
          tree: { _tag: "Fifo", metadata: head(0o10600) } as const,
        }))
        const tree: Tree.Directory = { _tag: "Directory", metadata: folderHead, children }
        const { bytes } = yield* writeTree(tree, 1)
        assert.strictEqual(firstDifference(bytes, Oracle.build(tree, 1).bytes), "none")
      }),
    )
  }
})

describe("names with one hash", () => {
  /** The table of the root, read by §3.2 alone. */
  const readTable = (bytes: Uint8Array) => {
    const archive = Buffer.from(bytes)
    const size = Number(archive.readBigUInt64LE(archive.length - 8))
    const start = archive.length - size
    return Array.from({ length: (size - 40) / 24 }, (_, slot) => {
      const at = start + 16 + 24 * slot
      const nameStart = start - Number(archive.readBigUInt64LE(at + 8))
      const nameSize = Number(archive.readBigUInt64LE(nameStart + 8))
      return {
        hash: archive.readBigUInt64LE(at),
        name: archive.toString("latin1", nameStart + 16, nameStart + nameSize - 1),
      }
    })
  }
  /** §3.6. */
  const find = (table: ReturnType<typeof readTable>, hash: bigint, wanted: string): boolean => {
    const stack = [0]
    for (let slot = stack.pop(); slot !== undefined; slot = stack.pop()) {
      const item = table[slot]
      if (item === undefined) continue
      if (hash === item.hash && item.name === wanted) return true
      if (hash <= item.hash) stack.push(2 * slot + 1)
      if (hash >= item.hash) stack.push(2 * slot + 2)
    }
    return false
  }
  const hashes: ReadonlyArray<readonly [string, (bytes: Uint8Array) => Hash]> = [
    ["all equal", () => ({ low: 5, high: 0xffff_ffff })],
    ["three hashes", (bytes) => ({ low: 0xffff_ffff, high: (bytes.at(-1) ?? 0) % 3 })],
    ["differing in the lower half", (bytes) => ({ low: (bytes.at(-1) ?? 0) * 0x0100_0000, high: 0x8000_0000 })],
  ]
  for (const [title, hash] of hashes) {
    for (const count of [2, 3, 7, 50, 300]) {
      it.effect(`are all found by §3.6: ${title}, ${count} names`, () =>
        Effect.gen(function* () {
          const names = Array.from({ length: count }, (_, i) => `name${i}`)
          const tree: Tree.Directory = {
            _tag: "Directory",
            metadata: folderHead,
            children: names.map((text) => ({ name: name(text), tree: { _tag: "Socket", metadata: head(0o140700) } })),
          }
          const { bytes } = yield* writeTree(tree, 1, { hash })
          const table = readTable(bytes)
          assert.deepStrictEqual(table.map((item) => item.name).toSorted(), names.toSorted())
          for (const text of names) {
            const { high, low } = hash(name(text))
            assert.isTrue(find(table, (BigInt(high) << 32n) | BigInt(low), text), text)
          }
          const ranks = ArchiveBuilder.rankOrder(count)
          const ascending = table
            .map((item, slot) => [ranks[slot] ?? 0, item.hash] as const)
            .toSorted((a, b) => a[0] - b[0])
          for (const [index, [, hash]] of ascending.entries())
            assert.isTrue(index === 0 || hash >= (ascending[index - 1]?.[1] ?? 0n))
        }),
      )
    }
  }
})

describe("a file that changes while it is read", () => {
  const announce = Effect.fnUntraced(function* (version: 1 | 2, size: number, content: Uint8Array, piece?: number) {
    const archive = ByteSink.makeMemory()
    const payload = version === 2 ? ByteSink.makeMemory() : undefined
    const writer = yield* ArchiveWriter.make({ archive, payload, blockSize: 1024 })
    yield* writer.beginRoot(folderHead)
    const added = yield* writer.addFile(name("file"), fileHead, size, Tree.contentOf(content, piece))
    yield* writer.addFile(name("next"), fileHead, 4, Tree.contentOf(name("next")))
    yield* writer.finish
    const tree = yield* Tree.readBytes(archive.bytes(), payload?.bytes())
    const stored = tree.children.map(({ tree }) => (tree._tag === "File" ? Buffer.from(tree.content) : undefined))
    assert.deepStrictEqual(stored[1], Buffer.from("next"))
    return { added, stored: stored[0] }
  }, Effect.scoped)

  for (const version of [1, 2] as const) {
    for (const [size, has] of [
      [10, 9],
      [10, 0],
      [5000, 1],
      [300_000, 299_999],
      [300_000, 65_536],
    ] as const) {
      it.effect(`is filled up with zeros: ${has} of ${size} bytes, v${version}`, () =>
        Effect.gen(function* () {
          const { added, stored } = yield* announce(version, size, Buffer.alloc(has, "x"), 100_000)
          assert.strictEqual(added.available, has)
          assert.deepStrictEqual(stored, Buffer.concat([Buffer.alloc(has, "x"), Buffer.alloc(size - has)]))
        }),
      )
    }
    for (const [size, has] of [
      [10, 11],
      [1, 5000],
      [300_000, 300_001],
      [300_000, 900_000],
    ] as const) {
      it.effect(`is cut: ${has} instead of ${size} bytes, v${version}`, () =>
        Effect.gen(function* () {
          const { added, stored } = yield* announce(version, size, Buffer.alloc(has, "x"))
          assert.isAbove(added.available, size)
          assert.deepStrictEqual(stored, Buffer.alloc(size, "x"))
        }),
      )
    }
  }

  it.effect("is not read at all if it is empty", () =>
    Effect.gen(function* () {
      const { added, stored } = yield* announce(1, 0, Buffer.from("x"))
      assert.strictEqual(added.available, 0)
      assert.strictEqual(stored?.length, 0)
    }),
  )
})

describe("memory", () => {
  it.effect("does not grow with the size of a file", () =>
    Effect.gen(function* () {
      let position = 0
      let largest = 0
      const archive: ByteSink.Sink = {
        name: "counter",
        position: () => position,
        write: (bytes) =>
          Effect.sync(() => {
            position += bytes.length
            largest = Math.max(largest, bytes.length)
          }),
      }
      const writer = yield* ArchiveWriter.make({ archive })
      yield* writer.beginRoot(folderHead)
      const before = process.memoryUsage().arrayBuffers
      const size = 2 ** 31 + 5
      yield* writer.addFile(name("large"), fileHead, size, { read: (target) => Effect.succeed(target.length) })
      const after = process.memoryUsage().arrayBuffers
      assert.isBelow(after - before, 16 * 1024 * 1024)
      assert.isBelow(largest, 2 * 1024 * 1024)
      const { archiveSize } = yield* writer.finish
      assert.strictEqual(archiveSize, 56 + 16 + 6 + 56 + 16 + size + 16 + 48)
      assert.strictEqual(position, archiveSize)
    }),
  )
})

describe("sinks", () => {
  it.effect("a failing write ends the archive", () =>
    Effect.gen(function* () {
      const full = new ByteSink.SinkError({ sink: "disk", offset: 0, code: "ENOSPC", detail: "disk full" })
      const archive: ByteSink.Sink = { name: "disk", position: () => 0, write: () => Effect.fail(full) }
      const writer = yield* ArchiveWriter.make({ archive, blockSize: 64 })
      const writing = Effect.gen(function* () {
        yield* writer.beginRoot(folderHead)
        for (let i = 0; i < 1000; i++) yield* writer.addFifo(name(`f${i}`), head(0o10600))
      })
      assert.strictEqual(yield* Effect.flip(writing), full)
    }),
  )

  it.effect("a failing last write shows in finish", () =>
    Effect.gen(function* () {
      const full = new ByteSink.SinkError({ sink: "disk", offset: 0, code: "ENOSPC", detail: "disk full" })
      const payload: ByteSink.Sink = { name: "disk", position: () => 0, write: () => Effect.fail(full) }
      const writer = yield* ArchiveWriter.make({ archive: ByteSink.makeMemory(), payload })
      yield* writer.beginRoot(folderHead)
      assert.strictEqual(yield* Effect.flip(writer.finish), full)
    }),
  )

  it.effect("a failing source ends the archive with its own error", () =>
    Effect.gen(function* () {
      const writer = yield* ArchiveWriter.make({ archive: ByteSink.makeMemory() })
      yield* writer.beginRoot(folderHead)
      const added = writer.addFile(name("a"), fileHead, 5, { read: () => Effect.fail("gone" as const) })
      assert.strictEqual(yield* Effect.flip(added), "gone")
    }),
  )
})
