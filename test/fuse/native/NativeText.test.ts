import { assert, describe, it } from "@effect/vitest"
import { Arbitrary } from "effect"
import * as NativeText from "../../../src/fuse/native/NativeText.ts"
import { anyInteger } from "../../domain/pxar/helpers.ts"

const anyBytes = Arbitrary.map(Arbitrary.array(anyInteger(1, 255), { minLength: 1, maxLength: 12 }), (bytes) =>
  Uint8Array.from(bytes),
)

describe("a name", () => {
  it.prop("passes only if it comes back the same", [anyBytes], ([name]) => {
    const text = NativeText.fromBytes(name)
    const back = text === undefined ? undefined : NativeText.toBytes(text)
    if (NativeText.obstacle(name) === undefined) return back !== undefined && Buffer.compare(name, back) === 0
    return back === undefined
  })

  it("of any script passes, also with a byte order mark", () => {
    for (const name of ["héllo", "名前", "🙂", "\u{feff}bom", "a\nb", "\\x41"]) {
      const bytes = Buffer.from(name)
      assert.isUndefined(NativeText.obstacle(bytes), name)
      assert.deepStrictEqual(Buffer.from(NativeText.toBytes(NativeText.fromBytes(bytes)!)!), bytes)
    }
  })

  it("that is not UTF-8 does not: what else the bytes are read as is another name", () => {
    for (const bytes of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0xaf], [0x61, 0x80]]) {
      assert.strictEqual(NativeText.obstacle(Uint8Array.from(bytes)), "it is not UTF-8")
    }
  })

  it("with U+FFFD does not: bytes that are no text come in as that", () => {
    assert.strictEqual(NativeText.obstacle(Buffer.from("a\ufffd")), "it contains U+FFFD")
    assert.isUndefined(NativeText.toBytes("a\ufffd"))
  })

  it("of 1023 bytes passes, of 1024 does not: the binding cuts it", () => {
    assert.isUndefined(NativeText.obstacle(Buffer.alloc(1023, "a")))
    assert.strictEqual(NativeText.obstacle(Buffer.alloc(1024, "a")), "it is longer than 1023 bytes")
  })
})
