import { PassThrough } from "node:stream"
import * as readline from "node:readline"
import { assert, describe, it } from "@effect/vitest"
import { Option } from "effect"
import * as Keys from "../../../src/cli/browse/Keys.ts"

/** The keys that a terminal's bytes are, read as Effect's `Terminal` does. */
const keysOf = (bytes: string): ReadonlyArray<string> => {
  const keys: Array<string> = []
  const stream = new PassThrough()
  readline.emitKeypressEvents(stream)
  stream.on(
    "keypress",
    (text: string | undefined, { ctrl = false, meta = false, name = "", shift = false }: readline.Key) => {
      keys.push(Keys.fromInput({ input: Option.fromUndefinedOr(text), key: { ctrl, meta, name, shift } }).id)
    },
  )
  stream.emit("data", Buffer.from(bytes))
  return keys
}

describe("what a terminal sends", () => {
  for (const [bytes, expected] of [
    ["jG?", ["j", "G", "?"]],
    ["\u001b[A\u001b[B\u001b[C\u001b[D", ["up", "down", "right", "left"]],
    ["\u001bOA\u001bOB", ["up", "down"]],
    ["\u001b[5~\u001b[6~", ["pageup", "pagedown"]],
    ["\u001b[H\u001b[F\u001b[1~\u001b[4~", ["home", "end", "home", "end"]],
    ["\r\n", ["return", "return"]],
    ["\u007f\b", ["backspace", "backspace"]],
    ["\u001b[3~", ["delete"]],
    [" ä日", [" ", "ä", "日"]],
    ["\u0003\u0015\u000c", ["ctrl-c", "ctrl-u", "ctrl-l"]],
    ["\u001bx", ["alt-x"]],
    ["\t", ["tab"]],
  ] as const) {
    it(`${JSON.stringify(bytes)} is ${expected.join(" ")}`, () => assert.deepStrictEqual(keysOf(bytes), [...expected]))
  }
})

it("no key has two meanings", () => {
  const ids = Keys.bindings.flatMap(({ ids }) => ids)
  assert.strictEqual(new Set(ids).size, ids.length)
})
