import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Metric, Tracer } from "effect"
import * as ArchiveReader from "../../../src/services/archive/ArchiveReader.ts"
import * as Extractor from "../../../src/services/extract/Extractor.ts"
import * as Archive from "../../../src/services/tree/Archive.ts"
import * as MemoryArchive from "../../../src/testing/MemoryArchive.ts"
import { sandbox } from "./extraction.ts"

const archive = Archive.layer.pipe(
  Layer.provide(ArchiveReader.layer),
  Layer.provide(MemoryArchive.layer({ a: "1", folder: { b: "22" } })),
)

describe("an extraction", () => {
  it.effect("is a span, and counts what it has restored", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      const names: Array<string> = []
      const tracer = Tracer.make({
        span: (options) => {
          names.push(options.name)
          return new Tracer.NativeSpan(options)
        },
      })
      const { count: before } = yield* Metric.value(Extractor.extractedEntries)
      const extract = Extractor.extract(yield* Archive.Archive, { target, owner: false })
      const { entries } = yield* Effect.provideService(extract, Tracer.Tracer, tracer)
      assert.deepStrictEqual(names, ["pxar-fuse.extract"])
      assert.strictEqual((yield* Metric.value(Extractor.extractedEntries)).count, before + entries)
    }).pipe(Effect.provide(archive)),
  )

  it.effect("counts its problems", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      const { count: before } = yield* Metric.value(Extractor.extractProblems)
      const paths = [Buffer.from("folder"), Buffer.from("*.none")]
      const { unexpected } = yield* Extractor.extract(yield* Archive.Archive, { target, paths, owner: false })
      assert.strictEqual(unexpected, 1)
      assert.strictEqual((yield* Metric.value(Extractor.extractProblems)).count, before + 1)
    }).pipe(Effect.provide(archive)),
  )
})
