import { assert, describe, it } from "@effect/vitest"
import * as ArchiveHead from "../../../src/domain/pxar/ArchiveHead.ts"
import * as FormatError from "../../../src/domain/pxar/FormatError.ts"
import * as ForwardDecoder from "../../../src/domain/pxar/ForwardDecoder.ts"
import * as Limits from "../../../src/domain/pxar/Limits.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Golden from "../../support/Golden.ts"
import * as Layout from "../../support/Layout.ts"
import { anyInteger, windowOf } from "./helpers.ts"

/** What comes by: paths and positions. Ends with what stopped it, if that is not the end of the root. */
interface Seen {
  readonly lines: ReadonlyArray<string>
  readonly stop: FormatError.FormatError | "more" | undefined
  readonly position: number
}

const latin1 = (bytes: Uint8Array | undefined): string =>
  bytes === undefined ? "?" : Buffer.from(bytes).toString("latin1")

/** Decodes `bytes`, of which at most `step` more are shown each time that they do not suffice. */
const decode = (bytes: Buffer, step: number, limits: Partial<Limits.Limits> = {}): Seen => {
  const head = ArchiveHead.readHead(windowOf(bytes), bytes.length)
  const decoder = new ForwardDecoder.ForwardDecoder({
    position: head.entryStart,
    version: head.version,
    bound: 2 ** 52,
    limits: { ...Limits.defaults, ...limits },
  })
  const lines: Array<string> = []
  const path: Array<string> = []
  let length = step
  for (;;) {
    const { position } = decoder
    const result = FormatError.capture(() =>
      decoder.next(windowOf(bytes.subarray(position, position + length), position)),
    )
    if (result._tag === "Failure") {
      const { failure } = result
      if (failure._tag === "FormatError") return { lines, stop: failure, position: decoder.position }
      if (failure.end > bytes.length) return { lines, stop: "more", position: decoder.position }
      // Passed over what is not needed: what is needed begins elsewhere.
      length = decoder.position === position ? length + step : step
      continue
    }
    length = step
    const event = result.success
    const at = (name: Uint8Array | undefined): string => `/${[...path, latin1(name)].join("/")}`
    switch (event._tag) {
      case "Enter":
        lines.push(`enter ${event.nameStart === 0 ? "/" : at(event.name)} ${event.nameStart}`)
        if (event.nameStart !== 0) path.push(latin1(event.name))
        break
      case "Leaf":
        lines.push(`leaf ${at(event.name)} ${event.nameStart}`)
        break
      case "Bad":
        lines.push(`bad ${event.error.check} ${at(event.name)} ${event.nameStart}`)
        if (event.isFolder) path.push(latin1(event.name))
        break
      case "Leave":
        lines.push(`leave ${event.start} ${event.end}${event.problem === undefined ? "" : ` ${event.problem.check}`}`)
        path.pop()
        if (decoder.depth === 0) return { lines, stop: undefined, position: decoder.position }
    }
  }
}

/** The same of a sound archive, by the layout that was found without any code under test. */
const expected = (bytes: Buffer): ReadonlyArray<string> => {
  const { places } = Layout.scan(bytes)
  const lines: Array<readonly [position: number, line: string]> = []
  for (const { nameStart, path, table } of places) {
    lines.push([nameStart, `${table === undefined ? "leaf" : "enter"} ${path} ${nameStart}`])
    if (table !== undefined) lines.push([table[0], `leave ${table[0]} ${table[1]}`])
  }
  return lines.toSorted(([a], [b]) => a - b).map(([, line]) => line)
}

const sample = B.build({
  children: [
    B.file("a", "content"),
    B.folder("d", [
      B.raw("fifo", B.entry({ mode: 0o10644 })),
      B.raw("socket", B.entry({ mode: 0o140755 })),
      B.folder("empty", []),
      B.linkTo("hard", "a"),
    ]),
    B.raw("last", B.entry({ mode: 0o10644 })),
  ],
})

describe("ForwardDecoder", () => {
  for (const golden of Golden.all) {
    it(`sees all of ${golden.name}, in its order`, () => {
      const { bytes } = Golden.load(golden)
      assert.deepStrictEqual(decode(bytes, 4096).lines, expected(bytes))
    })
  }

  it("sees a FIFO or socket end where the next child or the table begins", () => {
    assert.deepStrictEqual(decode(sample.bytes, 4096).lines, expected(sample.bytes))
  })

  it.prop("does not care how bytes come", [anyInteger(1, 200)], ([step]) => {
    assert.deepStrictEqual(decode(sample.bytes, step).lines, expected(sample.bytes))
  })

  it("shows of an archive that is cut anywhere what comes before the cut", () => {
    const whole = expected(sample.bytes)
    for (let length = 100; length < sample.bytes.length; length++) {
      const { lines, position, stop } = decode(sample.bytes.subarray(0, length), 64)
      assert.strictEqual(stop, "more")
      assert.deepStrictEqual(lines, whole.slice(0, lines.length), `${length} bytes`)
      // Nothing that is whole is left out, but for what shows what it is by the header behind it.
      const ends = Layout.scan(sample.bytes).items.filter(({ end, start }) => start >= position && end <= length)
      assert.isAtMost(ends.length, 3, `${length} bytes, stopped at ${position}`)
    }
  })

  it("goes on behind a child that is bad in itself", () => {
    const { bytes } = B.build({
      children: [
        B.raw(
          "acl",
          B.entry(),
          B.item(B.Type.ACL_GROUP_OBJ, B.u64(1)),
          B.item(B.Type.ACL_GROUP_OBJ, B.u64(1)),
          B.payload("x"),
        ),
        B.folder("mode", [B.file("in")], B.entry({ mode: 0o1_040_755 })),
        B.file("slash/es", "x"),
        B.file("z", "x"),
      ],
    })
    const { lines, stop } = decode(bytes, 64)
    assert.strictEqual(stop, undefined)
    assert.deepStrictEqual(
      lines.map((line) => line.replace(/ \d+$/, "")).filter((line) => !line.startsWith("leave")),
      ["enter /", "bad E3 /acl", "bad E1 /mode", "leaf /mode/in", "bad N2 /?", "leaf /z"],
    )
  })

  it.each([
    ["what is no item", 0x1234, "H4"],
    ["an item in the wrong place", B.Type.SYMLINK, "H4"],
    ["another version", B.Type.FORMAT_VERSION, "H4"],
  ])("stops at %s, and says where", (_, type, check) => {
    const at = sample.at("last").nameStart
    const { lines, position, stop } = decode(B.poke(sample.bytes, at, type), 64)
    assert.strictEqual((stop as FormatError.FormatError).check, check)
    assert.strictEqual(position, at)
    assert.deepStrictEqual(lines, expected(sample.bytes).slice(0, -2))
  })

  it.each([
    ["D1: another value than the marker", (end: number) => [end - 24, 5] as const],
    ["D2: another size than in its header", (end: number) => [end - 8, 40] as const],
    ["D3: another folder's start", (end: number) => [end - 16, 100] as const],
  ])("leaves a folder whose tail is bad, and says what is wrong (%s)", (name, change) => {
    const [at, value] = change(sample.at("d").end)
    const { lines, stop } = decode(B.poke(sample.bytes, at, value), 64)
    assert.strictEqual(stop, undefined)
    assert.include(lines, `leave ${sample.at("d").goodbye} ${sample.at("d").end} ${name.slice(0, 2)}`)
    assert.include(lines, `leaf /last ${sample.at("last").nameStart}`)
  })

  it("does not go deeper than the limit (D11)", () => {
    const { stop } = decode(sample.bytes, 64, { depth: 1 })
    assert.deepInclude(stop, { check: "D11", kind: "Limit" })
  })

  it("refuses a root that is no folder (A5)", () => {
    const { bytes } = B.build({ root: Buffer.concat([B.entry(), B.payload("x".repeat(100))]) })
    assert.strictEqual((decode(bytes, 64).stop as FormatError.FormatError).check, "A5")
  })

  it("begins in the midst, where a folder's contents do", () => {
    const { contentsStart, start } = { start: sample.at("d").start, contentsStart: sample.at("d/fifo").nameStart }
    const decoder = new ForwardDecoder.ForwardDecoder({
      position: contentsStart,
      folder: start,
      version: 1,
      bound: sample.at("d").end,
      limits: Limits.defaults,
    })
    const seen: Array<string> = []
    while (decoder.depth > 0) seen.push(decoder.next(windowOf(sample.bytes))._tag)
    assert.deepStrictEqual(seen, ["Leaf", "Leaf", "Enter", "Leave", "Leaf", "Leave"])
    assert.strictEqual(decoder.position, sample.at("d").end)
  })
})
