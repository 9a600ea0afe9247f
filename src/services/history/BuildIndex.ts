/**
 * Puts what is in a repository into its index: each state of an archive once, group by group, the oldest first. What is there
 * already costs a look at its manifest. No contents are read, and of metadata not what the archive before has, too.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { SnapshotId } from "../../domain/datastore/SnapshotId.ts"
import type { Added, Archive, HistoryIndex, IndexError, Listener } from "../index/HistoryIndex.ts"
import type { Repository, StreamIndex } from "../repository/Repository.ts"
import type { RepositoryError } from "../repository/RepositoryError.ts"
import * as Edition from "./Edition.ts"
import * as IndexedEdition from "./IndexedEdition.ts"

/** What to put in. */
export interface Options extends Edition.Options {
  /** Whether names in encrypted archives may stand in the index, which is not encrypted. */
  readonly encrypted: boolean
  /** Archives whose indexes are read at once; 4 unless given. */
  readonly jobs?: number | undefined
  readonly listener?: Listener | undefined
}

/** What became of an archive. */
export type Built = {
  readonly archive: string
  /** The oldest backup that has it. */
  readonly snapshot: SnapshotId
} & (
  | Added
  /** It is encrypted, and it was not said that it may be put in. */
  | { readonly _tag: "Encrypted" }
  | { readonly _tag: "Unreadable"; readonly error: RepositoryError | IndexError }
)

/** Puts everything in that is not in it yet, and tells of each archive. Fails where the index can take no more. */
export const build = (
  repository: Repository,
  index: HistoryIndex,
  options: Options,
): Stream.Stream<Built, RepositoryError | IndexError> =>
  Stream.flatMap(Edition.groups(repository, options), ({ series, unreadable }) =>
    Stream.concat(
      Stream.fromIterable(
        unreadable.map(({ error, id }): Built => ({ _tag: "Unreadable", archive: "", snapshot: id, error })),
      ),
      Stream.flatMap(Stream.fromIterable(series), (each) => ofSeries(index, each, options)),
    ),
  )

/** States of archives in numbers. */
export interface Coverage {
  readonly archives: number
  readonly indexed: number
  /** Those that cannot be in the index. */
  readonly irregular: number
  /** Encrypted ones that are not in the index. */
  readonly encrypted: number
}

/** How much of a repository an index has. */
export const coverage = (
  repository: Repository,
  index: HistoryIndex | undefined,
  options: Edition.Options,
): Effect.Effect<Coverage, RepositoryError | IndexError> => {
  const count = { archives: 0, indexed: 0, irregular: 0, encrypted: 0 }
  return Effect.as(
    Stream.runForEach(Edition.groups(repository, options), ({ series }) =>
      Effect.forEach(series, ({ editions }) =>
        Effect.map(IndexedEdition.places(index, editions), (places) => {
          for (const [at, edition] of editions.entries()) {
            const place = places[at]
            count.archives++
            if (place !== undefined) count["problem" in place ? "irregular" : "indexed"]++
            else if (IndexedEdition.isEncrypted(edition)) count.encrypted++
          }
        }),
      ),
    ),
    count,
  )
}

const ofSeries = (
  index: HistoryIndex,
  series: Edition.Series,
  { encrypted, jobs = 4, listener }: Options,
): Stream.Stream<Built, IndexError> =>
  Stream.unwrap(
    Effect.map(IndexedEdition.places(index, series.editions), (places) => {
      const isKnown = (at: number): boolean => places[at] !== undefined && !("problem" in places[at])
      const tell = (edition: Edition.Edition, built: Untold): Built => ({
        archive: series.archive,
        snapshot: edition.snapshot.id,
        ...built,
      })
      const done = series.editions.filter((_, at) => isKnown(at))
      const rest = series.editions.filter((_, at) => !isKnown(at))
      return Stream.concat(
        Stream.fromIterable(done.map((edition) => tell(edition, { _tag: "Known" }))),
        Stream.fromIterable(rest).pipe(
          Stream.mapEffect(
            (edition) =>
              Effect.map(opened(edition, encrypted), (found) => {
                if ("_tag" in found) return { edition, found }
                const archive = archiveOf(series, edition, found)
                index.expect(archive)
                return { edition, found: archive }
              }),
            { concurrency: jobs },
          ),
          Stream.mapEffect(({ edition, found }) =>
            Effect.map("_tag" in found ? Effect.succeed(found) : index.add(found, listener), (built) =>
              tell(edition, built),
            ),
          ),
        ),
      )
    }),
  )

const archiveOf = (series: Edition.Series, edition: Edition.Edition, found: StreamIndex): Archive => ({
  ...found,
  checksum: IndexedEdition.fileOf(edition)?.checksum as Uint8Array,
  chain: IndexedEdition.chainOf(series),
  isDense: edition.file.payload !== undefined,
})

type Untold = Built extends infer Each ? (Each extends Built ? Omit<Each, "archive" | "snapshot"> : never) : never

/** What an edition consists of, or why it is left out. */
const opened = (edition: Edition.Edition, encrypted: boolean): Effect.Effect<StreamIndex | Untold> => {
  const { file, snapshot } = edition
  if (!encrypted && IndexedEdition.isEncrypted(edition)) {
    return Effect.succeed({ _tag: "Encrypted" })
  }
  return Effect.matchEffect(
    // Where the key is missing, opening the stream says so.
    Effect.tap(snapshot.index(file.name), ({ encrypted, key }) =>
      encrypted && key === undefined ? snapshot.stream(file.name) : Effect.void,
    ),
    {
      onFailure: (error) => Effect.succeed<StreamIndex | Untold>({ _tag: "Unreadable", error }),
      onSuccess: (found) => Effect.succeed<StreamIndex | Untold>(found),
    },
  )
}
