import { assert, describe, it } from "@effect/vitest"
import * as Preview from "../../../src/cli/browse/Preview.ts"

const linesOf = (bytes: Uint8Array, complete = true, columns = 80): ReadonlyArray<string> =>
  Preview.lines(Preview.ofFile(bytes, complete), columns, 10)

describe("a file", () => {
  it("of text is shown as lines", () => assert.deepStrictEqual(linesOf(Buffer.from("a\r\nb\n\tc")), ["a", "b", "\tc"]))

  it("of text may end within a character, if there is more of it", () => {
    const euro = Buffer.from("€")
    for (const length of [1, 2]) {
      const bytes = Buffer.concat([Buffer.from("a"), euro.subarray(0, length)])
      assert.deepStrictEqual(linesOf(bytes, false), ["a"])
      assert.match(linesOf(bytes, true)[0]!, /^00000000 61 e2/)
    }
    assert.deepStrictEqual(linesOf(Buffer.from("a€"), false), ["a€"])
  })

  it("of other bytes is shown in hex", () =>
    assert.deepStrictEqual(linesOf(Uint8Array.from({ length: 18 }, (_, i) => 0x3a + i - (i === 17 ? 0x4b : 0))), [
      "00000000 3a 3b 3c 3d 3e 3f 40 41 42 43 44 45 46 47 48 49  :;<=>?@ABCDEFGHI",
      "00000010 4a 00                                            J.",
    ]))

  it("in hex fits the columns that there are", () => {
    for (const columns of [80, 75, 74, 43, 42, 27, 26, 20]) {
      for (const line of linesOf(new Uint8Array(16), true, columns)) assert.isAtMost(line.length, columns)
    }
  })

  it("that is empty is said to be", () => assert.deepStrictEqual(linesOf(new Uint8Array(0)), ["(empty)"]))

  it("with escape sequences is text: a log, for example", () =>
    assert.deepStrictEqual(linesOf(Buffer.from("\u001b[1mok\u001b[0m")), ["\u001b[1mok\u001b[0m"]))
})

describe("wrap", () => {
  for (const [text, columns, expected] of [
    ["a b c", 10, ["a b c"]],
    ["aaa bbb ccc", 8, ["aaa bbb", "ccc"]],
    ["aaaaaaaaaa", 4, ["aaaa", "aaaa", "aa"]],
    ["", 4, [""]],
    ["ab", 0, ["a", "b"]],
  ] as const) {
    it(`"${text}" to ${columns} columns`, () => assert.deepStrictEqual(Preview.wrap(text, columns), expected))
  }
})
