import { assert, it } from "@effect/vitest"
import * as LineEditor from "../../../src/cli/browse/LineEditor.ts"
import { key } from "./browsing.ts"

/** The line after these keys, with `|` at the cursor. */
const after = (text: string, ...ids: ReadonlyArray<string>): string => {
  const line = ids.map(key).reduce(LineEditor.press, LineEditor.make(text))
  return `${line.before}|${line.after}`
}

for (const [text, keys, expected] of [
  ["", ["a", "b"], "ab|"],
  ["ab", ["left", "x"], "ax|b"],
  ["ab", ["left", "left", "left", "x"], "x|ab"],
  ["ab", ["home", "right", "x"], "ax|b"],
  ["ab", ["home", "end", "x"], "abx|"],
  ["ab", ["backspace"], "a|"],
  ["ab", ["home", "backspace"], "|ab"],
  ["ab", ["home", "delete"], "|b"],
  ["a😀", ["backspace"], "a|"],
  ["a😀", ["left", "x"], "ax|😀"],
  ["ab", ["left", "ctrl-u"], "|b"],
  ["/srv/data", ["ctrl-w"], "/srv/|"],
  ["/srv/", ["ctrl-w"], "/|"],
  ["ab", ["up", "f5", "ctrl-x"], "ab|"],
] as const) {
  it(`${keys.join(" ")} in "${text}"`, () => assert.strictEqual(after(text, ...keys), expected))
}
