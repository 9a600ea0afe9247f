import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, References } from "effect"
import * as MemoryDevice from "../../../src/fuse/session/MemoryDevice.ts"
import * as Session from "../../../src/fuse/session/Session.ts"
import { fromBytes } from "../../../src/services/bytes/ByteSource.ts"
import * as Wire from "../../support/Wire.ts"
import { bridgeOver, helloBytes } from "../harness.ts"

/** What a request handler sees of its surroundings. */
interface Seen {
  readonly annotation: unknown
  readonly span: string
}

describe("requests run in the context of whoever serves", () => {
  it.effect("log annotations, spans and loggers around serve reach their handlers", () =>
    Effect.gen(function* () {
      const seen: Array<Seen> = []
      const logged: Array<unknown> = []
      const { bridge } = yield* bridgeOver({ source: fromBytes(helloBytes()) })
      const observed = {
        ...bridge,
        getattr: (id: number) =>
          Effect.gen(function* () {
            const { mount } = yield* References.CurrentLogAnnotations
            const { name } = yield* Effect.orDie(Effect.currentSpan)
            seen.push({ annotation: mount, span: name })
            yield* Effect.logWarning("asked")
            return yield* bridge.getattr(id)
          }),
      }
      const device = yield* MemoryDevice.make
      const session = yield* Session.make(device, observed, { posixAcl: true })
      const logger = Logger.make<unknown, void>(({ message }) => void logged.push(message))
      yield* session.serve.pipe(
        Effect.annotateLogs("mount", "/mnt"),
        Effect.withSpan("serving"),
        Effect.provide(Logger.layer([logger])),
        Effect.forkScoped({ startImmediately: true }),
      )
      yield* device.send(Wire.getattr(2, 1))
      yield* device.nextReply
      assert.deepStrictEqual(seen, [{ annotation: "/mnt", span: "serving" }])
      assert.deepStrictEqual(logged, [["asked"]])
    }),
  )
})
