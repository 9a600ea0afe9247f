/** The files of the page: what the build has made, and that it is said where that is missing. */
import { gunzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger } from "effect"
import * as harness from "./harness.ts"

describe("the page", () => {
  it.live("weighs at most 60 kB as it goes over the wire, all its files together", () =>
    Effect.gen(function* () {
      const web = yield* harness.start([])
      const headers = { "accept-encoding": "gzip" }
      const first = yield* web.ask("/", { headers })
      assert.strictEqual(first.headers["content-encoding"], "gzip")
      const files = [
        ...gunzipSync(first.body)
          .toString()
          .matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g),
      ].map(([, file]) => file!)
      assert.isAtLeast(files.length, 3)
      let weight = first.body.length
      for (const file of files) {
        const answer = yield* web.ask(file, { headers })
        assert.strictEqual(answer.headers["content-encoding"], "gzip", file)
        weight += answer.body.length
      }
      assert.isAtMost(weight, 60_000)
    }),
  )

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
