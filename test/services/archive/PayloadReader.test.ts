import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger } from "effect"
import type { Content } from "../../../src/domain/pxar/Entry.ts"
import { fromBytes } from "../../../src/services/bytes/ByteSource.ts"
import * as ArchiveBytes from "../../../src/services/bytes/ArchiveBytes.ts"
import * as PayloadReader from "../../../src/services/archive/PayloadReader.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import { absent, failing, present, recorded } from "./helpers.ts"

const archive = fromBytes(new Uint8Array(0), "test.mpxar")

const START = B.item(B.Type.PAYLOAD_START_MARKER)
const TAIL = B.item(B.Type.PAYLOAD_TAIL_MARKER)
/** `first` at 16, `second` at 37, then bytes that nothing refers to. */
const bytes = Buffer.concat([START, B.payload("first"), B.payload("second"), Buffer.from("padding"), TAIL])

/** The content of a file that refers to `offset` and `length`. */
const content = (offset: number, length: number): Content => ({ source: "payload", start: offset + 16, length })

const make = (payload: Uint8Array) => PayloadReader.make(archive, present(payload), 2)

const read = (reader: PayloadReader.PayloadReader, of: Content, offset = 0, length = of.length - offset) => {
  const target = Buffer.alloc(length)
  return Effect.map(reader.read(of, offset, target), () => target.toString())
}

/** Runs `effect` and gives what it logged. */
const logged = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const lines: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => void lines.push(`${logLevel} ${String(message)}`))
    return Effect.as(Effect.provide(effect, Logger.layer([logger])), lines)
  })

describe("PayloadReader.make", () => {
  it.effect("accepts the smallest payload archive, and has its size", () =>
    Effect.map(make(Buffer.concat([START, TAIL])), (reader) => {
      assert.strictEqual(reader.size, 32)
    }),
  )

  it.effect.each([
    ["nothing", Buffer.alloc(0)],
    ["31 bytes", Buffer.concat([START, TAIL]).subarray(0, 31)],
    ["no start marker", Buffer.concat([TAIL, TAIL])],
    ["a start marker of another size", B.poke(Buffer.concat([START, TAIL]), 8, 32)],
    ["the metadata archive", B.build({ version: 2, children: [B.file("a", "abc")] }).bytes],
  ] as const)("refuses %s (P1)", ([, payload]) =>
    Effect.gen(function* () {
      const error = yield* failing(make(payload), "Malformed", "P1")
      assert.strictEqual(error.archive, "test.ppxar")
    }),
  )

  it.effect("reports a missing tail marker and goes on (P2)", () =>
    Effect.gen(function* () {
      const cut = bytes.subarray(0, -1)
      const lines = yield* logged(make(cut))
      assert.lengthOf(lines, 1)
      assert.match(lines[0]!, /^Warn .*test\.ppxar/)
      assert.strictEqual(yield* read(yield* make(cut), content(16, 5)), "first")
    }),
  )

  it.effect("reports nothing about a whole payload archive", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* logged(make(bytes)), [])
    }),
  )

  it.effect("does not support a payload archive of a version 1 archive", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(PayloadReader.make(archive, present(bytes), 1))
      assert.strictEqual(error.kind, "Unsupported")
    }),
  )

  it.effect("asks nothing of an absent one", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* PayloadReader.make(archive, absent, 1)).size, 0)
      assert.strictEqual((yield* PayloadReader.make(archive, absent, 2)).size, 0)
    }),
  )

  it.effect("fails with IO where the source does, also in the tail", () =>
    Effect.gen(function* () {
      for (const bad of [0, bytes.length - 16]) {
        const source = recorded(bytes, "test.ppxar")
        source.failOn = (offset) => offset === bad
        const error = yield* failing(PayloadReader.make(archive, { _tag: "Present", source }, 2), "IO", "H6")
        assert.strictEqual(error.archive, "test.ppxar")
      }
    }),
  )

  it.effect("reads its two ends only", () =>
    Effect.gen(function* () {
      const source = recorded(bytes)
      yield* PayloadReader.make(archive, { _tag: "Present", source }, 2)
      assert.deepStrictEqual(source.reads, [
        [0, 16],
        [bytes.length - 16, 16],
      ])
    }),
  )
})

describe("PayloadReader.read", () => {
  it.effect("reads where the reference points, in any order", () =>
    Effect.gen(function* () {
      const reader = yield* make(bytes)
      assert.strictEqual(yield* read(reader, content(37, 6)), "second")
      assert.strictEqual(yield* read(reader, content(16, 5)), "first")
      assert.strictEqual(yield* read(reader, content(37, 6)), "second")
    }),
  )

  it.effect("reads a part of a file", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* read(yield* make(bytes), content(37, 6), 2, 3), "con")
    }),
  )

  it.effect("reads an empty file", () =>
    Effect.gen(function* () {
      const payload = Buffer.concat([START, B.payload(""), TAIL])
      assert.strictEqual(yield* read(yield* make(payload), content(16, 0)), "")
    }),
  )

  it.effect("checks a reference once, then reads with one read", () =>
    Effect.gen(function* () {
      const source = recorded(bytes)
      const reader = yield* PayloadReader.make(archive, { _tag: "Present", source }, 2)
      source.reads.length = 0
      yield* read(reader, content(16, 5))
      yield* read(reader, content(16, 5), 1, 2)
      assert.deepStrictEqual(source.reads, [
        [16, 16],
        [32, 5],
        [33, 2],
      ])
    }),
  )

  it.effect.each([
    ["another size", content(16, 4)],
    ["a file that begins elsewhere", content(16 + 21 + 22 + 7, 0)],
    ["the start marker", content(0, 0)],
  ] as const)("refuses %s (P3)", ([, of]) =>
    Effect.gen(function* () {
      const error = yield* failing(read(yield* make(bytes), of), "Malformed", "P3")
      assert.strictEqual(error.archive, "test.ppxar")
      assert.strictEqual(error.offset, of.start - 16)
    }),
  )

  it.effect.each([
    ["content that crosses the end", content(37, bytes.length - 37 - 16 + 1)],
    ["a header that crosses the end", content(bytes.length - 15, 0)],
    ["an offset far beyond the end", content(2 ** 45, 5)],
  ] as const)("refuses %s (P4)", ([, of]) =>
    Effect.gen(function* () {
      const reader = yield* make(bytes)
      yield* failing(reader.read(of, 0, new Uint8Array(0)), "Malformed", "P4")
    }),
  )

  it.effect("checks a reference again that was refused", () =>
    Effect.gen(function* () {
      const reader = yield* make(bytes)
      yield* failing(read(reader, content(16, 4)), "Malformed", "P3")
      yield* failing(read(reader, content(16, 4)), "Malformed", "P3")
      assert.strictEqual(yield* read(reader, content(16, 5)), "first")
    }),
  )

  it.effect("fails with IO where the source does, and asks it again the next time", () =>
    Effect.gen(function* () {
      const source = recorded(bytes, "test.ppxar")
      const reader = yield* PayloadReader.make(archive, { _tag: "Present", source }, 2)
      for (const bad of [16, 32]) {
        source.failOn = (offset) => offset === bad
        const error = yield* failing(read(reader, content(16, 5)), "IO", "H6")
        assert.strictEqual(error.archive, "test.ppxar")
      }
      source.failOn = () => false
      assert.strictEqual(yield* read(reader, content(16, 5)), "first")
    }),
  )

  it.effect("remembers a bounded number of references, and still reads all of them", () =>
    Effect.gen(function* () {
      const count = 66_000
      const payloads = Array.from({ length: count }, () => B.payload("x"))
      const reader = yield* make(Buffer.concat([START, ...payloads, TAIL]))
      for (let index = 0; index < count; index += 1) yield* reader.read(content(16 + 17 * index, 1), 0, Buffer.alloc(1))
      assert.strictEqual(yield* read(reader, content(16, 1)), "x")
    }),
  )

  it.effect("without a payload archive names the file that is missing (P5)", () =>
    Effect.gen(function* () {
      const reader = yield* PayloadReader.make(archive, { _tag: "Absent", expected: "/b/test.ppxar" }, 2)
      const error = yield* failing(read(reader, content(16, 5)), "Unsupported", "P5")
      assert.strictEqual(error.archive, "test.mpxar")
      assert.include(error.message, "/b/test.ppxar")
    }),
  )
})

describe("PayloadSource", () => {
  it.effect("is absent unless a layer says otherwise", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* ArchiveBytes.PayloadSource, { _tag: "Absent", expected: undefined })
    }),
  )
})
