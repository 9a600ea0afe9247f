/** The files of the page: what the build has made, and that it is said where that is missing. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger } from "effect"
import * as harness from "./harness.ts"

describe("the page", () => {
  it.live("is told to be missing when the server starts, and the rest is there", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.make(({ message }) => void lines.push(String(message)))
      const web = yield* Effect.provide(harness.start([], { pageFolders: ["/no/such/folder"] }), Logger.layer([logger]))
      assert.match(lines.join("\n"), /there is no page.*npm run build/)
      const { json, status } = yield* web.ask("/")
      assert.deepStrictEqual([status, json.message], [404, "the files of the page are missing"])
      assert.strictEqual((yield* web.ask("/api/v1/server")).status, 200)
    }),
  )
})
