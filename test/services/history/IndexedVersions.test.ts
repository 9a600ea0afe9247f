/** The versions of a path are the same with an index, half of one, and none. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as Bytes from "../../../src/domain/Bytes.ts"
import * as EntryJson from "../../../src/domain/json/EntryJson.ts"
import * as Edition from "../../../src/services/history/Edition.ts"
import * as EntryIdentity from "../../../src/services/history/EntryIdentity.ts"
import * as Versions from "../../../src/services/history/Versions.ts"
import type { Repository } from "../../../src/services/repository/Repository.ts"
import * as Archive from "../../../src/services/tree/Archive.ts"
import * as Datastores from "../../support/Datastores.ts"
import * as stores from "../repository/stores.ts"
import * as backups from "./backups.ts"
import * as indexes from "./indexes.ts"

const answer = Effect.fnUntraced(function* (series: Edition.Series, path: Uint8Array, options: Versions.Options) {
  const { unreadable, versions } = yield* Versions.of(series, path, options)
  return {
    unreadable: unreadable.map(({ edition, error }) => [edition.checksum, error.message]),
    versions: versions.map((version) => ({
      metadata: EntryIdentity.metadata(version.entry),
      json: EntryJson.make(version.path, version),
      edition: version.edition.checksum,
      times: version.snapshots.map(({ time }) => time),
      content: version.content,
      isMetadataChanged: version.isMetadataChanged,
      isProven: version.isProven,
      moves: [version.movedFrom, version.movedTo],
    })),
  }
})

const seriesOf = (repository: Repository) =>
  Effect.map(Stream.runCollect(Edition.groups(repository)), (groups) => groups.flatMap(({ series }) => series))

const paths = [
  "d/alpha",
  "/d/./letter.txt",
  "d",
  "",
  "alpha",
  "d/e/deep",
  "zeta/",
  "gamma.txt",
  "gamma.txt/x",
  "no/such",
]

describe("versions with an index", () => {
  it.effect("are those without", () =>
    Effect.gen(function* () {
      let versions = 0
      for (let seed = 1; seed <= 6; seed++) {
        const made = yield* backups.make(seed, { days: 8, unseen: seed % 3 === 0 })
        const within = { namespace: [], type: "host", id: "elsa", time: "2024-01-03" } as const
        const both = [yield* indexes.of(made.repository), yield* indexes.of(made.repository, { within })]
        for (const series of yield* seriesOf(made.repository)) {
          for (const path of paths.map(Bytes.fromText)) {
            for (const options of [{}, { data: true }, { moves: true }]) {
              const expected = yield* answer(series, path, options)
              versions += expected.versions.length
              for (const index of both) {
                assert.deepStrictEqual(yield* answer(series, path, { ...options, index }), expected, `seed ${seed}`)
              }
            }
          }
        }
      }
      assert.isAbove(versions, 100)
    }).pipe(Effect.scoped),
  )

  it.effect("are those without for every path of a store, whatever is there", () =>
    Effect.gen(function* () {
      const repository = yield* stores.at(Datastores.store("datastore-plain"))
      const index = yield* indexes.of(repository)
      let count = 0
      for (const series of yield* seriesOf(repository)) {
        const { reader } = yield* Edition.open(series.editions.at(-1)!)
        const archive = Archive.fromReader(reader)
        const all = yield* Stream.runCollect(archive.walk(yield* archive.root))
        // A store has more than can be looked up one by one: of each folder some.
        for (const [at, item] of all.entries()) {
          if (item._tag !== "Found" || at % 7 !== 0) continue
          assert.deepStrictEqual(yield* answer(series, item.path, { index }), yield* answer(series, item.path, {}))
          count++
        }
      }
      assert.isAbove(count, 20)
    }).pipe(Effect.scoped),
  )

  it.effect("open, to tell by contents, only states that have a file of one size one after the other", () =>
    Effect.gen(function* () {
      let spared = 0
      for (const seed of [2, 4, 6]) {
        const made = yield* backups.make(seed, { days: 8, split: true, unseen: true })
        const index = yield* indexes.of(made.repository)
        const [series] = yield* seriesOf(made.repository)
        const opened = Effect.fnUntraced(function* (path: string, options: Versions.Options) {
          const editions = new Set<string>()
          const open: typeof Edition.open = (edition) => {
            editions.add(edition.snapshot.id.time)
            return Edition.open(edition)
          }
          yield* Versions.of(series!, Bytes.fromText(path), { data: true, open, ...options })
          return editions
        })
        for (const path of ["d/alpha", "alpha", "zeta", "gamma.txt", "no/such"]) {
          const [all, few] = [yield* opened(path, {}), yield* opened(path, { index })]
          assert.strictEqual(all.size, series!.editions.length)
          assert.isTrue([...few].every((time) => all.has(time)))
          if (path === "no/such") assert.strictEqual(few.size, 0)
          spared += all.size - few.size
        }
      }
      assert.isAbove(spared, 60)
    }).pipe(Effect.scoped),
  )

  it.effect("need no chunk of what has no contents", () =>
    Effect.gen(function* () {
      const made = yield* backups.make(2, { days: 8, split: true })
      const index = yield* indexes.of(made.repository)
      const [series] = yield* seriesOf(made.repository)
      const before = made.counts.blobs.length
      const { versions } = yield* Versions.of(series!, Bytes.fromText("d/e"), { index })
      assert.isAbove(versions.length, 0)
      assert.strictEqual(made.counts.blobs.length, before)
    }).pipe(Effect.scoped),
  )
})
