import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import stringWidth from "string-width"
import * as ScreenText from "../../../src/cli/browse/ScreenText.ts"

const ESC = "\u001b"

describe("fit", () => {
  for (const [text, columns, expected] of [
    ["abc", 5, "abc  "],
    ["abc", 3, "abc"],
    ["abcd", 3, "ab…"],
    ["abc", 1, "…"],
    ["abc", 0, ""],
    ["日本語", 6, "日本語"],
    ["日本語", 5, "日本…"],
    ["日本語", 4, "日… "],
    ["e\u0301e\u0301e\u0301", 2, "e\u0301…"],
    ["a\tb", 10, "a       b "],
    [`${ESC}[2J${ESC}]0;x\u0007`, 20, "·[2J·]0;x·          "],
    ["a\u202eb\u2066c\u009bd", 8, "a·b·c·d "],
  ] as const) {
    it(`${JSON.stringify(text)} in ${columns} columns`, () =>
      assert.strictEqual(ScreenText.fit(text, columns), expected))
  }

  const Texts = Arbitrary.map(
    Arbitrary.array(
      Arbitrary.schema(Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: 0x10ffff })))),
      {
        maxLength: 60,
      },
    ),
    (points) => points.map((point, index) => String.fromCodePoint(index % 2 === 0 ? point % 0x3100 : point)).join(""),
  )
  const Columns = Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 1, maximum: 70 })))

  it.prop(
    "is of the width asked for and free of control characters, whatever the text",
    [Texts, Columns],
    ([text, columns]) => {
      for (const fitted of [ScreenText.fit(text, columns), ScreenText.fitEnd(text, columns)]) {
        assert.strictEqual(stringWidth(fitted), columns)
        assert.notMatch(fitted, /\p{C}/u)
      }
    },
    { arbitrary: { size: 100 } },
  )
})

describe("fitEnd", () => {
  it("keeps the end of what is too long", () => assert.strictEqual(ScreenText.fitEnd("/some/long/path", 8), "…ng/path"))
  it("fills what is short", () => assert.strictEqual(ScreenText.fitEnd("/a", 4), "/a  "))
})
