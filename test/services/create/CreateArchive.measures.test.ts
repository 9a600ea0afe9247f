import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Metric, Tracer } from "effect"
import * as CreateArchive from "../../../src/services/create/CreateArchive.ts"
import * as SourceFolder from "../../support/SourceFolder.ts"
import { folders } from "./creating.ts"

describe("creating an archive", () => {
  it.effect("is one span, and counts what is in the archive", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      SourceFolder.makeFiles(source, { a: "12345", "b/c": "678" })
      const names: Array<string> = []
      const tracer = Tracer.make({
        span: (options) => {
          names.push(options.name)
          return new Tracer.NativeSpan(options)
        },
      })
      const counts = Effect.all([
        Metric.value(CreateArchive.createdEntries),
        Metric.value(CreateArchive.createdBytes),
      ]).pipe(Effect.map((states) => states.map(({ count }) => count)))
      const [entries = 0, bytes = 0] = yield* counts
      const create = CreateArchive.create({ source, archive: path.join(target, "a.pxar") })
      yield* Effect.provideService(create, Tracer.Tracer, tracer)
      assert.deepStrictEqual(names, ["pxar-fuse.create"])
      // The root, a, b and b/c.
      assert.deepStrictEqual(yield* counts, [entries + 4, bytes + 8])
    }),
  )

  it.effect("that fails counts nothing", () =>
    Effect.gen(function* () {
      const before = yield* Metric.value(CreateArchive.createdEntries)
      yield* Effect.flip(CreateArchive.create({ source: "/nowhere/at/all", archive: "/nowhere/a.pxar" }))
      assert.deepStrictEqual(yield* Metric.value(CreateArchive.createdEntries), before)
    }),
  )
})
