import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import * as PathText from "../../src/domain/PathText.ts"
import { anyBytes, anyInteger, hex } from "./pxar/helpers.ts"

const print = (bytes: Uint8Array | string) => PathText.print(typeof bytes === "string" ? Buffer.from(bytes) : bytes)

/** Byte strings of what is awkward: parts of UTF-8 sequences, backslashes, controls, BOM, replacement character. */
const awkward = Arbitrary.map(Arbitrary.array(anyInteger(0, 16), { maxLength: 12 }), (choices) =>
  Buffer.concat(
    choices.map((choice) =>
      Buffer.from(
        [
          "5c",
          "78",
          "34",
          "31",
          "e2",
          "82",
          "ac",
          "f09f9880",
          "c3",
          "efbfbd",
          "efbbbf",
          "00",
          "0a",
          "eda080",
          "e280ae",
          "e280a9",
          "2f",
        ][choice]!,
        "hex",
      ),
    ),
  ),
)

/** Control, format, private, unassigned and surrogate characters, line and paragraph separators. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u

describe("PathText.print", () => {
  it.each([
    ["plain name", "plain name", "plain name"],
    ["a path", "/usr/bin/x", "/usr/bin/x"],
    ["text of any script", "日本語 é 😀", "日本語 é 😀"],
    ["a backslash", "a\\b", "a\\\\b"],
    ["a text that looks like an escape", "\\x41", "\\\\x41"],
    ["a newline", "a\nb", "a\\x0ab"],
    ["an escape sequence", "\x1b[31m", "\\x1b[31m"],
    ["a character that turns writing around", "a\u202eb", "a\\xe2\\x80\\xaeb"],
    ["a byte order mark", "\ufeffx", "\\xef\\xbb\\xbfx"],
    ["a line separator", "\u2028", "\\xe2\\x80\\xa8"],
    ["a paragraph separator", "\u2029", "\\xe2\\x80\\xa9"],
    ["a control character of two bytes", "\u0085", "\\xc2\\x85"],
    ["a character of no width", "\u200b", "\\xe2\\x80\\x8b"],
    ["a character for private use", "\ue000", "\\xee\\x80\\x80"],
    ["a code point that is no character", "\u{10ffff}", "\\xf4\\x8f\\xbf\\xbf"],
    ["the replacement character itself", "\ufffd", "\ufffd"],
    ["nothing", "", ""],
  ])("prints %s", (_, bytes, expected) => {
    assert.strictEqual(print(bytes), expected)
  })

  it.each([
    ["bytes that are no UTF-8", "fffe80", "\\xff\\xfe\\x80"],
    ["a sequence that is cut short", "61e282", "a\\xe2\\x82"],
    ["a sequence that another one interrupts", "e28261", "\\xe2\\x82a"],
    ["a surrogate", "eda080", "\\xed\\xa0\\x80"],
    ["an overlong sequence", "c0af", "\\xc0\\xaf"],
    ["a NUL", "00", "\\x00"],
    ["good text around a bad byte", "c3a9ffc3a9", "é\\xffé"],
  ])("escapes %s byte by byte", (_, bytes, expected) => {
    assert.strictEqual(print(Buffer.from(bytes, "hex")), expected)
  })

  it.prop("makes printable text of any bytes", [anyBytes(12)], ([bytes]) => !unprintable.test(print(bytes)))

  it.prop("makes printable text of awkward bytes", [awkward], ([bytes]) => !unprintable.test(print(bytes)))
})

describe("PathText.parse", () => {
  it.prop("gives back any bytes that were printed", [anyBytes(12)], ([bytes]) => {
    assert.strictEqual(hex(PathText.parse(print(bytes))), hex(bytes))
  })

  it.prop("gives back awkward bytes that were printed", [awkward], ([bytes]) => {
    assert.strictEqual(hex(PathText.parse(print(bytes))), hex(bytes))
  })

  it.prop(
    "gives back any text that was printed",
    [Arbitrary.schema(Schema.String)],
    ([text]) => {
      assert.strictEqual(hex(PathText.parse(print(text))), Buffer.from(text).toString("hex"))
    },
    { arbitrary: { size: 100 } },
  )

  it.each([
    ["a", "61"],
    ["\\xfF", "ff"],
    ["\\\\", "5c"],
    ["\\\\x41", "5c783431"],
    ["\\y", "5c79"],
    ["\\x4", "5c7834"],
    ["\\", "5c"],
    ["é", "c3a9"],
  ])("reads %j", (text, expected) => {
    assert.strictEqual(hex(PathText.parse(text)), expected)
  })
})

describe("plain bytes", () => {
  it("are those that are printed as they are", () => {
    for (let byte = 0; byte < 256; byte++) {
      const isKept = PathText.print(Uint8Array.of(byte)) === String.fromCharCode(byte)
      assert.strictEqual(PathText.isPlain(Uint8Array.of(0, byte, 0), 1, 1), isKept, `byte ${byte}`)
    }
    assert.isTrue(PathText.isPlain(Buffer.from("\na file~\n"), 1, 7))
    assert.isFalse(PathText.isPlain(Buffer.from("a\\b"), 0, 3))
  })
})
