import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Metric, Stream, Tracer } from "effect"
import * as ArchiveReader from "../../../src/services/archive/ArchiveReader.ts"
import * as Archive from "../../../src/services/tree/Archive.ts"
import * as MemoryArchive from "../../../src/testing/MemoryArchive.ts"
import * as Golden from "../../support/Golden.ts"

const memory = Archive.layer.pipe(
  Layer.provide(ArchiveReader.layer),
  Layer.provide(MemoryArchive.layer({ folder: { file: "12345" } })),
)

/** Names of the spans of an effect. */
const spansOf = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const names: Array<string> = []
    const tracer = Tracer.make({
      span: (options) => {
        names.push(options.name)
        return new Tracer.NativeSpan(options)
      },
    })
    return Effect.as(Effect.provideService(effect, Tracer.Tracer, tracer), names)
  })

describe("an archive", () => {
  it.effect("has a span for each thing that is asked of it, and counts what is streamed", () =>
    Effect.gen(function* () {
      const archive = yield* Archive.Archive
      const before = (yield* Metric.value(Archive.streamedBytes)).count
      const names = yield* spansOf(
        Effect.gen(function* () {
          const file = yield* archive.find(Buffer.from("folder/file"))
          yield* Stream.runDrain(archive.content(file, { offset: 1 }))
          const root = yield* archive.root
          yield* Stream.runDrain(archive.walk(root))
          yield* Stream.runDrain(archive.list(root))
        }),
      )
      assert.deepStrictEqual(
        names,
        ["find", "content", "walk", "list"].map((name) => `pxar-fuse.${name}`),
      )
      assert.strictEqual((yield* Metric.value(Archive.streamedBytes)).count, before + 4)
    }).pipe(Effect.provide(memory)),
  )

  it.effect("is opened in a span, and counted once it is open", () =>
    Effect.gen(function* () {
      const before = (yield* Metric.value(Archive.openedArchives)).count
      yield* Effect.flip(Archive.open("/nowhere.pxar"))
      assert.strictEqual((yield* Metric.value(Archive.openedArchives)).count, before)
      assert.deepStrictEqual(yield* spansOf(Archive.open(Golden.helloV1.archive)), ["pxar-fuse.open"])
      assert.strictEqual((yield* Metric.value(Archive.openedArchives)).count, before + 1)
    }),
  )
})
