/**
 * Files of which an archive has the beginning only: each byte that is there comes, and then the error.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Stream } from "effect"
import * as ArchiveReader from "../../../src/services/archive/ArchiveReader.ts"
import * as StreamReader from "../../../src/services/archive/StreamReader.ts"
import * as ByteSource from "../../../src/services/bytes/ByteSource.ts"
import type { ArchiveTree, Found } from "../../../src/services/archive/ArchiveTree.ts"
import * as Archive from "../../../src/services/tree/Archive.ts"
import * as Place from "../../../src/services/tree/Place.ts"
import * as TreeWalk from "../../../src/services/tree/TreeWalk.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import { anyInteger } from "../../domain/pxar/helpers.ts"
import { absent } from "../archive/helpers.ts"

const MIB = 1024 * 1024
const content = Buffer.alloc(2 * MIB + 12_345, "some content ")
const unified = B.build({ children: [B.file("first", "1"), B.file("cut", content)] })
const split = B.build({ version: 2, children: [B.file("first", "1"), B.file("cut", content)] })

/** What comes of the file `cut`, and what then fails. */
const deliveredBy = Effect.fnUntraced(function* (tree: ArchiveTree) {
  const parts: Array<Uint8Array> = []
  let found: Found | undefined
  yield* tree.list(tree.root, 0, (child) => {
    if (child._tag === "Found" && child.name.length === 3) found = child
    return found === undefined
  })
  if (found === undefined) return assert.fail("not found")
  const file = TreeWalk.start({ parent: Place.ROOT, name: found.name }, found)
  const archive = Archive.fromReader(tree)
  const ended = yield* Effect.result(
    Stream.runForEach(archive.content(file), (part) => Effect.sync(() => void parts.push(part))),
  )
  return {
    bytes: Buffer.concat(parts),
    check: Result.isFailure(ended) && "check" in ended.failure && ended.failure.check,
  }
})

const expected = (length: number, check: string) => ({ bytes: content.subarray(0, length), check })
const lengths = anyInteger(0, content.length - 1)
const start = unified.at("cut").end - content.length
const once = { arbitrary: { runs: 12 } }

describe("a file that is cut", () => {
  it.effect.prop(
    "in an archive gives every byte that is there",
    [lengths],
    ([length]) =>
      Effect.gen(function* () {
        const source = ByteSource.fromBytes(unified.bytes.subarray(0, start + length))
        const delivered = yield* deliveredBy(yield* ArchiveReader.make(source, absent))
        assert.deepStrictEqual(delivered, expected(length, "A4"))
      }),
    once,
  )

  it.effect.prop(
    "in a payload archive gives every byte that is there",
    [lengths],
    ([length]) =>
      Effect.gen(function* () {
        const payload = ByteSource.fromBytes(split.payload.subarray(0, 16 + 17 + 16 + length))
        const reader = yield* ArchiveReader.make(ByteSource.fromBytes(split.bytes), {
          _tag: "Present",
          source: payload,
        })
        assert.deepStrictEqual(yield* deliveredBy(reader), expected(length, "P4"))
      }),
    once,
  )

  it.effect.prop(
    "in a stream gives every byte that is there",
    [lengths],
    ([length]) =>
      Effect.gen(function* () {
        let position = 0
        const stream = {
          name: "stream",
          read: (target: Uint8Array) =>
            Effect.sync(() => {
              const part = unified.bytes.subarray(position, Math.min(start + length, position + target.length))
              target.set(part)
              position += part.length
              return part.length
            }),
        }
        const delivered = yield* deliveredBy(yield* StreamReader.make(stream, absent))
        assert.deepStrictEqual(delivered, expected(length, "A4"))
      }),
    once,
  )

  it.effect("by a source that fails gives every byte before", () =>
    Effect.gen(function* () {
      const bad = start + MIB + 4321
      const whole = ByteSource.fromBytes(unified.bytes)
      const source: ByteSource.ByteSource = {
        ...whole,
        read: (target, offset) =>
          offset <= bad && bad < offset + target.length
            ? Effect.fail(new ByteSource.SourceError({ source: "disk", offset: bad, detail: "bad sector" }))
            : whole.read(target, offset),
      }
      const delivered = yield* deliveredBy(yield* ArchiveReader.make(source, absent))
      assert.deepStrictEqual(delivered, expected(MIB + 4321, "H6"))
    }),
  )
})
