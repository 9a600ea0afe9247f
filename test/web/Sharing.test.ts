/** Whatever way contents go out: a chunk is fetched once for all who want it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Reference from "../../src/domain/datastore/Reference.ts"
import * as ChunkCache from "../../src/services/bytes/ChunkCache.ts"
import * as BlobStoreWrappers from "../../src/services/blobs/BlobStoreWrappers.ts"
import * as ChunkStore from "../../src/services/chunks/ChunkStore.ts"
import * as DatastoreRepository from "../../src/services/repository/DatastoreRepository.ts"
import * as FolderBlobStore from "../../src/services/blobs/FolderBlobStore.ts"
import * as KeyRing from "../../src/services/keys/KeyRing.ts"
import * as RepositoryTree from "../../src/services/virtual/RepositoryTree.ts"
import * as Archive from "../../src/services/tree/Archive.ts"
import * as Datastores from "../support/Datastores.ts"
import * as harness from "./harness.ts"

const FOLDER = "/host/alpha/2024-02-01T03:00:00Z/root.pxar/sizes"

describe("a chunk", () => {
  it.live("is read once for the API, WebDAV and exports at the same time", () =>
    Effect.gen(function* () {
      const folder = FolderBlobStore.make(Datastores.store("datastore-plain"))
      const { counts, store } = BlobStoreWrappers.counting(folder)
      const chunks = ChunkStore.make({ stores: [store], cache: yield* ChunkCache.make() })
      const repository = yield* DatastoreRepository.open(store, { keys: KeyRing.empty, chunks })
      const reader = yield* RepositoryTree.make(repository, { uid: 0, gid: 0, mtimeSeconds: 0 })
      const archive = Archive.fromReader(reader)
      const web = yield* harness.start([
        {
          id: "store",
          address: "store",
          archive,
          backups: { repository, root: Reference.whole, index: Effect.undefined },
        },
      ])
      const file = encodeURIComponent(`${FOLDER}/s1048576`)
      const answers = yield* Effect.all(
        [
          web.ask(`/api/v1/repositories/store/content?path=${file}`),
          web.ask(`/dav/store${FOLDER}/s1048576`),
          web.ask(`/api/v1/repositories/store/tar?path=${encodeURIComponent(FOLDER)}`),
          web.ask(`/api/v1/repositories/store/content?path=${file}`, { headers: { range: "bytes=500000-" } }),
        ],
        { concurrency: "unbounded" },
      )
      assert.deepStrictEqual(
        answers.map(({ status }) => status),
        [200, 200, 200, 206],
      )
      assert.isTrue(answers[0].body.equals(answers[1].body))
      const fetched = counts.blobs.filter((name) => name.startsWith(".chunks/"))
      assert.isAbove(fetched.length, 5)
      assert.deepStrictEqual(fetched.toSorted(), [...new Set(fetched)].toSorted())
    }),
  )
})
