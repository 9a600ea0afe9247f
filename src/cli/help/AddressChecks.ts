/**
 * Whether an archive, or a place with backups, can be opened: reached, read, and with the keys at hand decrypted. Nothing is
 * written, no contents are read, and no passphrase is asked for.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type * as Scope from "effect/Scope"
import * as Digest from "../../domain/datastore/Digest.ts"
import type { DoctorJson } from "../../domain/json/DoctorJson.ts"
import type { InRepository } from "../../services/open/OpenRepository.ts"
import type { Manifest } from "../../domain/datastore/Manifest.ts"
import * as WalkRepository from "../../services/repository/WalkRepository.ts"
import * as ErrorMessage from "../ErrorMessage.ts"
import * as OpenAddress from "../OpenAddress.ts"
import * as Keys from "../repository/Keys.ts"
import type { Given } from "../repository/RepositoryFlags.ts"
import * as ErrorPage from "./ErrorPage.ts"

/** All checks of what an address means. */
export const all = (address: string, given: Given): Effect.Effect<ReadonlyArray<DoctorJson>, never, Scope.Scope> =>
  Effect.gen(function* () {
    // What backups want is told by manifests, signed or not, for which no key is needed.
    const found = yield* OpenAddress.repository(address, { ...given, allowUnsigned: true }, { keys: false })
    if (found !== undefined) return yield* ofRepository(address, found, given)
    yield* OpenAddress.tree(address, given)
    return [{ check: "archive", state: "ok", found: `${address} can be opened` } as const]
  }).pipe(Effect.catch((error) => Effect.succeed([failed("address", error)])))

const failed = (check: string, error: unknown): DoctorJson => {
  const id = (error as { readonly id?: unknown }).id
  const remedy = ErrorPage.rows().find((row) => row.id === id)?.remedy
  return { check, state: "fail", found: ErrorMessage.withId(error), ...(remedy !== undefined && { advice: remedy }) }
}

/** The newest backup of each group is looked at: older ones are as a rule no different. */
const ofRepository = Effect.fnUntraced(function* (
  address: string,
  { reference, repository }: InRepository,
  given: Given,
) {
  const groups = yield* Stream.runCollect(WalkRepository.groups(repository, { within: reference }))
  const newest = yield* Effect.forEach(groups, (group) =>
    Effect.map(repository.snapshots(group), (snapshots) => snapshots.at(-1)),
  )
  const read = yield* Effect.forEach(
    newest.filter((id) => id !== undefined),
    (id) => Effect.result(repository.snapshot(id)),
  )
  const opened = read.flatMap((result) => (result._tag === "Success" ? [result.success.manifest] : []))
  const unread = read.flatMap((result) =>
    result._tag === "Failure" && result.failure.check !== "SnapshotUnfinished"
      ? [failed("backup", result.failure)]
      : [],
  )
  const reached: DoctorJson =
    groups.length === 0
      ? {
          check: "address",
          state: "warn",
          found: `${address} has no backups`,
          advice: "see that it is the right folder or namespace",
        }
      : {
          check: "address",
          state: "ok",
          found: `${address} has ${groups.length} ${groups.length === 1 ? "group" : "groups"} of backups`,
        }
  return [reached, ...unread, ...(yield* ofKeys(opened, given))]
})

const ofKeys = Effect.fnUntraced(function* (manifests: ReadonlyArray<Manifest>, given: Given) {
  const keysOf = (some: ReadonlyArray<Manifest>) => new Set(some.flatMap(({ fingerprint }) => fingerprint ?? []))
  const wanted = keysOf(manifests)
  if (wanted.size === 0) return []
  const needed = keysOf(manifests.filter(({ files }) => files.some(({ cryptMode }) => cryptMode === "encrypt")))
  const { entries } = yield* Keys.open(given)
  return [...wanted].map((fingerprint): DoctorJson => {
    const short = Digest.shortFingerprint(fingerprint)
    const entry = entries.find((each) => each.fingerprint === fingerprint)
    if (entry !== undefined) return { check: "key", state: "ok", found: `the key ${short} is in ${entry.path}` }
    // A paper key or an old file tells its fingerprint only when it is unlocked.
    const isUnknown = entries.some((each) => each.fingerprint === undefined)
    // What is only signed can be read, and goes unchecked.
    const isNeeded = needed.has(fingerprint)
    return {
      check: "key",
      state: isNeeded && !isUnknown ? "fail" : "warn",
      found: `backups are ${isNeeded ? "encrypted" : "signed"} with the key ${short}, which is ${isUnknown ? "perhaps in a key file that does not say" : "not at hand"}`,
      advice: "name its file with --key-file; a key that was printed on paper, typed into a file, is one too",
    }
  })
})
