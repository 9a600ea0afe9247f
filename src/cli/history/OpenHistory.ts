/**
 * Opens the repository that a question about many backups is asked of.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Filter from "../../domain/datastore/Filter.ts"
import type { SnapshotId } from "../../domain/datastore/SnapshotId.ts"
import type * as Edition from "../../services/history/Edition.ts"
import type { InRepository } from "../../services/open/OpenRepository.ts"
import { noDatastore } from "../repository/NoDatastore.ts"
import * as OpenAddress from "../OpenAddress.ts"
import type * as RepositoryFlags from "../repository/RepositoryFlags.ts"

/** What the common flags say. */
export interface Given extends RepositoryFlags.Given {
  readonly address: string
  readonly in: ReadonlyArray<string>
  readonly archive: string | undefined
}

/** The repository, and which of its backups are meant. */
export interface Opened extends InRepository {
  readonly which: Edition.Options
}

export const open = Effect.fnUntraced(function* ({
  address,
  archive,
  in: filters,
  ...given
}: Given): Effect.fn.Return<Opened, OpenAddress.Failure, Scope.Scope> {
  const found = yield* OpenAddress.repository(address, given)
  if (found === undefined) return yield* noDatastore(address)
  return { ...found, which: { within: found.reference, filters: filters.map(Filter.parse), archive } }
})

/** The backups from the first to the last, in words. */
export const span = (snapshots: ReadonlyArray<SnapshotId>): string => {
  const [first, last] = [snapshots[0]?.time ?? "", snapshots.at(-1)?.time ?? ""]
  return snapshots.length === 1 ? first : `${first} to ${last}, ${snapshots.length} backups`
}
