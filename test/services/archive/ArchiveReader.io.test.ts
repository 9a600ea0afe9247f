/** How the reader uses its byte source: failures, interruption, number of reads, what is kept in memory. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import * as ArchiveReader from "../../../src/services/archive/ArchiveReader.ts"
import { fromBytes, type ByteSource } from "../../../src/services/bytes/ByteSource.ts"
import { text } from "../../domain/pxar/helpers.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import { absent, children, failing, find, listed, readText, recorded } from "./helpers.ts"

const many = Array.from({ length: 500 }, (_, index) => B.file(`file ${index}`, `content ${index}`))
const built = B.build({ children: [B.folder("d", many), B.folder("e", [B.file("x", "xyz")])] })
const small = { blocks: { blockSize: 256, capacity: 256 } }

describe("a source that fails", () => {
  it.effect("fails the opening with IO (H6), and names the source", () =>
    Effect.gen(function* () {
      const source = recorded(built.bytes, "/dev/bad")
      source.failOn = () => true
      const error = yield* failing(ArchiveReader.make(source, absent), "IO", "H6")
      assert.strictEqual(error.archive, "/dev/bad")
      assert.include(error.message, "disk on fire")
    }),
  )

  it.effect("fails what needs the bad bytes with IO, and leaves the rest alone", () =>
    Effect.gen(function* () {
      const source = recorded(built.bytes)
      const reader = yield* ArchiveReader.make(source, absent, small)
      const bad = built.at("d").goodbye
      source.failOn = (offset, length) => offset <= bad && bad < offset + length
      yield* failing(
        Effect.flatMap(find(reader, "d"), ({ node }) => reader.count(node)),
        "IO",
        "H6",
      )
      assert.strictEqual(yield* readText(reader, "e/x"), "xyz")
    }),
  )

  it.effect("does not make a name absent: a lookup that could not read a name fails", () =>
    Effect.gen(function* () {
      const source = recorded(built.bytes)
      const reader = yield* ArchiveReader.make(source, absent, small)
      const { node } = yield* find(reader, "d")
      yield* reader.count(node)
      source.failOn = () => true
      yield* failing(reader.lookup(node, Buffer.from("file 250")), "IO", "H6")
    }),
  )

  it.effect("is asked again afterwards: a failure is not kept", () =>
    Effect.gen(function* () {
      const source = recorded(built.bytes)
      const reader = yield* ArchiveReader.make(source, absent, small)
      source.failOn = () => true
      yield* failing(find(reader, "d/file 250"), "IO", "H6")
      yield* failing(readText(reader, "e/x"), "IO", "H6")
      source.failOn = () => false
      assert.strictEqual(yield* readText(reader, "d/file 250"), "content 250")
      assert.strictEqual(yield* readText(reader, "e/x"), "xyz")
    }),
  )
})

/** A source whose reads wait for `gate`; says through `waiting` that one does. */
const gated = (bytes: Uint8Array, waiting: Deferred.Deferred<void>, gate: Deferred.Deferred<void>) => {
  const source = fromBytes(bytes)
  const self: ByteSource & { open: boolean } = {
    name: source.name,
    size: source.size,
    open: true,
    read: (target, offset) =>
      Effect.suspend(() =>
        self.open
          ? source.read(target, offset)
          : Deferred.succeed(waiting, undefined).pipe(
              Effect.andThen(Deferred.await(gate)),
              Effect.andThen(Effect.suspend(() => source.read(target, offset))),
            ),
      ),
  }
  return self
}

describe("a source that is slow", () => {
  it.effect("can be interrupted in a lookup, which then works again", () =>
    Effect.gen(function* () {
      const [waiting, gate] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const source = gated(built.bytes, waiting, gate)
      const reader = yield* ArchiveReader.make(source, absent, small)
      source.open = false
      const fiber = yield* Effect.forkChild(find(reader, "d/file 7"))
      yield* Deferred.await(waiting)
      yield* Fiber.interrupt(fiber)
      source.open = true
      assert.strictEqual(yield* readText(reader, "d/file 7"), "content 7")
    }),
  )

  it.effect("serves several readers that wait for the same bytes", () =>
    Effect.gen(function* () {
      const [waiting, gate] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const source = gated(built.bytes, waiting, gate)
      const reader = yield* ArchiveReader.make(source, absent, small)
      source.open = false
      const names = ["d/file 1", "d/file 2", "e/x", "d/file 1"]
      const fiber = yield* Effect.forkChild(
        Effect.forEach(names, (name) => readText(reader, name), { concurrency: "unbounded" }),
      )
      yield* Deferred.await(waiting)
      yield* Deferred.succeed(gate, undefined)
      assert.deepStrictEqual(yield* Fiber.join(fiber), ["content 1", "content 2", "xyz", "content 1"])
    }),
  )
})

describe("the number of reads", () => {
  it.effect("to open a small archive is one", () =>
    Effect.gen(function* () {
      const source = recorded(B.build({ children: [B.file("a", "abc")] }).bytes)
      yield* ArchiveReader.make(source, absent)
      assert.lengthOf(source.reads, 1)
    }),
  )

  it.effect("to open a large archive is two: its start and its end", () =>
    Effect.gen(function* () {
      const source = recorded(B.build({ children: [B.file("a", Buffer.alloc(1_000_000))] }).bytes)
      yield* ArchiveReader.make(source, absent)
      assert.lengthOf(source.reads, 2)
    }),
  )

  it.effect("does not depend on the size of the prelude", () =>
    Effect.gen(function* () {
      const head = Buffer.concat([B.formatVersion(2), B.prelude(Buffer.alloc(2_000_000))])
      const source = recorded(B.build({ version: 2, head }).bytes)
      const reader = yield* ArchiveReader.make(source, absent)
      assert.strictEqual(yield* reader.count(reader.root), 0)
      assert.isBelow(Math.max(...source.reads.map(([, length]) => length)), 100_000)
      assert.isAtMost(source.reads.length, 4)
    }),
  )

  it.effect("to list 500 neighbours is that of their blocks, not of the children", () =>
    Effect.gen(function* () {
      const source = recorded(built.bytes)
      const reader = yield* ArchiveReader.make(source, absent)
      const { node } = yield* find(reader, "d")
      assert.lengthOf(yield* children(reader, node), 500)
      assert.isAtMost(source.reads.length, 20)
    }),
  )

  it.effect("for a second look at an entry among neighbours is none", () =>
    Effect.gen(function* () {
      const source = recorded(built.bytes)
      const reader = yield* ArchiveReader.make(source, absent)
      yield* find(reader, "e/x")
      source.reads.length = 0
      yield* find(reader, "e/x")
      assert.lengthOf(source.reads, 0)
    }),
  )

  it.effect("for content is one, of the bytes asked for", () =>
    Effect.gen(function* () {
      const archive = B.build({ children: [B.file("a", Buffer.alloc(300_000)), B.file("b", "b")] })
      const source = recorded(archive.bytes)
      const reader = yield* ArchiveReader.make(source, absent)
      const { node } = yield* find(reader, "a")
      source.reads.length = 0
      yield* reader.content(node, 1000, new Uint8Array(5000))
      assert.deepStrictEqual(source.reads, [[archive.at("a").end - 300_000 + 1000, 5000]])
    }),
  )

  it.effect("stays bounded whatever table size the archive claims", () =>
    Effect.gen(function* () {
      const archive = B.build({ children: [B.file("a", Buffer.alloc(2_000_000)), B.folder("d", [])] })
      const end = archive.at("d").end
      // The table claims to be as large as all that stands before it.
      const claimed = end - archive.at("d").start - ((end - archive.at("d").start - 40) % 24)
      const source = recorded(B.poke(archive.bytes, end - 8, claimed))
      const reader = yield* ArchiveReader.make(source, absent)
      const { node } = yield* find(reader, "d")
      source.reads.length = 0
      yield* Effect.exit(reader.count(node))
      assert.isAtMost(
        source.reads.reduce((sum, [, length]) => sum + length, 0),
        100_000,
      )
    }),
  )
})

describe("directory tables", () => {
  it.effect("are read again after they were released", () =>
    Effect.gen(function* () {
      const source = recorded(built.bytes)
      const reader = yield* ArchiveReader.make(source, absent, small)
      const { node } = yield* find(reader, "d")
      const readsOf = (use: Effect.Effect<unknown, unknown>) =>
        Effect.gen(function* () {
          source.reads.length = 0
          yield* use
          return source.reads.length
        })
      yield* reader.count(node)
      assert.strictEqual(yield* readsOf(reader.count(node)), 0)
      yield* reader.release(node)
      assert.isAbove(yield* readsOf(reader.count(node)), 0)
      assert.strictEqual(yield* reader.count(node), 500)
    }),
  )

  it.effect("are listed in the order of the archive", () =>
    Effect.gen(function* () {
      const reader = yield* ArchiveReader.make(fromBytes(built.bytes), absent)
      const { node } = yield* find(reader, "d")
      assert.deepStrictEqual(
        (yield* listed(reader, node)).map(({ name }) => text(name!)),
        many.map((file) => file.name),
      )
    }),
  )

  it.effect("of empty folders list nothing", () =>
    Effect.gen(function* () {
      const reader = yield* ArchiveReader.make(fromBytes(B.build({}).bytes), absent)
      assert.lengthOf(yield* listed(reader, reader.root), 0)
      assert.strictEqual(yield* reader.count(reader.root), 0)
    }),
  )
})
