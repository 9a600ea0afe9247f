/**
 * A source of bytes that fails: for a moment, for good, slowly, short. Every failure is EIO for the request that met it
 * and for no other; nothing that failed is remembered; and never are there other bytes than those of the archive.
 */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Logger } from "effect"
import { anyInteger } from "../domain/pxar/helpers.ts"
import * as H from "../fuse/harness.ts"
import * as ArchiveReader from "../../src/services/archive/ArchiveReader.ts"
import { fromBytes, type ByteSource, SourceError } from "../../src/services/bytes/ByteSource.ts"
import * as Archive from "../../src/services/tree/Archive.ts"
import { absent } from "../services/archive/helpers.ts"
import * as B from "../support/ArchiveBuilder.ts"
import * as Golden from "../support/Golden.ts"
import * as Wire from "../support/Wire.ts"

/** A source that fails the reads for which it is told to. */
const flaky = (bytes: Uint8Array, fails: (read: number) => boolean): ByteSource & { readonly reads: () => number } => {
  const inner = fromBytes(bytes, "flaky")
  let reads = 0
  return {
    name: "flaky",
    size: inner.size,
    reads: () => reads,
    read: (target, offset) =>
      Effect.suspend(() =>
        fails(reads++)
          ? Effect.fail(new SourceError({ source: "flaky", offset, detail: "connection reset" }))
          : inner.read(target, offset),
      ),
  }
}

const silent = Effect.provide(Logger.layer([]))

/** The contents of all files, by path. */
const contents = Effect.fnUntraced(function* (reader: ArchiveReader.ArchiveReader) {
  const archive = Archive.fromReader(reader)
  const all = new Map<string, string>()
  for (const view of Golden.collisionsV1.view().slice(0, 40)) {
    if (view.kind !== "file") continue
    const found = yield* archive.find(view.path)
    all.set(view.path.toString("latin1"), Buffer.from(yield* archive.read(found, 0, 100_000)).toString("hex"))
  }
  return all
})

const { bytes } = Golden.load(Golden.collisionsV1)

describe("a source that fails once", () => {
  it.effect("at any read fails one operation, and the next try gives what is there", () =>
    Effect.gen(function* () {
      const whole = flaky(bytes, () => false)
      const expected = yield* contents(yield* ArchiveReader.make(whole, absent, H.uncached))
      for (let bad = 0; bad < whole.reads(); bad += 3) {
        const source = flaky(bytes, (read) => read === bad)
        const attempt = Effect.flatMap(ArchiveReader.make(source, absent, H.uncached), contents)
        const failure = yield* Effect.flip(attempt)
        assert.strictEqual(failure._tag === "ArchiveError" ? failure.check : failure._tag, "H6", `read ${bad}`)
      }
      assert.isAbove(expected.size, 20)
    }),
  )

  it.effect("leaves nothing wrong in the caches of the reader", () =>
    Effect.gen(function* () {
      const expected = yield* contents(yield* ArchiveReader.make(fromBytes(bytes), absent))
      let failing = false
      let count = 0
      const source = flaky(bytes, () => failing && count++ % 2 === 0)
      const reader = yield* ArchiveReader.make(source, absent, { blocks: { blockSize: 512, capacity: 2048 } })
      for (let round = 0; round < 20; round++) {
        failing = true
        yield* Effect.ignore(contents(reader))
        failing = false
        assert.deepStrictEqual(yield* contents(reader), expected)
      }
    }),
  )

  it.effect.prop(
    "in any pattern gives right bytes or EIO, never others",
    [Arbitrary.array(anyInteger(0, 1), { minLength: 5, maxLength: 60 })],
    ([pattern]) =>
      Effect.gen(function* () {
        let on = false
        const source = flaky(H.helloBytes(), (read) => on && pattern[read % pattern.length] === 1)
        const served = yield* H.serve({ source, options: H.uncached })
        yield* served.ask(Wire.lookup(2, 1, "hello"))
        on = true
        for (let turn = 0; turn < 8; turn++) {
          const { body, errno } = Wire.parseReply(yield* served.ask(Wire.read(4 + 2 * turn, H.HELLO, 0, 10)))
          if (errno !== 0) assert.strictEqual(errno, Wire.Errno.EIO)
          else assert.strictEqual(body.toString(), "hi\n")
        }
        on = false
        Wire.assertBytes(yield* served.ask(Wire.read(90, H.HELLO, 0, 10)), Wire.reply(90, 0, Buffer.from("hi\n")))
        assert.strictEqual(yield* served.registry.count(H.HELLO_ID), 1)
      }).pipe(Effect.scoped, silent),
    { arbitrary: { runs: 60, size: 60 } },
  )
})

describe("a source that fails for good", () => {
  it.effect("answers EIO to everything that needs it, and the session goes on", () =>
    Effect.gen(function* () {
      let broken = false
      const source = flaky(H.helloBytes(), () => broken)
      const served = yield* H.serve({ source, options: H.uncached })
      yield* served.ask(Wire.lookup(2, 1, "hello"))
      broken = true
      const asked = [
        Wire.lookup(4, 1, "link"),
        Wire.getattr(6, H.HELLO),
        Wire.read(8, H.HELLO, 0, 10),
        Wire.getxattr(10, H.HELLO, "user.a", 10),
        Wire.listxattr(12, H.HELLO, 10),
        Wire.readdirplus(14, 1, 0, 4096),
        Wire.readdir(16, 1, 0, 4096),
      ]
      for (const [index, message] of asked.entries()) Wire.assertErrno(yield* served.ask(message), 4 + 2 * index, "EIO")
      assert.strictEqual(Wire.parseReply(yield* served.ask(Wire.statfs(90))).errno, 0)
      assert.deepStrictEqual([...(yield* served.registry.held)].sort(), [1, H.HELLO_ID].sort())
    }).pipe(Effect.scoped, silent),
  )

  it.effect("is told once a file, not once a request", () =>
    H.logged((log) =>
      Effect.gen(function* () {
        let broken = false
        const source = flaky(H.helloBytes(), () => broken)
        const served = yield* H.serve({ source, options: H.uncached })
        yield* served.ask(Wire.lookup(2, 1, "hello"))
        broken = true
        for (let turn = 0; turn < 20; turn++) yield* served.ask(Wire.read(4 + 2 * turn, H.HELLO, 0, 10))
        assert.isAtMost(log.length, 2, log.join("\n"))
      }),
    ).pipe(Effect.scoped),
  )
})

describe("a source that is slow", () => {
  it.effect("holds up no request that does not need the same bytes", () =>
    Effect.gen(function* () {
      const built = B.build({ children: [B.file("slow", "x".repeat(9000)), B.file("fast", "quick")] })
      const source = H.gated(built.bytes)
      const served = yield* H.serve({ source })
      yield* served.ask(Wire.lookup(2, 1, "slow"))
      yield* served.ask(Wire.lookup(4, 1, "fast"))
      const { start } = built.at("slow")
      yield* source.hold(start + 56, start + 9000)
      const node = (name: string) => (1n << 63n) | BigInt(built.at(name).start)
      yield* served.send(Wire.read(6, node("slow"), 0, 9000))
      yield* source.reached
      for (let turn = 0; turn < 50; turn++) {
        const unique = 8 + 2 * turn
        const quick = Wire.reply(unique, 0, Buffer.from("quick"))
        Wire.assertBytes(yield* served.ask(Wire.read(unique, node("fast"), 0, 100)), quick)
      }
      yield* source.open
      assert.strictEqual(Wire.parseReply(yield* served.reply).unique, 6n)
    }).pipe(Effect.scoped),
  )
})
