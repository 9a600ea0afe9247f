/**
 * The session, the bridge, the registry and the reader against a kernel that behaves as Linux does, in any order of
 * events: what it sends, when the archive's bytes come, and what becomes of the replies.
 */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Logger } from "effect"
import { anyInteger } from "../domain/helpers.ts"
import * as KernelModel from "../support/KernelModel.ts"

// Without a `size` of its own Effect makes lists of ten at most, whatever their `maxLength`.
/** What happens (see `KernelModel.step`), and three numbers that decide about the details. */
const anyCommand = Arbitrary.all([anyInteger(0, 21), anyInteger(0, 255), anyInteger(0, 255), anyInteger(0, 255)])

type Command = readonly [kind: number, a: number, b: number, c: number]

const play = (commands: ReadonlyArray<Command>, end: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const kernel = yield* KernelModel.make()
      for (const command of commands) {
        yield* kernel.step(...command)
        yield* kernel.check
      }
      yield* kernel.finish(end)
    }),
  ).pipe(Effect.provide(Logger.layer([])))

const ends = [
  "everything is given back",
  "an unmount in the middle",
  "an overforget",
  "a lost device",
  "a closed scope",
]

describe("any sequence of requests, interrupts, forgets, late bytes and lost replies", () => {
  for (const [end, name] of ends.entries()) {
    it.effect.prop(
      `agrees with the kernel until ${name}`,
      [Arbitrary.array(anyCommand, { minLength: 1, maxLength: 80 })],
      ([commands]) => play(commands, end),
      { arbitrary: { runs: Number(process.env["MODEL_RUNS"] ?? 100), size: 80, maxShrinks: 300 } },
    )
  }
})

describe("the kernel model", () => {
  it.effect("meets every kind of event in a long run", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const kernel = yield* KernelModel.make()
        for (let index = 0; index < 400; index++) {
          yield* kernel.step(index % 22, (index * 7) % 256, (index * 13) % 256, (index * 29) % 256)
          yield* kernel.check
        }
        yield* kernel.finish(0)
        const story = kernel.story.join("\n")
        for (const word of [
          "LOOKUP",
          "READDIRPLUS",
          "READ ",
          "FORGET",
          "INTERRUPT",
          "abandoned",
          "refused",
          "errno 4",
          "cannot be read",
        ]) {
          assert.include(story, word)
        }
      }),
    ).pipe(Effect.provide(Logger.layer([]))),
  )
})
