/** What is found with an index is what is found by walking, and what is there. */
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as SnapshotId from "../../../src/domain/datastore/SnapshotId.ts"
import * as PathText from "../../../src/domain/PathText.ts"
import * as BuildIndex from "../../../src/services/history/BuildIndex.ts"
import * as EntryIdentity from "../../../src/services/history/EntryIdentity.ts"
import * as Find from "../../../src/services/history/Find.ts"
import * as HistoryIndex from "../../../src/services/index/HistoryIndex.ts"
import type * as Query from "../../../src/services/tree/Query.ts"
import * as BlobStore from "../../../src/services/blobs/BlobStore.ts"
import * as Processes from "../../support/Processes.ts"
import * as stores from "../repository/stores.ts"
import * as backups from "./backups.ts"

const anything: Query.Query = { patterns: [], manner: "name", ignoreCase: false }

const answer = (
  repository: Parameters<typeof Find.find>[0],
  query: Partial<Query.Query>,
  index?: HistoryIndex.HistoryIndex,
) =>
  Effect.map(Stream.runCollect(Find.find(repository, { query: { ...anything, ...query }, index })), (all) =>
    all.map((each) =>
      each._tag === "Hit"
        ? [
            PathText.print(each.path),
            EntryIdentity.metadata(each.entry),
            each.snapshots.map(SnapshotId.format),
            each.isGone,
          ]
        : [each.error.message, each.snapshots.map(SnapshotId.format)],
    ),
  )

const indexFile = Effect.map(Processes.temporaryFolder, (folder) => path.join(folder, "index", "test.sqlite"))

const queries: ReadonlyArray<Partial<Query.Query>> = [
  {},
  { patterns: ["alpha"] },
  { patterns: ["ALPHA", "eta"], ignoreCase: true },
  { patterns: ["a"] },
  { patterns: ["*.txt"] },
  { patterns: ["d/e"], manner: "path" },
  { patterns: ["^/d"], manner: "regex" },
  { patterns: ["dlt"], manner: "fuzzy" },
  { minSize: 1000 },
  { kinds: ["directory"] },
]

describe("find with an index", () => {
  it.effect("answers as walking does, and needs no chunk for it", () =>
    Effect.gen(function* () {
      for (let seed = 1; seed <= 8; seed++) {
        const made = yield* backups.make(seed)
        const index = yield* HistoryIndex.openForWriting(yield* indexFile)
        const built = yield* Stream.runCollect(BuildIndex.build(made.repository, index, { encrypted: false }))
        assert.isTrue(
          built.every(({ _tag }) => _tag === "Added"),
          JSON.stringify(built),
        )
        const expected = yield* Effect.forEach(queries, (query) => answer(made.repository, query))
        for (const name of made.blobs.keys()) if (name.startsWith(".chunks")) made.blobs.delete(name)
        const without = yield* stores.over(BlobStore.fromMap(made.blobs))
        const answers = yield* Effect.forEach(queries, (query) => answer(without, query, index))
        for (const [at, query] of queries.entries()) {
          assert.deepStrictEqual(answers[at], expected[at], `seed ${seed}: ${JSON.stringify(query)}`)
        }
      }
    }).pipe(Effect.scoped),
  )
})
