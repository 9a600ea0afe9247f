/** What differs between two texts, in the browser. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as MemoryArchive from "../../../src/testing/MemoryArchive.ts"
import { browse } from "./browsing.ts"

const versions = MemoryArchive.bytes({
  "2024-01-01": "one\ntwo\nthree\n",
  "2024-02-01": "one\nzwei\nthree\n",
  "2024-03-01": "one\nzwei\nthree\nfour\u001b[2J\n",
  "2024-04-01": "one\nzwei\nthree\nfour\u001b[2J\n",
  "2024-05-01": "\0",
  folder: {},
})

const SIZE = { columns: 80, rows: 12 }

describe("d", () => {
  it.effect("shows what differs between an entry and the one above it", () =>
    Effect.gen(function* () {
      const browser = yield* browse(yield* versions, undefined, SIZE)
      yield* browser.press("down", "d")
      const page = browser.screen().join("\n")
      assert.include(page, "--- /2024-01-01\n+++ /2024-02-01\n@@ -1,3 +1,3 @@\n one\n-two\n+zwei\n three")
      yield* browser.press("q", "down", "d")
      assert.include(browser.screen().join("\n"), "+four\\x1b[2J")
      yield* browser.press("q", "down", "d")
      assert.include(browser.screen().join("\n"), "Both have the same content.")
      yield* browser.press("q", "down", "d")
      assert.include(browser.screen().join("\n"), "They differ, and are no texts.")
      yield* browser.press("q", "down", "d")
      assert.include(browser.screen().join("\n"), "/folder: not a file")
    }),
  )

  it.effect("shows what differs between two that are marked, the older one first", () =>
    Effect.gen(function* () {
      const browser = yield* browse(yield* versions, undefined, SIZE)
      yield* browser.press("down", "down", " ", "home", " ", "end", "d")
      assert.include(browser.screen().join("\n"), "--- /2024-01-01\n+++ /2024-03-01\n")
    }),
  )

  it.effect("asks for two where there are not two", () =>
    Effect.gen(function* () {
      const browser = yield* browse(yield* versions, undefined, SIZE)
      for (const keys of [["d"], [" ", "d"], [" ", " ", "d"]]) {
        yield* browser.press(...keys)
        assert.include(browser.screen().at(-1), "mark the two texts that are to be compared")
      }
    }),
  )
})
