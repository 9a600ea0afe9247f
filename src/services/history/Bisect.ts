/**
 * Which backup is the first one in which something is wrong with a file? Each version of it is tried at most once, and of many
 * only a few: the first is taken to be right, the last to be wrong, and half of what is between is left out each time.
 */
import * as Effect from "effect/Effect"
import type { Version } from "./Versions.ts"

/** What is to be said of a version. `skip`: it cannot be told. */
export type Verdict = "good" | "bad" | "skip"

/** What came of it. */
export type Result =
  /** `between` are versions next to it of which nothing could be told: one of them may be the first bad one. */
  | { readonly _tag: "Found"; readonly bad: number; readonly between: ReadonlyArray<number> }
  /** Even the first version is bad. */
  | { readonly _tag: "AllBad" }
  /** Even the last version is good. */
  | { readonly _tag: "AllGood" }

/** Numbers of versions, which stand in the order of their backups. */
export const run = <E, R>(
  versions: ReadonlyArray<Version>,
  judge: (version: Version, number: number) => Effect.Effect<Verdict, E, R>,
): Effect.Effect<Result, E, R> =>
  Effect.gen(function* () {
    const verdicts = new Map<number, Verdict>()
    const verdict = (at: number) =>
      Effect.suspend(() => {
        const known = verdicts.get(at)
        if (known !== undefined) return Effect.succeed(known)
        return Effect.tap(judge(versions[at] as Version, at), (found) => Effect.sync(() => verdicts.set(at, found)))
      })
    if (versions.length === 0 || (yield* verdict(versions.length - 1)) !== "bad") return { _tag: "AllGood" }
    if ((yield* verdict(0)) === "bad") return { _tag: "AllBad" }
    let good = 0
    let bad = versions.length - 1
    while (true) {
      const untold: Array<number> = []
      for (let at = good + 1; at < bad; at++) if (verdicts.get(at) !== "skip") untold.push(at)
      const middle = untold[Math.floor(untold.length / 2)]
      if (middle === undefined) break
      const found = yield* verdict(middle)
      if (found === "good") good = middle
      else if (found === "bad") bad = middle
    }
    const between = Array.from({ length: bad - good - 1 }, (_, at) => good + 1 + at)
    return { _tag: "Found", bad, between }
  })
