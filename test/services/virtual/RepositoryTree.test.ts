import * as crypto from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as Bytes from "../../../src/domain/Bytes.ts"
import type { ArchiveTree, Listed } from "../../../src/services/archive/ArchiveTree.ts"
import * as BlobStoreWrappers from "../../../src/services/blobs/BlobStoreWrappers.ts"
import { fromMap } from "../../../src/services/blobs/BlobStore.ts"
import * as SnapshotId from "../../../src/domain/datastore/SnapshotId.ts"
import * as FolderBlobStore from "../../../src/services/blobs/FolderBlobStore.ts"
import * as RepositoryTree from "../../../src/services/virtual/RepositoryTree.ts"
import * as Archive from "../../../src/services/tree/Archive.ts"
import * as Datastores from "../../support/Datastores.ts"
import * as stores from "../repository/stores.ts"

const SHOWN = { uid: 1, gid: 2, mtimeSeconds: 1_700_000_000 }
const sha256 = (bytes: Uint8Array) => crypto.createHash("sha256").update(bytes).digest("hex")

const open = Effect.fnUntraced(function* (folder: string, options: Partial<RepositoryTree.Options> = {}) {
  const { counts, store } = BlobStoreWrappers.counting(FolderBlobStore.make(folder))
  const keys = yield* stores.keys(["key1", "key2"])
  const repository = yield* stores.over(store, { keys })
  const tree = yield* RepositoryTree.make(repository, { ...SHOWN, ...options })
  return { counts, tree, archive: Archive.fromReader(tree) }
})

const at = (archive: Archive.Archive<ArchiveTree>, where: string) => archive.find(Bytes.fromText(where))

/** Names in a folder, as they are listed. */
const names = Effect.fnUntraced(function* (tree: ArchiveTree, where: string) {
  const { node } = yield* at(Archive.fromReader(tree), where)
  const found: Array<Listed> = []
  yield* tree.list(node, 0, (child) => found.push(child) > 0)
  return found.map(({ name }) => Buffer.from(name as Uint8Array).toString())
})

const bytesOf = Effect.fnUntraced(function* (archive: Archive.Archive<ArchiveTree>, where: string) {
  const file = yield* at(archive, where)
  const parts: Array<Uint8Array> = []
  for (let offset = 0; ;) {
    const part = yield* archive.read(file, offset, 100_000)
    if (part.length === 0) return Bytes.concat(parts)
    parts.push(part)
    offset += part.length
  }
})

describe("the tree of a repository", () => {
  const plain = Datastores.store("datastore-plain")

  it.live("has the names as on disk, level by level", () =>
    Effect.gen(function* () {
      const { tree } = yield* open(plain)
      assert.deepStrictEqual(yield* names(tree, "/"), ["host", "ns"])
      assert.deepStrictEqual(yield* names(tree, "/ns"), ["a", "empty"])
      assert.deepStrictEqual(yield* names(tree, "/ns/a"), ["ct", "ns"])
      assert.deepStrictEqual(yield* names(tree, "/host"), ["alpha", "beta"])
      assert.deepStrictEqual(yield* names(tree, "/host/beta"), [
        "2024-01-15T12:30:45Z",
        "2024-01-16T12:30:45Z",
        "latest",
        "owner",
      ])
      assert.sameMembers(yield* names(tree, "/host/alpha/2024-03-01T03:00:00Z"), ["data.pxar", "client.log", "notes"])
      assert.sameMembers(yield* names(tree, "/ns/a/ns/b/vm/200/2024-01-04T01:02:03Z"), [
        "drive-scsi0.img",
        "drive-scsi0.img.parts",
        "drive-efidisk0.img",
        "drive-efidisk0.img.parts",
        "qemu-server.conf",
        "fw.conf",
      ])
    }),
  )

  it.live("shows owner and notes, and links to the newest backup that is finished", () =>
    Effect.gen(function* () {
      const { archive } = yield* open(plain)
      assert.strictEqual(Buffer.from(yield* bytesOf(archive, "/host/alpha/owner")).toString(), "root@pam\n")
      assert.strictEqual(
        Buffer.from(yield* bytesOf(archive, "/host/alpha/notes")).toString(),
        "Group notes: äöü, second line\nline 2\n",
      )
      const { entry } = yield* at(archive, "/host/alpha/latest")
      assert.deepStrictEqual(entry.body, { _tag: "Symlink", target: Bytes.fromText("2024-04-01T03:00:00Z") })
    }),
  )

  it.live("shows an unfinished backup as an empty folder", () =>
    Effect.gen(function* () {
      const { tree } = yield* open(plain)
      assert.deepStrictEqual(yield* names(tree, "/host/alpha/2024-05-01T03:00:00Z"), [])
    }),
  )

  it.live.each(["datastore-plain", "datastore-encrypted"] as const)(
    "has every image and blob of %s, byte for byte",
    (name) =>
      Effect.gen(function* () {
        const { archive } = yield* open(Datastores.store(name))
        const rows = Datastores.expected.stores[name].snapshots.filter(
          ({ error, state }) => error === undefined && state === "finished",
        )
        let compared = 0
        for (const row of rows) {
          for (const file of row.files) {
            if (file.error !== undefined || file.type === "dynamic") continue
            const namespace =
              row.ns === ""
                ? ""
                : `/${row.ns
                    .split("/")
                    .map((part) => `ns/${part}`)
                    .join("/")}`
            const where = `${namespace}/${row.snapshot}/${file.name.replace(/\.(?:fidx|blob)$/, "")}`
            assert.strictEqual(sha256(yield* bytesOf(archive, where)), file.sha256, where)
            compared++
          }
        }
        assert.isAbove(compared, 10)
      }),
  )

  it.live("reads no payload chunk to walk a split archive", () =>
    Effect.gen(function* () {
      const { archive, counts } = yield* open(plain)
      const folder = yield* at(archive, "/host/alpha/2024-03-01T03:00:00Z/data.pxar")
      const row = Datastores.expected.stores["datastore-plain"].snapshots.find(
        ({ snapshot }) => snapshot === "host/alpha/2024-03-01T03:00:00Z",
      )
      const metadata = row?.files.find(({ name }) => name === "data.mpxar.didx")
      let entries = 0
      yield* Stream.runForEach(archive.walk(folder), () => Effect.sync(() => entries++))
      assert.isAbove(entries, 600)
      const chunks = new Set(counts.blobs.filter((name) => name.startsWith(".chunks/")))
      // The start of the payload archive is checked when it is opened: one chunk.
      assert.isAtMost(chunks.size, (metadata?.distinct_chunks ?? 0) + 2)
    }),
  )

  it.live("gives every name the inode number that its node has, and no two the same", () =>
    Effect.gen(function* () {
      const { archive, tree } = yield* open(plain)
      const ids = new Set<number | bigint>()
      const visit = (node: Parameters<ArchiveTree["list"]>[0]): Effect.Effect<void, unknown> =>
        Effect.gen(function* () {
          const children: Array<Listed> = []
          yield* tree.list(node, 0, (child) => children.push(child) > 0)
          for (const child of children) {
            if (child._tag === "Unreadable") continue
            const looked = yield* tree.lookup(node, child.name)
            const inode = tree.inode(child.node)
            assert.strictEqual(looked && tree.inode(looked.node), inode)
            if (looked?.link !== undefined) continue
            assert.isFalse(ids.has(inode), Buffer.from(child.name).toString())
            ids.add(inode)
            if (looked?.entry.body._tag === "Directory") yield* visit(looked.node)
          }
        })
      yield* visit((yield* archive.root).node)
      assert.isAbove(ids.size, 3000)
    }),
  )

  it.live("opens nothing to list ten thousand backups, and sees those that come and go", () =>
    Effect.gen(function* () {
      const time = (i: number) => SnapshotId.fromEpoch(1_600_000_000 + i * 3600)
      const blobs = new Map<string, Uint8Array>([[".chunks/0000/x", new Uint8Array()]])
      for (let i = 0; i < 10_000; i++) blobs.set(`host/many/${time(i)}/index.json.blob`, new Uint8Array())
      const { counts, store } = BlobStoreWrappers.counting(fromMap(blobs))
      const tree = yield* RepositoryTree.make(yield* stores.over(store), { ...SHOWN, fresh: 0 })
      assert.strictEqual((yield* names(tree, "/host/many")).length, 10_001)
      assert.deepStrictEqual(
        counts.blobs.filter((name) => name.endsWith(".blob")),
        [],
      )
      blobs.set(`host/many/${time(20_000)}/index.json.blob`, new Uint8Array())
      blobs.delete(`host/many/${time(5)}/index.json.blob`)
      const now = yield* names(tree, "/host/many")
      assert.include(now, time(20_000))
      assert.notInclude(now, time(5))
    }),
  )

  it.live("can show one group or one backup, under other names", () =>
    Effect.gen(function* () {
      const group = { namespace: ["a", "b"], type: "vm", id: "200" } as const
      const { tree } = yield* open(plain, { root: group, timeTemplate: "%Y%m%d" })
      assert.deepStrictEqual(yield* names(tree, "/"), ["20240104", "20240105", "latest", "owner"])
      const one = yield* open(plain, { root: { ...group, time: "2024-01-05T01:02:03Z" } })
      assert.include(yield* names(one.tree, "/"), "qemu-server.conf")
    }),
  )
})
