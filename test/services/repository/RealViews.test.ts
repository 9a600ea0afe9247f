/**
 * Every archive of the datastore that the reference client wrote, through the tree of the whole repository, is what that
 * client restored from it, in every field. No payload chunk is read for the names and attributes of a split one.
 */
import * as crypto from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as Bytes from "../../../src/domain/Bytes.ts"
import * as XattrList from "../../../src/domain/pxar/XattrList.ts"
import * as BlobStoreWrappers from "../../../src/services/blobs/BlobStoreWrappers.ts"
import * as ChunkStore from "../../../src/services/chunks/ChunkStore.ts"
import * as FolderBlobStore from "../../../src/services/blobs/FolderBlobStore.ts"
import * as RepositoryTree from "../../../src/services/virtual/RepositoryTree.ts"
import * as Archive from "../../../src/services/tree/Archive.ts"
import type * as TreeWalk from "../../../src/services/tree/TreeWalk.ts"
import * as Datastores from "../../support/Datastores.ts"
import * as stores from "./stores.ts"

/** Contents of these are compared too: each mode, re-used chunks, each kind of key. The others have the same contents. */
const READ = ["host/meta/2025-06-17", "host/enc/2025-06-15", "host/legacy/2025-06-16", "host/enc-scrypt", "ct/101"]

const KINDS: Readonly<Record<number, string>> = {
  0o140000: "socket",
  0o120000: "symlink",
  0o100000: "file",
  0o060000: "block_device",
  0o040000: "directory",
  0o020000: "char_device",
  0o010000: "fifo",
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")

/** What is known of an entry without its content, as the views have it. */
const fieldsOf = ({ entry }: TreeWalk.Found) => {
  const { body } = entry
  const xattrs = XattrList.split(XattrList.names(XattrList.fromEntry(entry)))
  return {
    kind: KINDS[entry.mode & 0o170000],
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    mtime_ns: (entry.mtimeSeconds * 1_000_000_000n + BigInt(entry.mtimeNanos)).toString(),
    ...(body._tag === "File" ? { size: body.content.length } : {}),
    ...(body._tag === "Symlink" ? { target_hex: hex(body.target) } : {}),
    ...(body._tag === "Device" ? { rdev: [Number(body.major), Number(body.minor)] } : {}),
    xattrs: Object.fromEntries(xattrs.map((name) => [hex(name), hex(XattrList.get(entry, name) as Uint8Array)])),
  }
}

/** The same of a line of a view. */
const expectedOf = ({ kind, mode, uid, gid, mtime_ns, size, target_hex, rdev, xattrs = {} }: Datastores.RealView) => ({
  kind,
  mode,
  uid,
  gid,
  mtime_ns,
  ...(kind === "file" ? { size } : {}),
  ...(target_hex === undefined ? {} : { target_hex }),
  ...(rdev === undefined ? {} : { rdev }),
  xattrs,
})

const open = Effect.gen(function* () {
  const { counts, store } = BlobStoreWrappers.counting(FolderBlobStore.make(Datastores.realStore()))
  const files = ["enc-none.json", "enc-scrypt.json", "sign-none.json"].map(Datastores.realKeyFile)
  const repository = yield* stores.over(store, { keys: yield* stores.keyRing(files, "correct horse") })
  const tree = yield* RepositoryTree.make(repository, { uid: 0, gid: 0, mtimeSeconds: 0 })
  return { archive: Archive.fromReader(tree), counts, repository }
})

const rows = Datastores.realSnapshots().flatMap((row) =>
  row.archives.flatMap(({ name, view }) => (view === undefined ? [] : [{ ...row, name, view }])),
)

describe("archives of a real server, in the tree of its datastore", () => {
  it.live.each(rows)("$ns $snapshot $name is $view", ({ name, ns, snapshot, view }) =>
    Effect.gen(function* () {
      const { archive, counts } = yield* open
      const namespace =
        ns === ""
          ? ""
          : ns
              .split("/")
              .map((part) => `/ns/${part}`)
              .join("")
      const folder = `${namespace}/${snapshot}/${name.replace(/\.m?pxar\.didx$/, ".pxar")}`
      const start = yield* archive.find(Bytes.fromText(folder))
      const prefix = Bytes.fromText(folder).length
      const found = new Map<string, TreeWalk.Found>()
      yield* Stream.runForEach(archive.walk(start), (item) =>
        Effect.sync(() => {
          assert.strictEqual(item._tag, "Found")
          if (item._tag === "Found") found.set(hex(item.path.subarray(prefix)) || "2f", item)
        }),
      )
      const read = counts.blobs.filter((blob) => blob.startsWith(".chunks/")).length
      if (name.endsWith(".mpxar.didx")) {
        const source = yield* Effect.flatMap(open, ({ repository }) => payloadChunks(repository, ns, snapshot, name))
        // The head of the payload archive, and the end of it, are checked when it is opened.
        assert.isAtMost(counts.blobs.filter((blob) => source.has(blob)).length, 3)
      }
      const lines = Datastores.realView(view)
      assert.deepStrictEqual([...found.keys()].toSorted(), lines.map(({ path_hex }) => path_hex).toSorted())
      const firstOf = new Map<number, string>()
      for (const line of lines) {
        const item = found.get(line.path_hex) as TreeWalk.Found
        assert.deepStrictEqual(fieldsOf(item), expectedOf(line) as never, line.path_hex)
        const first = firstOf.get(item.node.id) ?? line.path_hex
        firstOf.set(item.node.id, first)
        if (line.same_inode_as_hex !== undefined) assert.strictEqual(first, line.same_inode_as_hex)
      }
      assert.isAbove(read, 0)
      if (!READ.some((part) => snapshot.startsWith(part))) return
      for (const line of lines) {
        if (line.kind !== "file") continue
        const hash = crypto.createHash("sha256")
        yield* Stream.runForEach(archive.content(found.get(line.path_hex) as TreeWalk.Found), (bytes) =>
          Effect.sync(() => hash.update(bytes)),
        )
        assert.strictEqual(hash.digest("hex"), line.sha256, line.path_hex)
      }
    }),
  )
})

/** Paths of the chunks of a payload archive that its metadata does not have. */
const payloadChunks = Effect.fnUntraced(function* (
  repository: Effect.Success<typeof open>["repository"],
  ns: string,
  snapshot: string,
  name: string,
) {
  const [type, id, time] = snapshot.split("/") as ["host" | "ct" | "vm", string, string]
  const opened = yield* repository.snapshot({ namespace: ns === "" ? [] : ns.split("/"), type, id, time })
  const chunks = Effect.fnUntraced(function* (file: string) {
    const { index } = yield* opened.stream(file)
    return Array.from({ length: index.count }, (_, chunk) => ChunkStore.chunkPath(index.digest(chunk)))
  })
  const metadata = new Set(yield* chunks(name))
  return new Set((yield* chunks(name.replace(".mpxar", ".ppxar"))).filter((chunk) => !metadata.has(chunk)))
})
