/** A device whose write fails, with each errno that there is: what the session does, and what it counts then. */
import * as os from "node:os"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Logger } from "effect"
import { DeviceLost } from "../../src/fuse/session/FuseDevice.ts"
import * as H from "../fuse/harness.ts"
import * as Wire from "../support/Wire.ts"

/** What `KernelDevice` makes of these is no loss. */
const harmless = new Set(["ENOENT", "ENODEV", "ECONNABORTED", "EINVAL", "EINTR"])

describe("a write that fails", () => {
  for (const [name, errno] of Object.entries(os.constants.errno)) {
    if (harmless.has(name)) continue
    it.effect(`with ${name} ends the session with that error, and counts nothing`, () =>
      Effect.gen(function* () {
        const served = yield* H.serve()
        const lost = new DeviceLost({ operation: "write", errno, detail: "injected" })
        served.device.outcomes.push(lost)
        yield* served.send(Wire.lookup(2, 1, "hello"), Wire.lookup(4, 1, "link"))
        assert.deepStrictEqual(yield* Fiber.await(served.serving), Exit.fail(lost))
        assert.strictEqual(yield* served.session.inFlight, 0)
        assert.strictEqual(yield* served.registry.count(H.HELLO_ID), 0)
        assert.isUndefined(served.registry.find(H.HELLO_ID))
      }).pipe(Effect.scoped, Effect.provide(Logger.layer([]))),
    )
  }
})
