/**
 * What holds for every repository of backups, wherever it is: it is opened over the datastores of the fixtures, and must
 * find in them what is there.
 */
import * as crypto from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope, Stream } from "effect"
import * as Namespace from "../../src/domain/datastore/Namespace.ts"
import * as SnapshotId from "../../src/domain/datastore/SnapshotId.ts"
import type { KeyRing } from "../../src/services/keys/KeyRing.ts"
import type { Repository } from "../../src/services/repository/Repository.ts"
import type { RepositoryError } from "../../src/services/repository/RepositoryError.ts"
import * as WalkRepository from "../../src/services/repository/WalkRepository.ts"
import * as stores from "../services/repository/stores.ts"
import * as Datastores from "./Datastores.ts"

/** Opens one of the datastores where it is under test. */
export type Open = (
  name: Datastores.StoreName,
  keys: KeyRing,
) => Effect.Effect<Repository, RepositoryError, Scope.Scope>

const pathOf = ({ ns, snapshot }: { readonly ns: string; readonly snapshot: string }) =>
  [...(ns === "" ? [] : [Namespace.toPath(ns.split("/"))]), snapshot].join("/")
const sha256 = (bytes: Uint8Array) => crypto.createHash("sha256").update(bytes).digest("hex")

/** Milliseconds of a test: faults are waited for. */
const PATIENCE = 120_000

/** What is so in some places only. */
export interface Where {
  /** Whether there are folders with nothing in them; true unless given. */
  readonly emptyFolders?: boolean
  /** Whether names that begin with a dot are listed: that of a backup's protection does. True unless given. */
  readonly dotFiles?: boolean
  /** Whether the place takes the damaged datastore; true unless given. */
  readonly damaged?: boolean
}

/** Tests a repository. */
export const suite = (
  where: string,
  open: Open,
  { damaged = true, dotFiles = true, emptyFolders = true }: Where = {},
): void => {
  describe(`a repository ${where}`, { timeout: PATIENCE }, () => {
    it.live("lists namespaces, groups and snapshots, in order", () =>
      Effect.gen(function* () {
        const repository = yield* open("datastore-plain", yield* stores.keys([]))
        const expected = Datastores.expected.stores["datastore-plain"]
        assert.deepStrictEqual(yield* repository.namespaces([]), emptyFolders ? [["a"], ["empty"]] : [["a"]])
        assert.deepStrictEqual(yield* repository.namespaces(["a"]), [["a", "b"]])
        assert.deepStrictEqual(yield* repository.namespaces(["a", "b"]), [])
        const found = yield* Stream.runCollect(WalkRepository.snapshots(repository))
        assert.sameMembers(found.map(SnapshotId.format), expected.snapshots.map(pathOf))
        assert.deepStrictEqual(found, found.toSorted(SnapshotId.compare))
        const groups = yield* repository.groups([])
        assert.deepStrictEqual(
          groups.map(({ id, type }) => `${type}/${id}`),
          ["host/alpha", "host/beta"],
        )
        for (const group of groups) {
          const row = expected.groups.find((other) => other.ns === "" && other.group === `${group.type}/${group.id}`)
          const { notes, owner } = yield* repository.group(group)
          assert.deepStrictEqual([owner, notes], [row?.owner, row?.notes])
        }
      }),
    )

    it.live("tells finished snapshots from others, and what is known of each", () =>
      Effect.gen(function* () {
        const repository = yield* open("datastore-plain", yield* stores.keys([]))
        const expected = Datastores.expected.stores["datastore-plain"].snapshots
        for (const id of yield* Stream.runCollect(WalkRepository.snapshots(repository))) {
          const row = expected.find((other) => pathOf(other) === SnapshotId.format(id))
          assert.strictEqual(yield* repository.isFinished(id), row?.state === "finished")
          const snapshot = yield* Effect.result(repository.snapshot(id))
          if (snapshot._tag === "Failure") {
            assert.deepStrictEqual([snapshot.failure.check, row?.state], ["SnapshotUnfinished", "unfinished"])
            continue
          }
          assert.strictEqual(snapshot.success.isProtected, (row?.protected ?? false) && dotFiles)
          assert.strictEqual(snapshot.success.manifest.notes, row?.notes)
          const hasLog = row?.files.some(({ name }) => name === "client.log.blob") ?? false
          assert.strictEqual(
            snapshot.success.files.some(({ name }) => name === "client.log.blob"),
            hasLog,
          )
        }
      }),
    )

    it.live.each(["datastore-plain", "datastore-encrypted"] as const)("reads every stream and blob of %s", (name) =>
      Effect.gen(function* () {
        const repository = yield* open(name, yield* stores.keys(["key1", "key2"]))
        for (const id of yield* Stream.runCollect(WalkRepository.snapshots(repository))) {
          const row = Datastores.expected.stores[name].snapshots.find(
            (other) => pathOf(other) === SnapshotId.format(id),
          )
          const read = yield* Effect.result(repository.snapshot(id))
          if (read._tag === "Failure") {
            assert.isTrue(row?.state === "unfinished" || (row?.error ?? row?.error_with_key1) !== undefined)
            continue
          }
          for (const file of row?.files ?? []) {
            if (file.error !== undefined || file.sha256 === undefined) continue
            const bytes = file.name.endsWith(".blob")
              ? yield* read.success.blob(file.name)
              : yield* Effect.flatMap(read.success.stream(file.name), (source) => {
                  const target = new Uint8Array(source.size)
                  return Effect.as(source.read(target, 0), target)
                })
            assert.strictEqual(sha256(bytes), file.sha256, `${pathOf(row!)}/${file.name}`)
          }
        }
      }),
    )

    it.live("says what is not there", () =>
      Effect.gen(function* () {
        const repository = yield* open("datastore-plain", yield* stores.keys([]))
        const group = { namespace: [], type: "host", id: "nobody" } as const
        assert.deepStrictEqual(yield* repository.snapshots(group), [])
        const none = { ...group, id: "alpha", time: "2001-01-01T00:00:00Z" }
        assert.isFalse(yield* repository.isFinished(none))
        assert.strictEqual((yield* Effect.flip(repository.snapshot(none))).check, "ArchiveNotFound")
        const there = yield* repository.snapshot({ ...none, time: "2024-01-01T00:00:00Z" })
        assert.strictEqual((yield* Effect.flip(there.stream("nothing.pxar.didx"))).check, "ArchiveNotFound")
      }),
    )

    it.live.runIf(damaged)("finds in the damaged datastore the damage that is there, and reads what is sound", () =>
      Effect.gen(function* () {
        const repository = yield* open("datastore-damaged", yield* stores.keys(["key1"]))
        let failing = 0
        for (const row of Datastores.expected.stores["datastore-damaged"].snapshots) {
          if (!/\/chunk-(?:absent|missing|empty|crc|cut)/.test(row.snapshot)) continue
          const [type, id] = row.snapshot.split("/") as [SnapshotId.BackupType, string]
          const [found] = yield* repository.snapshots({ namespace: [], type, id })
          const snapshot = yield* repository.snapshot(found!)
          for (const file of row.files) {
            if (file.name.endsWith(".blob")) continue
            const source = yield* snapshot.stream(file.name)
            for (const { length, offset, sha256: digest } of file.reads ?? []) {
              const target = new Uint8Array(length)
              yield* source.read(target, offset)
              assert.strictEqual(sha256(target), digest)
            }
            for (const { length, offset } of file.failing_reads ?? []) {
              failing++
              const error = yield* Effect.flip(source.read(new Uint8Array(length), offset))
              const classes = [file.error, ...(file.also ?? [])].filter((check) => check !== undefined)
              assert.isTrue(
                classes.some((check) => error.message.includes(check)),
                `${row.snapshot}: ${error.message}`,
              )
            }
          }
        }
        assert.isAbove(failing, 3)
      }),
    )
  })
}
