/**
 * A source for models: from `hold` on its bytes come when the test says so, in any order, or not at all.
 *
 * The memory of a read that was interrupted is written to some time later, as by a thread that was under way.
 */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { type ByteSource, SourceError } from "../../src/services/bytes/ByteSource.ts"

/** Rounds of the scheduler after which whatever can go on has gone on. */
export const ROUNDS = 2000

export interface ManualSource {
  readonly source: ByteSource
  /** Reads wait from now on. */
  readonly hold: () => void
  /** How many reads wait. */
  readonly waiting: () => number
  /** Gives one of the reads that wait its bytes, or a failure. Does nothing if none waits. */
  readonly answer: (choice: number, fails: boolean) => void
  /** How many reads were given a failure. */
  readonly failures: () => number
  /** Writes to the memory of interrupted reads. */
  readonly scribble: () => void
  /**
   * Goes on until `isQuiet`; with `also`, which is done again and again, until no read waits either. Fails the test with
   * `tell` if that does not come.
   */
  readonly quiet: (isQuiet: () => boolean, tell: () => string, also?: () => void) => Effect.Effect<void>
}

interface Waiting {
  readonly target: Uint8Array
  readonly offset: number
  readonly resume: (effect: Effect.Effect<void, SourceError>) => void
}

/** A source over `bytes`; what becomes of its reads is told to `story`. */
export const make = (bytes: Uint8Array, story: Array<string>): ManualSource => {
  const waiting: Array<Waiting> = []
  const interrupted: Array<Uint8Array> = []
  let holding = false
  let failures = 0

  const copy = (target: Uint8Array, offset: number): void => target.set(bytes.subarray(offset, offset + target.length))
  const give = ({ offset, resume, target }: Waiting): void => {
    copy(target, offset)
    resume(Effect.void)
  }

  return {
    source: {
      name: "model",
      size: bytes.length,
      read: (target, offset) => {
        // Some of the archive is at hand, some is not.
        if (!holding && offset % 3 !== 0) {
          copy(target, offset)
          return Effect.void
        }
        return Effect.callback<void, SourceError>((resume) => {
          const read: Waiting = { target, offset, resume }
          if (!holding) return give(read)
          waiting.push(read)
          return Effect.sync(() => {
            waiting.splice(waiting.indexOf(read), 1)
            interrupted.push(target)
          })
        })
      },
    },
    hold: () => {
      holding = true
    },
    waiting: () => waiting.length,
    answer: (choice, fails) => {
      const [read] = waiting.length === 0 ? [] : waiting.splice(choice % waiting.length, 1)
      if (read === undefined) return
      story.push(`the bytes at ${read.offset} ${fails ? "cannot be read" : "come"}`)
      if (!fails) return give(read)
      failures++
      read.resume(Effect.fail(new SourceError({ source: "model", offset: read.offset, detail: "injected" })))
    },
    failures: () => failures,
    scribble: () => {
      for (const target of interrupted.splice(0)) target.fill(0xee)
    },
    quiet: (isQuiet, tell, also) =>
      Effect.gen(function* () {
        for (let round = 0; round < ROUNDS; round++) {
          also?.()
          for (let turn = 0; turn < 3; turn++) yield* Effect.yieldNow
          if (isQuiet() && (also === undefined || waiting.length === 0)) return
        }
        assert.fail(tell())
      }),
  }
}
