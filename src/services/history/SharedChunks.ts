/**
 * Which contents of two trees are known to be the same, because both are made of the same chunks. No key is needed.
 */
import * as Effect from "effect/Effect"
import * as Bytes from "../../domain/Bytes.ts"
import type { SameUntil } from "../compare/TreeDiff.ts"
import type { Stored } from "../open/OpenTree.ts"
import type { RepositoryError } from "../repository/RepositoryError.ts"
import type * as Place from "../tree/Place.ts"
import * as ContentChunks from "./ContentChunks.ts"
import * as Edition from "./Edition.ts"

/** Reads the indexes of both, and compares contents by them. */
export const between = Effect.fnUntraced(function* (
  left: ReadonlyArray<Stored>,
  right: ReadonlyArray<Stored>,
): Effect.fn.Return<SameUntil, RepositoryError> {
  const [ours, theirs] = [yield* indexes(left), yield* indexes(right)]
  return (place, a, b, at) => {
    const [one, other] = [ours(place), theirs(place)]
    return one === undefined || other === undefined ? at : ContentChunks.sameUntil(one, a, other, b, at)
  }
})

/** Indexes that are read at once. */
const AT_ONCE = 4

const indexes = Effect.fnUntraced(function* (
  stored: ReadonlyArray<Stored>,
): Effect.fn.Return<(place: Place.Place) => ContentChunks.Streams | undefined, RepositoryError> {
  const read = yield* Effect.forEach(
    stored,
    ({ file, name, snapshot }) => Effect.map(Edition.streams(snapshot, file), (streams) => [name, streams] as const),
    { concurrency: AT_ONCE },
  )
  const whole = read.find(([name]) => name === undefined)?.[1]
  const byName = new Map(read.map(([name, streams]) => [name, streams]))
  return (place) => whole ?? byName.get(topOf(place))
})

/** The name at the root that a place is, or is below. */
const topOf = (place: Place.Place): string => {
  let top = place
  while (top.parent?.parent !== undefined) top = top.parent
  return Bytes.toText(top.name)
}
