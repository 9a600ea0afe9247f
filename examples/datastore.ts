/** Prints what is in the newest backup of every group: `node datastore.ts DATASTORE [KEY_FILE]` */
import * as fs from "node:fs"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Stream } from "effect"
import { Archive, ArchiveReader, type BlobStore, ChunkCache, ChunkStore } from "pxar-fuse"
import { DatastoreRepository, FolderBlobStore, KeyRing, SnapshotId, WalkRepository } from "pxar-fuse"

const [path = "/mnt/datastore", keyFile] = process.argv.slice(2)

/** A store of one's own is two functions. This one counts what is read; a bucket would ask for it. */
const counted = (store: BlobStore.BlobStore) => {
  let bytes = 0
  const own: BlobStore.BlobStore = {
    name: store.name,
    list: store.list,
    read: (blob, limit) => Effect.tap(store.read(blob, limit), (read) => Effect.sync(() => (bytes += read.length))),
  }
  return { store: own, bytes: () => bytes }
}

const program = Effect.gen(function* () {
  const { bytes, store } = counted(FolderBlobStore.make(path))
  const files = keyFile === undefined ? [] : [{ path: keyFile, text: fs.readFileSync(keyFile, "utf8") }]
  const chunks = ChunkStore.make({ stores: [store], cache: yield* ChunkCache.make() })
  const repository = yield* DatastoreRepository.open(store, { keys: yield* KeyRing.make(files), chunks })
  yield* Stream.runForEach(WalkRepository.groups(repository), (group) =>
    Stream.runForEach(WalkRepository.ofGroup(repository, group, { within: { ...group, time: "latest" } }), (id) =>
      Effect.gen(function* () {
        const snapshot = yield* repository.snapshot(id)
        for (const file of snapshot.files.filter(({ kind }) => kind === "archive")) {
          const { archive, payload } = yield* snapshot.archive(file)
          const tree = Archive.fromReader(yield* ArchiveReader.make(archive, payload))
          const entries = yield* Stream.runCount(tree.walk(yield* tree.root))
          yield* Console.log(`${SnapshotId.format(id)}/${file.shown}: ${entries} entries`)
        }
      }).pipe(Effect.scoped),
    ),
  )
  yield* Console.log(`${bytes()} bytes read`)
}).pipe(Effect.scoped)

NodeRuntime.runMain(program)
