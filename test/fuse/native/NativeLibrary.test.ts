import { Worker } from "node:worker_threads"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"

const library = new URL("../../../src/fuse/native/NativeLibrary.ts", import.meta.url).href
const effect = import.meta.resolve("effect")

/** What comes of loading the library on another thread. */
const program = `
  Promise.all([import("${effect}"), import("${library}")]).then(([{ Effect }, { load }]) => {
    const message = Effect.match(load, { onFailure: (error) => error.message, onSuccess: () => "loaded" })
    require("node:worker_threads").parentPort.postMessage(Effect.runSync(message))
  })
`

describe("loading libfuse 2", () => {
  it.live("is refused on any thread but the main one, through which the binding answers", () =>
    Effect.gen(function* () {
      const worker = yield* Effect.acquireRelease(
        Effect.sync(() => new Worker(program, { eval: true, execArgv: [] })),
        (worker) => Effect.promise(() => worker.terminate()),
      )
      const message = yield* Effect.callback<unknown>((resume) => {
        worker.on("message", (message) => resume(Effect.succeed(message)))
        worker.on("error", (error) => resume(Effect.die(error)))
      })
      assert.match(String(message), /main thread only/)
    }),
  )
})
