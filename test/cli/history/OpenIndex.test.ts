/** An index that is opened when it is asked for. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import * as OpenIndex from "../../../src/cli/history/OpenIndex.ts"
import * as HistoryIndex from "../../../src/services/index/HistoryIndex.ts"
import * as Processes from "../../support/Processes.ts"
import * as backups from "../../services/history/backups.ts"

describe("OpenIndex.whenAsked", () => {
  it.live("gives none where there is none, one when it was made, and another when a question was interrupted", () =>
    Effect.gen(function* () {
      const { repository } = yield* backups.make(1)
      const given = { cacheDir: yield* Processes.temporaryFolder }
      const opened = { folder: undefined, repository }
      const asked = yield* OpenIndex.whenAsked(given, opened)
      assert.isUndefined(yield* asked)
      const file = yield* OpenIndex.fileOf(given, opened)
      yield* Effect.scoped(HistoryIndex.openForWriting(file))

      const first = yield* asked
      assert.strictEqual(yield* asked, first)
      const question = yield* Effect.forkChild(first!.totals, { startImmediately: true })
      yield* Fiber.interrupt(question)
      const failed = yield* Effect.flip(first!.totals)
      assert.include(failed.message, "its thread has ended")

      const second = yield* asked
      assert.notStrictEqual(second, first)
      assert.strictEqual((yield* second!.totals).archives, 0)
    }).pipe(Effect.scoped),
  )
})
