/**
 * What differs between two texts, line by line. Large or binary files are not compared, and neither are texts that differ
 * in too much: whoever wants that has both to download.
 */
import { structuredPatch, type StructuredPatch } from "diff"
import * as Effect from "effect/Effect"
import type { TextDiffJson } from "../domain/json/WebJson.ts"
import * as Bytes from "../domain/Bytes.ts"
import type * as TreeWalk from "../services/tree/TreeWalk.ts"
import * as ApiError from "./api/ApiError.ts"
import * as ContentType from "./ContentType.ts"
import type { Served } from "./Served.ts"

/** Bytes of each file. */
const MAX_SIZE = 1024 * 1024

/** Lines that were put in or taken out. */
const MAX_EDITS = 20_000

/** Milliseconds. */
const TIMEOUT = 5000

const empty = (state: TextDiffJson["state"]): TextDiffJson => ({ state, hunks: [] })

export const make = Effect.fnUntraced(function* (
  { archive }: Served,
  older: TreeWalk.Found,
  newer: TreeWalk.Found,
): Effect.fn.Return<TextDiffJson, ApiError.ApiError> {
  const read = (found: TreeWalk.Found) => ApiError.orAnswer(archive.read(found, 0, MAX_SIZE + 1))
  const [before, after] = [yield* read(older), yield* read(newer)]
  if (before.length > MAX_SIZE || after.length > MAX_SIZE) return empty("large")
  if (Bytes.equals(before, after)) return empty("same")
  if (!ContentType.isText(before) || !ContentType.isText(after)) return empty("binary")
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
  // With a callback it works in steps, between which others have a turn.
  const patch = yield* Effect.callback<StructuredPatch | undefined>((resume) => {
    structuredPatch("old", "new", text(before), text(after), "", "", {
      context: 3,
      maxEditLength: MAX_EDITS,
      timeout: TIMEOUT,
      callback: (patch: StructuredPatch | undefined) => resume(Effect.succeed(patch)),
    })
  })
  if (patch === undefined) return empty("large")
  return {
    state: "different",
    hunks: patch.hunks.map(({ lines, newStart, oldStart }) => ({ old_start: oldStart, new_start: newStart, lines })),
  }
})
