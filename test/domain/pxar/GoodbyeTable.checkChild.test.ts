import { describe, it } from "@effect/vitest"
import * as EntryDecoder from "../../../src/domain/pxar/EntryDecoder.ts"
import * as GoodbyeTable from "../../../src/domain/pxar/GoodbyeTable.ts"
import * as Limits from "../../../src/domain/pxar/Limits.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import { assertFails, windowOf } from "./helpers.ts"

/** Runs `checkChild` on the child `name` of the root of an archive, of which the goodbye size is changed by `by`. */
const check = (built: B.Built, name: string, by = 0, version: 1 | 2 = 1) => {
  const sizeAt = built.at("").slot(name) + 16
  const bytes = B.poke(built.bytes, sizeAt, built.bytes.readBigUInt64LE(sizeAt) + BigInt(by))
  const window = windowOf(bytes)
  const tail = GoodbyeTable.readTail(window, bytes.length, 0, Limits.defaults)
  const table = GoodbyeTable.readTable(window, tail, 0)
  const slot = (built.at("").slot(name) - tail.start - 16) / 24
  const start = GoodbyeTable.startAt(table, slot)
  const bound = GoodbyeTable.boundOf(table, start)
  GoodbyeTable.checkChild(table, slot, EntryDecoder.readChild(window, start, bound, version, Limits.defaults), bound)
}

const v1 = B.build({
  children: [
    B.file("file", "content"),
    B.folder("folder", [B.file("x", "abc")]),
    B.raw("fifo", B.entry({ mode: 0o10644 })),
    B.raw("link", B.entry({ mode: 0o120777 }), B.symlink("file")),
    B.raw("null", B.entry({ mode: 0o20666 }), B.device(1, 3)),
    B.linkTo("hard", "file"),
  ],
})

const names = ["file", "folder", "fifo", "link", "null", "hard"]

describe("GoodbyeTable.checkChild", () => {
  it.each(names)("accepts the exact size of %s", (name) => {
    check(v1, name)
  })

  it.each(names.filter((name) => name !== "folder"))("refuses a size of %s that is off by one (D7)", (name) => {
    assertFails(() => check(v1, name, 1), "Malformed", "D7")
    assertFails(() => check(v1, name, -1), "Malformed", "D7")
  })

  it("refuses a directory that does not end at its bound (D6)", () => {
    assertFails(() => check(v1, "folder", 1), "Malformed", "D6")
    assertFails(() => check(v1, "folder", -40), "Malformed", "D6")
  })

  it("refuses a v1 file whose size counts the content twice (D7)", () => {
    assertFails(() => check(v1, "file", 7), "Malformed", "D7")
  })

  const split = (countPayload: boolean) =>
    B.build({
      version: 2,
      countPayload,
      children: [B.file("file", "content"), B.file("inline", "abc", { inline: true })],
    })

  it("accepts a v2 file whose size includes its payload (§3.3)", () => {
    check(split(true), "file", 0, 2)
  })

  it("accepts a v2 file of exact size (§3.3)", () => {
    check(split(false), "file", 0, 2)
  })

  it.each([1, 6, 8])("refuses a v2 file whose size is %i bytes more than exact (D7)", (by) => {
    assertFails(() => check(split(false), "file", by, 2), "Malformed", "D7")
  })

  it("takes inline content in a v2 archive for the exact size only (D7)", () => {
    check(split(true), "inline", 0, 2)
    assertFails(() => check(split(true), "inline", 3, 2), "Malformed", "D7")
  })

  it("refuses a hash that is not the name's (D8)", () => {
    const built = B.build({ children: [B.file("file", "abc")] })
    const slot = built.at("").slot("file")
    const bytes = B.poke(built.bytes, slot, B.sipHash("file") ^ 1n)
    assertFails(() => check({ ...built, bytes }, "file"), "Malformed", "D8")
    const upper = B.poke(built.bytes, slot, B.sipHash("file") ^ (1n << 32n))
    assertFails(() => check({ ...built, bytes: upper }, "file"), "Malformed", "D8")
  })
})
