/**
 * Encoder and decoder are each other's inverse, for everything an entry can be; and no byte of an entry can change
 * without being refused or being read as something else.
 */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary } from "effect"
import * as ByteBuilder from "../../../src/domain/ByteBuilder.ts"
import type { Child } from "../../../src/domain/pxar/Entry.ts"
import * as EntryDecoder from "../../../src/domain/pxar/EntryDecoder.ts"
import * as EntryEncoder from "../../../src/domain/pxar/EntryEncoder.ts"
import * as FormatError from "../../../src/domain/pxar/FormatError.ts"
import * as GoodbyeEncoder from "../../../src/domain/pxar/GoodbyeEncoder.ts"
import * as GoodbyeTable from "../../../src/domain/pxar/GoodbyeTable.ts"
import * as Limits from "../../../src/domain/pxar/Limits.ts"
import * as Result from "effect/Result"
import * as Tree from "../../support/Tree.ts"
import * as TreeArbitrary from "../../support/TreeArbitrary.ts"
import { anyInteger, anyU32, windowOf } from "./helpers.ts"

/** Where the child begins: far enough for a hard link to lead back. */
const AT = 5000

type Part = Exclude<Tree.Tree, { readonly _tag: "Directory" }>

/** All children of a tree that are no folders. */
const parts = (directory: Tree.Directory): ReadonlyArray<readonly [Uint8Array, Part]> =>
  directory.children.flatMap(({ name, tree }) => (tree._tag === "Directory" ? parts(tree) : [[name, tree] as const]))

const encode = (write: (to: ByteBuilder.ByteBuilder) => void): Buffer => {
  const to = ByteBuilder.make(64)
  write(to)
  return Buffer.from(ByteBuilder.contents(to))
}

const encodePart = (name: Uint8Array, part: Part, version: 1 | 2): Buffer =>
  encode((to) => {
    EntryEncoder.writeName(to, name)
    if (part._tag === "HardLink") return EntryEncoder.writeHardLink(to, 1 + part.path.length, part.path)
    EntryEncoder.writeEntry(to, part.metadata)
    switch (part._tag) {
      case "File":
        if (version === 2) return EntryEncoder.writePayloadRef(to, 16 + part.content.length, part.content.length)
        EntryEncoder.writePayloadHeader(to, part.content.length)
        return ByteBuilder.append(to, part.content)
      case "Symlink":
        return EntryEncoder.writeSymlink(to, part.target)
      case "Device":
        return EntryEncoder.writeDevice(to, part.major, part.minor)
    }
  })

/** What was decoded, encoded again. */
const encodeAgain = (bytes: Buffer, { entry, name }: Child): Buffer =>
  encode((to) => {
    EntryEncoder.writeName(to, name)
    if (entry._tag === "HardLink") return EntryEncoder.writeHardLink(to, AT - entry.target, entry.path)
    EntryEncoder.writeEntry(to, entry)
    const { body } = entry
    switch (body._tag) {
      case "File": {
        const { length, source, start } = body.content
        if (source === "payload") return EntryEncoder.writePayloadRef(to, start - 16, length)
        EntryEncoder.writePayloadHeader(to, length)
        return ByteBuilder.append(to, bytes.subarray(start - AT, start - AT + length))
      }
      case "Symlink":
        return EntryEncoder.writeSymlink(to, body.target)
      case "Device":
        return EntryEncoder.writeDevice(to, body.major, body.minor)
    }
  })

const decode = (bytes: Uint8Array, version: 1 | 2, bound = AT + bytes.length) =>
  FormatError.capture(() => EntryDecoder.readChild(windowOf(bytes, AT), AT, bound, version, Limits.defaults))

const versions = [1, 2] as const

describe("an entry", () => {
  it.prop(
    "is decoded as it was encoded, and encoded as it was decoded",
    [TreeArbitrary.trees],
    ([tree]) => {
      for (const version of versions) {
        for (const [name, part] of parts(tree)) {
          const bytes = encodePart(name, part, version)
          const child = Result.getOrThrow(decode(bytes, version))
          assert.deepStrictEqual(Buffer.from(child.name), Buffer.from(name))
          assert.strictEqual(child.entry.end, AT + bytes.length)
          if (child.entry._tag === "Entry" && part._tag !== "HardLink") {
            assert.strictEqual(child.entry.body._tag, part._tag)
            assert.deepStrictEqual(Tree.metadataOf(child.entry), part.metadata)
          }
          assert.isTrue(encodeAgain(bytes, child).equals(bytes))
        }
      }
    },
    { arbitrary: { runs: 60, size: 600 } },
  )

  it.prop(
    "that ends too early is refused, or asks for more",
    [TreeArbitrary.trees, anyU32],
    ([tree, choice]) => {
      const all = parts(tree)
      const chosen = all[choice % Math.max(1, all.length)]
      if (chosen === undefined) return
      for (const version of versions) {
        const bytes = encodePart(...chosen, version)
        const contentAt =
          chosen[1]._tag === "File" && version === 1 ? bytes.length - chosen[1].content.length : bytes.length
        for (let length = 0; length < bytes.length; length++) {
          const cut = bytes.subarray(0, length)
          // A shorter window: whatever is missing is asked for; contents are not looked at.
          const more = decode(cut, version, AT + bytes.length)
          if (Result.isFailure(more)) assert.strictEqual(more.failure._tag, "NeedBytes", `${length} bytes`)
          else assert.isAtLeast(length, contentAt)
          // A bound: nothing beyond it may be used.
          const bounded = decode(bytes, version, AT + length)
          if (Result.isFailure(bounded)) assert.strictEqual(bounded.failure._tag, "FormatError", `bound ${length}`)
          else assert.isTrue(encodeAgain(bytes, bounded.success).equals(cut), `an entry of ${length} bytes`)
        }
      }
    },
    { arbitrary: { runs: 25, size: 300 } },
  )

  it.prop(
    "in which any byte is another is refused, or is another entry",
    [TreeArbitrary.trees, anyU32, anyInteger(1, 255)],
    ([tree, choice, flip]) => {
      const all = parts(tree)
      const chosen = all[choice % Math.max(1, all.length)]
      if (chosen === undefined) return
      for (const version of versions) {
        const bytes = encodePart(...chosen, version)
        const padding = bytes.length < 17 + chosen[0].length + 56 ? -1 : 17 + chosen[0].length + 16 + 36
        for (let at = 0; at < bytes.length; at++) {
          const damaged = Buffer.from(bytes)
          damaged[at] = (damaged[at] as number) ^ flip
          const result = decode(damaged, version)
          if (Result.isFailure(result)) {
            assert.strictEqual(result.failure._tag, "FormatError", `byte ${at}`)
            continue
          }
          const { entry } = result.success
          // What the format puts up with (E2), what it repairs (§2.15) and what it ignores (§2.2).
          const repaired =
            entry._tag === "Entry" &&
            (entry.findings.length > 0 || damaged.readUInt8(17 + chosen[0].length + 17) >> 4 === 0)
          const ignored = chosen[1]._tag !== "HardLink" && at >= padding && at < padding + 4
          if (repaired || ignored) continue
          // A shorter terminal item ends before the bound: D7 is the table's.
          const end = entry.end - AT
          assert.isTrue(encodeAgain(damaged, result.success).equals(damaged.subarray(0, end)), `byte ${at} ^ ${flip}`)
        }
      }
    },
    { arbitrary: { runs: 25, size: 300 } },
  )
})

describe("a goodbye table", () => {
  const G = 1_000_000
  const anyChildren = Arbitrary.array(Arbitrary.all([anyU32, anyU32, anyInteger(1, 900_000)]), { maxLength: 40 })
  const encodeTable = (children: ReadonlyArray<readonly [number, number, number]>): Buffer => {
    const all = GoodbyeEncoder.makeChildren()
    for (const [low, high, start] of new Map(children.map((child) => [child[2], child])).values()) {
      GoodbyeEncoder.addChild(all, { low, high }, start, 20)
    }
    return encode((to) => GoodbyeEncoder.writeGoodbye(to, all, G, 0))
  }
  const decodeTable = (bytes: Uint8Array) =>
    FormatError.capture(() => {
      const window = windowOf(bytes, G)
      const tail = GoodbyeTable.readTail(window, G + bytes.length, 0, Limits.defaults)
      return GoodbyeTable.readTable(window, tail, 1)
    })

  it.prop(
    "is decoded as it was encoded, and encoded as it was decoded",
    [anyChildren],
    ([children]) => {
      const bytes = encodeTable(children)
      const table = Result.getOrThrow(decodeTable(bytes))
      assert.strictEqual(table.count, new Set(children.map(([, , start]) => start)).size)
      const all = GoodbyeEncoder.makeChildren()
      for (let slot = 0; slot < table.count; slot++) {
        const hash = GoodbyeTable.hashAt(table, slot)
        GoodbyeEncoder.addChild(all, hash, GoodbyeTable.startAt(table, slot), GoodbyeTable.sizeAt(table, slot))
      }
      const again = encode((to) => GoodbyeEncoder.writeGoodbye(to, all, G, table.directoryStart))
      if (!table.hasEqualHashes) assert.isTrue(again.equals(bytes))
      assert.strictEqual(again.length, bytes.length)
    },
    { arbitrary: { size: 100 } },
  )

  it.prop(
    "in which any byte is another is refused, or is another table",
    [anyChildren, anyInteger(1, 255)],
    ([children, flip]) => {
      const bytes = encodeTable(children)
      for (let at = 0; at < bytes.length; at++) {
        const damaged = Buffer.from(bytes)
        damaged[at] = (damaged[at] as number) ^ flip
        const result = decodeTable(damaged)
        if (Result.isFailure(result)) {
          // A tail that leads before the window asks for what is there.
          const inTail = at >= bytes.length - 24
          assert.isTrue(result.failure._tag === "FormatError" || inTail, `byte ${at}`)
          continue
        }
        const { count, directoryStart, items } = result.success
        const held = Buffer.from(items.buffer, items.byteOffset, items.byteLength)
        const isAnother = !held.equals(bytes.subarray(16, 16 + 24 * count)) || directoryStart !== 0
        assert.isTrue(isAnother, `byte ${at} ^ ${flip} changed nothing`)
      }
    },
    { arbitrary: { runs: 40, size: 40 } },
  )
})
