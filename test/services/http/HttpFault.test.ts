import * as http from "node:http"
import type { AddressInfo } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as HttpClient from "../../../src/services/http/HttpClient.ts"

describe("a connection that fails", () => {
  it.live("says so where https is asked of a server without, and is not tried again", () =>
    Effect.gen(function* () {
      const server = http.createServer()
      let connections = 0
      server.on("connection", () => connections++)
      yield* Effect.acquireRelease(
        Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
        () => Effect.sync(() => server.close()),
      )
      const { port } = server.address() as AddressInfo
      const client = yield* HttpClient.make()
      const error = yield* Effect.flip(client.request({ url: `https://127.0.0.1:${port}/x`, limit: 10 }))
      assert.include(error.message, "does it speak https there?")
      assert.strictEqual(connections, 1)
    }),
  )
})
