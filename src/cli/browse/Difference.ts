/**
 * What differs between two texts, as a page of the browser.
 */
import * as Effect from "effect/Effect"
import * as PathText from "../../domain/PathText.ts"
import * as TextDiff from "../../services/compare/TextDiff.ts"
import type * as Archive from "../../services/tree/Archive.ts"

/** Paths of two files: the older one first. */
export type Pair = readonly [older: Uint8Array, newer: Uint8Array]

/** Reads both and compares them. Nothing fails: what cannot be read is said. */
export const lines = (archive: Archive.Archive, [older, newer]: Pair): Effect.Effect<ReadonlyArray<string>> =>
  Effect.gen(function* () {
    const read = (path: Uint8Array) =>
      Effect.flatMap(archive.find(path), (found) => archive.read(found, 0, TextDiff.MAX_SIZE + 1))
    const { hunks, state } = yield* TextDiff.make(yield* read(older), yield* read(newer))
    const names = [`--- ${PathText.print(older)}`, `+++ ${PathText.print(newer)}`]
    const told = {
      same: ["Both have the same content."],
      binary: ["They differ, and are no texts."],
      large: ["They differ in too much to be shown, or are too large."],
      different: TextDiff.unified(hunks)
        .trimEnd()
        .split("\n")
        .map((line) => line.split("\t").map(PathText.safe).join("\t")),
    }[state]
    return [...names, ...told]
  }).pipe(Effect.catch((error) => Effect.succeed([error.message])))
