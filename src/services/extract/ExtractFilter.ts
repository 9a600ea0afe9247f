/**
 * What an extraction is asked for, but for what patterns leave out: that, and everything in it, is not extracted whatever
 * else selects it.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as ExcludePattern from "../../domain/pxar/ExcludePattern.ts"
import * as PathText from "../../domain/PathText.ts"
import { type Selection, SelectionError } from "../tree/Selection.ts"
import type { Children } from "../tree/TreeWalk.ts"
import { NONE } from "../tree/WalkStream.ts"

export class ExtractFilter {
  private readonly selection: Selection
  private readonly patterns: ExcludePattern.Patterns | undefined
  private readonly texts: ReadonlyArray<Uint8Array>
  private readonly used = new Set<ExcludePattern.Pattern>()

  private constructor(
    selection: Selection,
    patterns: ReadonlyArray<ExcludePattern.Pattern>,
    texts: ReadonlyArray<Uint8Array>,
  ) {
    this.selection = selection
    this.patterns = patterns.length === 0 ? undefined : { patterns, base: 0, outer: undefined }
    this.texts = texts
  }

  /** Reads the patterns; `archive` is for messages. */
  static make(
    archive: string,
    selection: Selection,
    exclude: ReadonlyArray<Uint8Array>,
  ): Effect.Effect<ExtractFilter, SelectionError> {
    const patterns: Array<ExcludePattern.Pattern> = []
    for (const text of exclude) {
      const pattern = ExcludePattern.parse(text)
      if (Result.isFailure(pattern)) {
        const { detail } = pattern.failure
        return Effect.fail(new SelectionError({ archive, argument: PathText.print(text), detail }))
      }
      patterns.push(pattern.success)
    }
    return Effect.succeed(new ExtractFilter(selection, patterns, exclude))
  }

  /** Whether the entry at `path[0…length)` is extracted, if its folder is (`inherited`). */
  selects(path: Uint8Array, length: number, isFolder: boolean, inherited: boolean): boolean {
    return this.selection.selects(path, length, isFolder, inherited) && !this.excludes(path, length, isFolder)
  }

  /** The children of the folder at `path[0…length)`, which is not extracted, that can be, or have something in them. */
  children(path: Uint8Array, length: number): Children {
    const children = this.selection.children(path, length)
    return children?.length === 0 || this.excludes(path, length, true) ? NONE : children
  }

  /** Whether a pattern leaves the entry at `path[0…length)` out. */
  excludes(path: Uint8Array, length: number, isFolder: boolean): boolean {
    const pattern = ExcludePattern.deciding(this.patterns, path, length, isFolder)
    if (pattern === undefined) return false
    this.used.add(pattern)
    return pattern.excludes
  }

  /** The patterns that nothing was left out, or kept, by. */
  unused(): ReadonlyArray<Uint8Array> {
    return this.texts.filter((_, index) => !this.used.has(this.patterns?.patterns[index] as ExcludePattern.Pattern))
  }
}
