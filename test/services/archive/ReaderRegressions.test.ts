/** Deviations found by review, each with its smallest archive. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope } from "effect"
import * as fs from "node:fs"
import * as nodePath from "node:path"
import * as FileSource from "../../../src/services/bytes/FileSource.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Processes from "../../support/Processes.ts"
import { failing, find, open, readText } from "./helpers.ts"

describe("a first child whose name is damaged", () => {
  const built = B.build({
    children: [B.file("a", "1"), B.folder("d", [B.file("x", "2"), B.file("y", "3")]), B.file("z", "4")],
  })

  it.effect.each([5, 17, 5000, 2 ** 40])("in its size (%i) does not keep its folder from being used", (size) =>
    Effect.gen(function* () {
      const reader = yield* open(B.poke(built.bytes, built.at("d/x").nameStart + 8, size))
      assert.strictEqual(yield* readText(reader, "d/y"), "3")
    }),
  )

  it.effect.each([5, 17, 5000, 2 ** 40])("in its size (%i) does not keep the archive from being opened", (size) =>
    Effect.gen(function* () {
      const reader = yield* open(B.poke(built.bytes, built.at("a").nameStart + 8, size))
      assert.strictEqual(yield* readText(reader, "d/y"), "3")
    }),
  )

  it.effect("an empty folder with a bad table has its stat", () =>
    Effect.gen(function* () {
      const { at, bytes } = B.build({ children: [B.folder("d", [])] })
      const reader = yield* open(B.poke(bytes, at("d").goodbye + 8, 9))
      const { entry, node } = yield* find(reader, "d")
      assert.strictEqual(entry.mode, 0o40755)
      assert.strictEqual(yield* reader.count(node), 0)
      assert.deepInclude((yield* reader.flaws(node))[0]?.error, { check: "H1" })
    }),
  )
})

describe("a name that cannot be read", () => {
  it.effect("is not taken for absent", () =>
    Effect.gen(function* () {
      const built = B.build({
        children: [B.file("good"), { ...B.file("bad"), filename: B.item(B.Type.FILENAME, Buffer.from("badx")) }],
      })
      const reader = yield* open(built.bytes)
      yield* failing(reader.lookup(reader.root, Buffer.from("bad")), "Malformed", "N1")
      assert.isUndefined(yield* reader.lookup(reader.root, Buffer.from("none")))
    }),
  )
})

describe("two references to one payload", () => {
  const reference = (name: string, size: number) => B.raw(name, B.entry(), B.payloadRef(16, size))
  const built = B.build({ version: 2, children: [B.file("a", "aaa"), reference("short", 2), reference("long", 3000)] })

  it.effect("are checked each for its length (P3, P4)", () =>
    Effect.gen(function* () {
      const reader = yield* open(built.bytes, built.payload)
      assert.strictEqual(yield* readText(reader, "a"), "aaa")
      yield* failing(readText(reader, "short"), "Malformed", "P3")
      yield* failing(readText(reader, "long"), "Malformed", "P4")
    }),
  )
})

describe("a reference to no PAYLOAD header", () => {
  const built = B.build({ version: 2, children: [B.file("a", "aaa")] })

  it.effect.each([
    ["an unknown type", 16, 77],
    ["a size below the header's", 24, 5],
    ["a size beyond the archive", 24, 2 ** 40],
  ] as const)("is malformed: %s (P3)", ([, at, value]) =>
    Effect.gen(function* () {
      yield* failing(readText(yield* open(built.bytes, B.poke(built.payload, at, value)), "a"), "Malformed", "P3")
    }),
  )
})

describe("a hard link", () => {
  it.effect.each([
    ["bytes that are no item", 30],
    ["an ENTRY", 56 + 19],
  ] as const)("to %s is malformed (L2)", ([, offset]) =>
    Effect.gen(function* () {
      const reader = yield* open(B.build({ children: [B.file("a", "aaa"), B.raw("l", B.hardlink(offset, "a"))] }).bytes)
      yield* failing(find(reader, "l"), "Malformed", "L2")
    }),
  )

  it.effect("does not care for the name of its target (§4.6)", () =>
    Effect.gen(function* () {
      const built = B.build({ children: [B.file("a", "aaa"), B.linkTo("l", "a")] })
      const reader = yield* open(B.splice(built.bytes, built.at("a").nameStart + 16, Buffer.from("/")))
      assert.strictEqual(yield* readText(reader, "l"), "aaa")
    }),
  )
})

describe("what is read", () => {
  it.effect("holds no more memory than itself", () =>
    Effect.gen(function* () {
      const target = B.raw("link", B.entry({ mode: 0o120777 }), B.xattr("user.a", "value"), B.symlink("target"))
      const reader = yield* open(B.build({ children: [target, B.file("x", "x".repeat(20_000))] }).bytes)
      const { entry, name } = yield* find(reader, "link")
      assert.strictEqual(name.buffer.byteLength, 4)
      assert.strictEqual(entry.body._tag === "Symlink" ? entry.body.target.buffer.byteLength : -1, 6)
      const [attribute] = entry.attributes.xattrs
      assert.strictEqual(attribute!.name.buffer.byteLength, "user.a".length)
      assert.strictEqual(attribute!.value.buffer.byteLength, "value".length)
    }),
  )
})

describe("a file source that is closed", () => {
  const opened = Effect.gen(function* () {
    const path = nodePath.join(yield* Processes.temporaryFolder, "x.pxar")
    fs.writeFileSync(path, Buffer.alloc(8192))
    const scope = yield* Scope.make()
    return { path, scope, source: yield* Scope.provide(FileSource.open(path), scope) }
  })

  it.live("still answers a read in flight", () =>
    Effect.gen(function* () {
      const { path, scope, source } = yield* opened
      fs.truncateSync(path, 4096)
      const fiber = yield* Effect.forkChild(Effect.exit(source.read(new Uint8Array(8192), 0)), {
        startImmediately: true,
      })
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(Exit.hasFails(yield* Fiber.join(fiber)))
    }),
  )

  it.live("fails to be read, and does not touch a descriptor that has its number now", () =>
    Effect.gen(function* () {
      const { scope, source } = yield* opened
      yield* Scope.close(scope, Exit.void)
      const error = yield* Effect.flip(source.read(new Uint8Array(10), 0))
      assert.strictEqual(error._tag, "SourceError")
    }),
  )
})
