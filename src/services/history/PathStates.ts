/**
 * What is at a path in each state of an archive. The index says so for those that it has; the others are looked into, and so
 * is a state of which somebody wants to know where its content stands. No content is read.
 */
import * as Effect from "effect/Effect"
import * as Bytes from "../../domain/Bytes.ts"
import { partitionPoint } from "../../domain/PartitionPoint.ts"
import type { Entry } from "../../domain/pxar/Entry.ts"
import type { ArchiveError } from "../archive/ArchiveError.ts"
import type { HistoryIndex, Version } from "../index/HistoryIndex.ts"
import type { RepositoryError } from "../repository/RepositoryError.ts"
import * as Archive from "../tree/Archive.ts"
import type * as TreeWalk from "../tree/TreeWalk.ts"
import type { Streams } from "./ContentChunks.ts"
import type * as Edition from "./Edition.ts"
import * as IndexedEdition from "./IndexedEdition.ts"

/** Where something is in a state of an archive. */
export interface Located {
  readonly edition: Edition.Edition
  readonly entry: Entry
  readonly found: TreeWalk.Found
  readonly streams: Streams
}

/** A path that is there. */
export interface Present {
  readonly edition: Edition.Edition
  /** Where its content stands may not be known. */
  readonly entry: Entry
  /** The same with its place: the archive is opened for it, once. */
  readonly located: Effect.Effect<Located, Failure>
}

/** What keeps an archive from being looked into. */
export type Failure = ArchiveError | RepositoryError

/** What is known of a path in a state. */
export type State = Present | "absent" | Unreadable

/** An archive that could not be looked into. */
export interface Unreadable {
  readonly error: Failure
}

/** How to look. */
export interface Options {
  /** Opens an edition. */
  readonly open: typeof Edition.open
  /** It is asked for what it has. */
  readonly index: HistoryIndex | undefined
}

/** Editions that are looked into at once. */
const AT_ONCE = 4

/** Looks a path up in all editions of a series. */
export const lookUp = Effect.fnUntraced(function* (
  series: Edition.Series,
  path: Uint8Array,
  options: Options,
): Effect.fn.Return<ReadonlyMap<Edition.Edition, State>> {
  const states = new Map<Edition.Edition, State>()
  yield* byIndex(series, path, options, states)
  const rest = series.editions.filter((edition) => !states.has(edition))
  yield* Effect.forEach(
    rest,
    (edition) => Effect.map(lookInto(edition, path, options), (state) => states.set(edition, state)),
    { concurrency: AT_ONCE, discard: true },
  )
  return states
})

/** What the index says. Where it fails it says nothing. */
const byIndex = Effect.fnUntraced(function* (
  series: Edition.Series,
  path: Uint8Array,
  options: Options,
  states: Map<Edition.Edition, State>,
): Effect.fn.Return<void> {
  const { index } = options
  if (index === undefined) return
  const { indexed } = yield* IndexedEdition.orAll(index, series)
  const names = Archive.namesOf(path)
  for (const [chain, those] of Map.groupBy(indexed, ({ place }) => place.chain)) {
    const answer = yield* Effect.result(index.versions(chain, names))
    if (answer._tag === "Failure") {
      yield* Effect.logWarning(`${answer.failure.message}; what is in the index is looked into`)
      continue
    }
    const versions = answer.success.toSorted((a, b) => a.since - b.since)
    for (const { edition, place } of those) {
      const version = versionAt(versions, place.number)
      if (version === undefined) states.set(edition, "absent")
      else {
        const located = yield* Effect.cached(locate(edition, path, options))
        states.set(edition, { edition, entry: version.entry, located })
      }
    }
  }
})

/** The version that a state has, of versions in their order. */
const versionAt = (versions: ReadonlyArray<Version>, number: number): Version | undefined => {
  const version = versions[partitionPoint(versions.length, (at) => (versions[at] as Version).since <= number) - 1]
  return version === undefined || number >= (version.gone ?? Infinity) ? undefined : version
}

const lookInto = (edition: Edition.Edition, path: Uint8Array, options: Options): Effect.Effect<State> =>
  Effect.match(find(edition, path, options), {
    onFailure: (error): State => ({ error }),
    onSuccess: (located): State =>
      located === undefined ? "absent" : { edition, entry: located.entry, located: Effect.succeed(located) },
  })

const locate = (edition: Edition.Edition, path: Uint8Array, options: Options): Effect.Effect<Located, Failure> =>
  Effect.flatMap(find(edition, path, options), (located) =>
    located === undefined ? Effect.die(new Error("the index has what its archive has not")) : Effect.succeed(located),
  )

/** What is at a path of an edition; `undefined` if nothing is. */
const find = (
  edition: Edition.Edition,
  path: Uint8Array,
  { open }: Options,
): Effect.Effect<Located | undefined, Failure> =>
  Effect.scoped(
    Effect.flatMap(open(edition), ({ reader, streams }) =>
      Archive.fromReader(reader)
        .find(path)
        .pipe(
          Effect.map((found): Located | undefined => ({ edition, found, entry: found.entry, streams })),
          Effect.catchTag("PathError", () => Effect.undefined),
        ),
    ),
  )

const SLASH = Bytes.fromText("/")

/** A path with one slash before each of its names; `/` for the root. */
export const normal = (path: Uint8Array): Uint8Array => {
  const parts = Archive.namesOf(path).flatMap((name) => [SLASH, name])
  return parts.length === 0 ? SLASH : Bytes.concat(parts)
}
