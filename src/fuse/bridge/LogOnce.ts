/**
 * What an operator should know about an archive, said once.
 *
 * A damaged entry is asked for again and again; its first failure is logged with the path, the others are not.
 */
import * as Effect from "effect/Effect"
import * as PathText from "../../domain/PathText.ts"

/** Reports remembered; when there are more, all are forgotten and may be repeated. */
const MAX_REPORTS = 10_000

/** Logs `message` about a path, unless the same `key` was reported before. The path is computed only if needed. */
export type Report = (key: string, path: Effect.Effect<Uint8Array>, message: string) => Effect.Effect<void>

export const make = (): Report => {
  const reported = new Set<string>()
  return (key, path, message) =>
    Effect.suspend(() => {
      if (reported.has(key)) return Effect.void
      if (reported.size >= MAX_REPORTS) reported.clear()
      reported.add(key)
      return Effect.flatMap(path, (bytes) =>
        Effect.logWarning(bytes.length === 0 ? message : `${PathText.print(bytes)}: ${message}`),
      )
    })
}
