/**
 * What was probably meant by operands that cannot be meant as they stand.
 *
 * Only looks; nothing is done instead of what was asked for.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as Stream from "effect/Stream"
import * as Bytes from "../domain/Bytes.ts"
import * as ArchivePath from "../domain/pxar/ArchivePath.ts"
import * as PathText from "../domain/PathText.ts"
import type { ArchiveError } from "../services/archive/ArchiveError.ts"
import type * as Archives from "../services/tree/Archive.ts"
import type * as TreeWalk from "../services/tree/TreeWalk.ts"
import * as ExitCode from "./ExitCode.ts"
import * as Mistake from "./Mistake.ts"

/**
 * The bytes that a path or pattern means. Names win as they are typed: `a\x2db` is that name of six characters if the
 * folder has it, and only otherwise what its escapes stand for (see `PathText`).
 */
export const bytesOf = Effect.fnUntraced(function* (archive: Archive, text: string): Effect.fn.Return<Uint8Array> {
  if (!text.includes("\\")) return Bytes.fromText(text)
  let path: Uint8Array = ArchivePath.ROOT
  for (const name of text.split("/")) {
    const found = yield* Effect.firstSuccessOf(
      [Bytes.fromText(name), PathText.parse(name)].map((candidate) => {
        const next = name === "" ? path : ArchivePath.join(path, candidate)
        return Effect.as(archive.find(next), next)
      }),
    ).pipe(Effect.option)
    if (Option.isNone(found)) return PathText.parse(text)
    path = found.value
  }
  return path
})

/** What operands are looked up in. */
type Archive = Pick<Archives.Archive, "find" | "list">

/** A path that cannot be used as it is, and what was probably meant, as a sentence behind the message. */
export class PathMistake extends Data.TaggedError("PathMistake")<{
  readonly error: Archives.PathError
  readonly hint: string
}> {
  override readonly [Runtime.errorExitCode] = ExitCode.NO_ENTRY
  get id(): string {
    return this.error.id
  }
  override get message(): string {
    return this.error.message + this.hint
  }
}

/** The entry at a path as it is typed. */
export const find = (archive: Archive, text: string): Effect.Effect<TreeWalk.Found, ArchiveError | PathMistake> =>
  Effect.flatMap(bytesOf(archive, text), (path) =>
    Effect.catchTag(archive.find(path), "PathError", (error) =>
      Effect.flatMap(likelyPath(archive, path), (likely) => new PathMistake({ error, hint: Mistake.question(likely) })),
    ),
  )

/** Whether a text can only be meant as a pattern, if it is no path. */
export const isPattern = (text: string): boolean => /[*?[\]!]/.test(text)

/** The question whether another path was meant by one that selects nothing; nothing if it is a pattern. */
export const question = (archive: Archive, text: string): Effect.Effect<string> =>
  isPattern(text) ? Effect.succeed("") : Effect.map(likelyPath(archive, PathText.parse(text)), Mistake.question)

/** Names of a folder that are looked at for a likely one. */
const LOOKED_AT = 10_000

/**
 * A path in the archive that is likely to be meant by one that is not in it: the same but for the first name that is not
 * there, in place of which stands a similar one.
 */
export const likelyPath = (archive: Archive, wanted: Uint8Array): Effect.Effect<string | undefined> =>
  Effect.gen(function* () {
    const names = ArchivePath.names(wanted)
    let path: Uint8Array = ArchivePath.ROOT
    let folder = yield* archive.find(path)
    for (const [index, name] of names.entries()) {
      const next = ArchivePath.join(path, name)
      const child = yield* Effect.option(archive.find(next))
      if (Option.isSome(child)) {
        path = next
        folder = child.value
        continue
      }
      const there = yield* archive.list(folder).pipe(
        Stream.take(LOOKED_AT),
        Stream.map((item) => item.name),
        Stream.runCollect,
      )
      const [likely] = Mistake.likely(PathText.print(name), there.map(PathText.print))
      const found = there.find((name) => PathText.print(name) === likely)
      if (found === undefined) return undefined
      const whole = [found, ...names.slice(index + 1)].reduce(ArchivePath.join, path)
      const exists = yield* Effect.isSuccess(archive.find(whole))
      return PathText.print((exists ? whole : ArchivePath.join(path, found)).subarray(1))
    }
    return undefined
  }).pipe(Effect.orElseSucceed(() => undefined))
