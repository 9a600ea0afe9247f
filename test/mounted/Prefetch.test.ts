/** The kernel's page cache is filled ahead of who reads in order. The stress is the short form of `test/stress/main.ts`. */
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Stress from "../stress/stress.ts"
import * as Processes from "../support/Processes.ts"
import { need } from "../support/Requirements.ts"

beforeEach(need({ mount: true, root: true, tools: ["tar"] }))

const seed = Number(process.env["STRESS_SEED"] ?? Math.floor(Math.random() * 2 ** 31))
const program = [process.execPath, path.resolve(import.meta.dirname, "../../src/cli/main.ts")]

describe("files that are read in order", () => {
  it.live(
    `are asked for less, read right and leave nobody hanging, whatever happens (seed ${seed})`,
    () =>
      Effect.gen(function* () {
        const directory = yield* Processes.temporaryFolder
        const options = { program, directory, files: 3000, seconds: 15, seed, dropsAll: false, say: () => {} }
        const { problems, reads, rounds } = yield* Effect.promise(() => Stress.stress(options))
        assert.deepStrictEqual(problems, [])
        assert.isAbove(reads.plain, 3000)
        assert.isBelow(reads.prefetched, 1500)
        assert.isAbove(rounds, 0)
      }),
    120_000,
  )
})
