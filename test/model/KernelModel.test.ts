/**
 * The session, the bridge, the registry and the reader, of an archive, one in chunks, and many, against a kernel that behaves as Linux does, and the session of
 * fuse-native against a libfuse, in any order of events: what is asked, when the archive's bytes come, and what becomes of the replies.
 */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Logger, type Scope } from "effect"
import { anyInteger } from "../domain/pxar/helpers.ts"
import * as KernelModel from "../support/KernelModel.ts"
import * as KernelSubjects from "../support/KernelSubjects.ts"
import * as LibfuseModel from "../support/LibfuseModel.ts"

// Without a `size` of its own Effect makes lists of ten at most, whatever their `maxLength`.
/** What happens (see `KernelModel.step`), and three numbers that decide about the details. */
const anyCommand = Arbitrary.all([anyInteger(0, 21), anyInteger(0, 255), anyInteger(0, 255), anyInteger(0, 255)])

type Command = readonly [kind: number, a: number, b: number, c: number]

/** Whoever asks the server: the kernel itself, or libfuse, through either bridge. */
interface Model {
  readonly make: (seed: number) => Effect.Effect<KernelModel.Kernel, never, Scope.Scope>
  /** How often a property is tried, unless told otherwise. */
  readonly runs: number
  /** How a run can end. */
  readonly ends: ReadonlyArray<string>
  /** What a long run must have met. */
  readonly words: ReadonlyArray<string>
}

const kernel = (subject: KernelSubjects.Make, runs: number): Model => ({
  make: (seed) => KernelModel.make(subject, seed),
  runs,
  ends: KernelModel.ends,
  words: ["LOOKUP", "READDIRPLUS", "READ ", "FORGET", "INTERRUPT", "abandoned", "refused", "errno 4", "cannot be read"],
})

const models: Readonly<Record<string, Model>> = {
  "the kernel": kernel(KernelSubjects.archive, 100),
  "the kernel, of an archive in chunks,": kernel(KernelSubjects.chunked, 40),
  "the kernel, of many archives,": kernel(KernelSubjects.many, 60),
  libfuse: {
    make: () => LibfuseModel.make(),
    runs: 100,
    ends: LibfuseModel.ends,
    words: ["getattr", "readdir", "readlink", "open", "read ", "release", "getxattr", "listxattr", "cannot be read"],
  },
}

const play = (model: Model, seed: number, commands: ReadonlyArray<Command>, end: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const kernel = yield* model.make(seed)
      for (const command of commands) {
        yield* kernel.step(...command)
        yield* kernel.check
      }
      yield* kernel.finish(end)
    }),
  ).pipe(Effect.provide(Logger.layer([])))

for (const [who, model] of Object.entries(models)) {
  describe(`any sequence of what ${who} asks, and of what becomes of it`, () => {
    for (const [end, name] of model.ends.entries()) {
      it.effect.prop(
        `agrees with it until ${name}`,
        [anyInteger(0, 1_000_000), Arbitrary.array(anyCommand, { minLength: 1, maxLength: 80 })],
        ([seed, commands]) => play(model, seed, commands, end),
        { arbitrary: { runs: Number(process.env["MODEL_RUNS"] ?? model.runs), size: 80, maxShrinks: 300 } },
      )
    }

    it.effect("meets every kind of event in a long run", () =>
      Effect.scoped(
        Effect.gen(function* () {
          const kernel = yield* model.make(7)
          for (let index = 0; index < 400; index++) {
            yield* kernel.step(index % 22, (index * 7) % 256, (index * 13) % 256, (index * 29) % 256)
            yield* kernel.check
          }
          yield* kernel.finish(0)
          const story = kernel.story.join("\n")
          for (const word of model.words) assert.include(story, word)
        }),
      ).pipe(Effect.provide(Logger.layer([]))),
    )
  })
}
