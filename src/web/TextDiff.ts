/**
 * What differs between two texts of backups, as the page shows it. Whoever wants to compare more has both to download.
 */
import * as Effect from "effect/Effect"
import type { TextDiffJson } from "../domain/json/WebJson.ts"
import * as TextDiff from "../services/compare/TextDiff.ts"
import type * as TreeWalk from "../services/tree/TreeWalk.ts"
import * as ApiError from "./api/ApiError.ts"
import type { Served } from "./Served.ts"

export const make = Effect.fnUntraced(function* (
  { archive }: Served,
  older: TreeWalk.Found,
  newer: TreeWalk.Found,
): Effect.fn.Return<TextDiffJson, ApiError.ApiError> {
  const read = (found: TreeWalk.Found) => ApiError.orAnswer(archive.read(found, 0, TextDiff.MAX_SIZE + 1))
  const { hunks, state } = yield* TextDiff.make(yield* read(older), yield* read(newer))
  return {
    state,
    hunks: hunks.map(({ lines, newStart, oldStart }) => ({ old_start: oldStart, new_start: newStart, lines })),
  }
})
