/**
 * States of archives as the index knows them.
 */
import * as Effect from "effect/Effect"
import type { File } from "../../domain/datastore/Manifest.ts"
import * as SnapshotId from "../../domain/datastore/SnapshotId.ts"
import * as Archive from "../tree/Archive.ts"
import type { HistoryIndex, Left, Place } from "../index/HistoryIndex.ts"
import type * as IndexFile from "../index/IndexFile.ts"
import type * as Edition from "./Edition.ts"

/** What the manifest says of the stream that has the entries of an edition. */
export const fileOf = ({ file, snapshot }: Edition.Edition): File | undefined => snapshot.file(file.name)

/** The chain of a series: its states follow each other. */
export const chainOf = ({ archive, group }: Edition.Series): string => `${SnapshotId.groupPath(group)} ${archive}`

/** An edition that can be asked for in the index. */
export interface Indexed {
  readonly edition: Edition.Edition
  readonly place: Place
}

/** Editions of a series, those that the index answers for apart from the rest. */
export interface Split {
  readonly indexed: ReadonlyArray<Indexed>
  readonly rest: ReadonlyArray<Edition.Edition>
}

/**
 * Looks for the editions of a series. For an encrypted one the index answers only where the key is at hand: who cannot read
 * the archive learns nothing.
 */
export const split = Effect.fnUntraced(function* (
  index: HistoryIndex,
  { editions }: Edition.Series,
): Effect.fn.Return<Split, IndexFile.IndexError> {
  const known = yield* places(index, editions)
  const indexed: Array<Indexed> = []
  for (const [at, edition] of editions.entries()) {
    const place = known[at]
    if (place === undefined || "problem" in place) continue
    if (!isEncrypted(edition) || (yield* hasKey(edition))) indexed.push({ edition, place })
  }
  const answered = new Set(indexed.map(({ edition }) => edition))
  return { indexed, rest: editions.filter((edition) => !answered.has(edition)) }
})

/** What the index knows of editions, with or without a key. */
export const places = (
  index: HistoryIndex | undefined,
  editions: ReadonlyArray<Edition.Edition>,
): Effect.Effect<ReadonlyArray<Place | Left | undefined>, IndexFile.IndexError> =>
  index === undefined
    ? Effect.succeed(editions.map(() => undefined))
    : index.places(editions.map((edition) => fileOf(edition)?.checksum ?? new Uint8Array()))

/** Whether the manifest says that an edition is encrypted. */
export const isEncrypted = (edition: Edition.Edition): boolean => fileOf(edition)?.cryptMode === "encrypt"

/** The same where there may be no index, or one that fails: then it has none of them. */
export const orAll = (index: HistoryIndex | undefined, series: Edition.Series): Effect.Effect<Split> => {
  const none: Split = { indexed: [], rest: series.editions }
  if (index === undefined) return Effect.succeed(none)
  return Effect.catch(split(index, series), (error) =>
    Effect.as(Effect.logWarning(`${error.message}; everything is walked through`), none),
  )
}

/** What is below a path in those states of a series that the index has, and the states that it has not. */
export interface Below {
  readonly names: ReadonlyArray<Uint8Array>
  /** Whether the path is a folder in each of them, or nothing. */
  readonly isFolder: boolean
  readonly rest: ReadonlyArray<Edition.Edition>
}

/** Asks what is right below a path. Where there is no index, or one that fails, it has none of the states. */
export const below = (
  index: HistoryIndex | undefined,
  series: Edition.Series,
  path: Uint8Array,
): Effect.Effect<Below> => {
  const nothing: Below = { names: [], isFolder: true, rest: series.editions }
  if (index === undefined) return Effect.succeed(nothing)
  return Effect.catch(belowIn(index, series, path), (error) =>
    Effect.as(Effect.logWarning(`${error.message}; every archive is looked into`), nothing),
  )
}

const belowIn = Effect.fnUntraced(function* (
  index: HistoryIndex,
  series: Edition.Series,
  path: Uint8Array,
): Effect.fn.Return<Below, IndexFile.IndexError> {
  const { indexed, rest } = yield* split(index, series)
  const parts = Archive.namesOf(path)
  const names: Array<Uint8Array> = []
  let isFolder = true
  for (const [chain, those] of Map.groupBy(indexed, ({ place }) => place.chain)) {
    const numbers = those.map(({ place }) => place.number).toSorted((a, b) => a - b)
    names.push(...(yield* index.below(chain, parts, numbers)))
    const versions = yield* index.versions(chain, parts)
    isFolder &&= versions.every(
      ({ entry, gone = Infinity, since }) =>
        entry.body._tag === "Directory" || !numbers.some((number) => number >= since && number < gone),
    )
  }
  return { names, isFolder, rest }
})

const hasKey = ({ file, snapshot }: Edition.Edition): Effect.Effect<boolean> =>
  Effect.match(snapshot.index(file.name), { onFailure: () => false, onSuccess: ({ key }) => key !== undefined })
