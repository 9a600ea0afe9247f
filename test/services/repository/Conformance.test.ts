/** Repositories in a folder, in memory and of a backup server pass the suite of all repositories. Others: `test/places`. */
import { Effect } from "effect"
import { BlobError } from "../../../src/services/blobs/BlobStore.ts"
import * as BlobStoreWrappers from "../../../src/services/blobs/BlobStoreWrappers.ts"
import * as FolderBlobStore from "../../../src/services/blobs/FolderBlobStore.ts"
import * as BackupServer from "../../support/BackupServer.ts"
import * as Datastores from "../../support/Datastores.ts"
import { suite } from "../../support/RepositorySuite.ts"
import * as servers from "../server/servers.ts"
import * as stores from "./stores.ts"

suite("in a folder", (name, keys) => stores.over(FolderBlobStore.make(Datastores.store(name)), { keys }))
suite("in memory", (name, keys) => stores.over(stores.inMemory(Datastores.store(name)), { keys }), {
  emptyFolders: false,
})
suite(
  "in memory, where one request of twenty fails",
  (name, keys) =>
    Effect.suspend(() => {
      let requests = 0
      const memory = stores.inMemory(Datastores.store(name))
      const faulty = BlobStoreWrappers.intercepted(memory, (blob) =>
        Effect.suspend(() =>
          requests++ % 20 === 1
            ? Effect.fail(
                new BlobError({ store: memory.name, blob, reason: "Failed", detail: "hiccup", isTransient: true }),
              )
            : Effect.void,
        ),
      )
      return stores.over(BlobStoreWrappers.retrying(faulty, { delay: "1 millis" }), { keys })
    }),
  { emptyFolders: false },
)
suite("of a backup server", (name, keys) =>
  Effect.flatMap(BackupServer.make(Datastores.store(name)), (server) => servers.open(server, { keys })),
)
