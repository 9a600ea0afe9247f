/**
 * What differs between two texts, line by line. Large or binary contents are not compared, and neither are texts that differ
 * in too much. It works in steps, between which others have a turn.
 */
import { structuredPatch, type StructuredPatch } from "diff"
import * as Effect from "effect/Effect"
import * as Bytes from "../../domain/Bytes.ts"

/** Most bytes of each content. Whoever has more hands over one byte more, and is told that it is large. */
export const MAX_SIZE = 1024 * 1024

/** Lines that were put in or taken out. */
const MAX_EDITS = 20_000

/** Milliseconds. */
const TIMEOUT = 5000

/** Lines that are shown around a change. */
const CONTEXT = 3

/** Lines beside each other of which some differ. */
export interface Hunk {
  /** Number of its first line in each text, from 1; and how many it has. */
  readonly oldStart: number
  readonly oldLines: number
  readonly newStart: number
  readonly newLines: number
  /** Each with a blank, `-`, `+` or `\` before it, and without its end. */
  readonly lines: ReadonlyArray<string>
}

/** What differs. `large`: one of them is, or too much differs. */
export interface TextDiff {
  readonly state: "same" | "different" | "binary" | "large"
  /** In order; none unless they are `different`. */
  readonly hunks: ReadonlyArray<Hunk>
}

/** Whether these first bytes of a content are those of a text: no NUL, and UTF-8 as far as can be seen. */
export const isText = (head: Uint8Array): boolean => {
  if (head.includes(0)) return false
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: true })
    return true
  } catch {
    return false
  }
}

/** Compares two contents. */
export const make = Effect.fnUntraced(function* (before: Uint8Array, after: Uint8Array): Effect.fn.Return<TextDiff> {
  if (before.length > MAX_SIZE || after.length > MAX_SIZE) return { state: "large", hunks: [] }
  if (Bytes.equals(before, after)) return { state: "same", hunks: [] }
  if (!isText(before) || !isText(after)) return { state: "binary", hunks: [] }
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
  // With a callback it works in steps.
  const patch = yield* Effect.callback<StructuredPatch | undefined>((resume) => {
    structuredPatch("old", "new", text(before), text(after), "", "", {
      context: CONTEXT,
      maxEditLength: MAX_EDITS,
      timeout: TIMEOUT,
      callback: (patch: StructuredPatch | undefined) => resume(Effect.succeed(patch)),
    })
  })
  return patch === undefined ? { state: "large", hunks: [] } : { state: "different", hunks: patch.hunks }
})

/** The hunks as `patch` reads them, without the names of the files. */
export const unified = (hunks: ReadonlyArray<Hunk>): string =>
  hunks
    .map(({ lines, newLines, newStart, oldLines, oldStart }) => {
      const head = `@@ -${range(oldStart, oldLines)} +${range(newStart, newLines)} @@`
      return [head, ...lines].map((line) => `${line}\n`).join("")
    })
    .join("")

/** Where there are no lines, the line before is named. */
const range = (start: number, lines: number): string =>
  lines === 1 ? String(start) : `${lines === 0 ? start - 1 : start},${lines}`
