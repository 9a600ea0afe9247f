import { assert, describe, it } from "@effect/vitest"
import { Option } from "effect"
import { parseSize } from "../../../src/cli/mount/PerformanceFlags.ts"

describe("a size", () => {
  for (const [text, bytes] of [
    ["0", 0],
    ["65536", 65_536],
    ["512K", 524_288],
    ["512k", 524_288],
    ["64M", 67_108_864],
    ["2G", 2_147_483_648],
  ] as const) {
    it(`${text} is ${bytes} bytes`, () => assert.deepStrictEqual(parseSize(text), Option.some(bytes)))
  }

  for (const text of ["", "K", "-1", "1.5M", "1T", "64MB", "0x10", " 1", "12345678901"]) {
    it(`"${text}" is none`, () => assert.isTrue(Option.isNone(parseSize(text))))
  }
})
