/**
 * Every row of `expected.json`: what is in the three datastores, which ranges of bytes, and what is wrong where.
 */
import * as crypto from "node:crypto"
import * as fs from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Result } from "effect"
import * as Namespace from "../../../src/domain/datastore/Namespace.ts"
import * as KeyFile from "../../../src/domain/datastore/KeyFile.ts"
import * as SnapshotId from "../../../src/domain/datastore/SnapshotId.ts"
import type { ChunkedSource } from "../../../src/services/chunks/ChunkedSource.ts"
import { ChunkFault } from "../../../src/services/chunks/ChunkFault.ts"
import * as KeyUnlock from "../../../src/services/keys/KeyUnlock.ts"
import type { Repository, Snapshot } from "../../../src/services/repository/Repository.ts"
import * as ChunkCache from "../../../src/services/bytes/ChunkCache.ts"
import * as ChunkStore from "../../../src/services/chunks/ChunkStore.ts"
import * as FolderBlobStore from "../../../src/services/blobs/FolderBlobStore.ts"
import * as Datastores from "../../support/Datastores.ts"
import * as stores from "./stores.ts"

const sha256 = (bytes: Uint8Array) => crypto.createHash("sha256").update(bytes).digest("hex")
const idOf = (row: Datastores.ExpectedSnapshot) =>
  Result.getOrThrow(
    SnapshotId.parse(`${Namespace.toPath(row.ns === "" ? [] : row.ns.split("/"))}/${row.snapshot}`.replace(/^\//, "")),
  )

/** The class of the chunk's fault that a message tells at its end. */
const classOf = (message: string): string | undefined => /\((\w+)\)(?: \(reading at byte \d+\))?$/.exec(message)?.[1]

const isClass = (row: Datastores.ExpectedFile, found: string | undefined, where: string) =>
  assert.include([row.error, ...(row.also ?? [])], found, where)

const readRange = (source: ChunkedSource, offset: number, length: number) => {
  const target = new Uint8Array(length)
  return Effect.as(source.read(target, offset), target)
}

/** Checks a stream that can be opened. */
const checkStream = Effect.fnUntraced(function* (row: Datastores.ExpectedFile, source: ChunkedSource, where: string) {
  const { index } = source
  if (row.chunks !== undefined) assert.strictEqual(index.count, row.chunks, where)
  if (row.distinct_chunks !== undefined) {
    const digests = Array.from({ length: index.count }, (_, chunk) => Buffer.from(index.digest(chunk)).toString("hex"))
    assert.strictEqual(new Set(digests).size, row.distinct_chunks, where)
  }
  if (row.chunk_size !== undefined) assert.strictEqual(index.chunkSize, row.chunk_size, where)
  assert.strictEqual(source.size, row.size, where)
  assert.strictEqual(source.warnings[0]?.check, row.warning, where)
  for (const read of row.reads ?? []) {
    const result = yield* Effect.result(readRange(source, read.offset, read.length))
    if (result._tag === "Success") assert.strictEqual(sha256(result.success), read.sha256, where)
    // Only where the damage covers the whole archive.
    else
      assert.isTrue(
        row.error !== undefined && row.damaged_ranges?.[0]?.[0] === 0,
        `${where}: ${result.failure.message}`,
      )
  }
  for (const read of row.failing_reads ?? []) {
    const error = yield* Effect.flip(readRange(source, read.offset, read.length))
    isClass(row, classOf(error.message), where)
  }
  const whole = new Uint8Array(source.size)
  const ranges = row.damaged_ranges ?? []
  if (ranges.length === 0) {
    yield* source.read(whole, 0)
    assert.strictEqual(sha256(whole), row.sha256, where)
    return
  }
  // Chunk by chunk: exactly the ranges that are told fail, each with its class, file and reason.
  const lost: Array<readonly [number, number]> = []
  for (let chunk = 0; chunk < index.count; chunk++) {
    const [start, end] = [index.start(chunk), index.end(chunk)]
    const result = yield* Effect.result(readRange(source, start, end - start))
    if (result._tag === "Success") continue
    const { message } = result.failure
    isClass(row, classOf(message), where)
    assert.include(message, source.name)
    assert.include(message, `bytes ${start} to ${end}`)
    assert.include(message, `.chunks/`)
    if (row.damaged_chunk !== undefined) assert.include(message, row.damaged_chunk)
    if (row.bad_file === true) assert.include(message, ".0.bad")
    const last = lost.at(-1)
    if (last?.[1] === start) lost[lost.length - 1] = [last[0], end]
    else lost.push([start, end])
  }
  assert.deepStrictEqual(lost, [...ranges], where)
})

const checkFile = Effect.fnUntraced(function* (row: Datastores.ExpectedFile, snapshot: Snapshot, where: string) {
  const listed = snapshot.file(row.name)
  if (row.in_manifest !== false) {
    assert.isDefined(listed, where)
    if (row.crypt_mode !== undefined) assert.strictEqual(listed?.cryptMode, row.crypt_mode as never, where)
    // Where the sizes differ the row has that of the stream.
    if (row.size !== undefined && row.error !== "IndexSizeMismatch") assert.strictEqual(listed?.size, row.size, where)
  }
  if (row.type === "blob") {
    const result = yield* Effect.result(snapshot.blob(row.name))
    if (result._tag === "Failure") {
      isClass(row, result.failure.check, `${where}: ${result.failure.message}`)
      assert.include(result.failure.message, row.name)
      return
    }
    assert.isUndefined(row.error, where)
    assert.strictEqual(result.success.length, row.content_size, where)
    assert.strictEqual(sha256(result.success), row.sha256, where)
    return
  }
  const opened = yield* Effect.result(snapshot.stream(row.name))
  if (opened._tag === "Success") {
    if (row.error !== undefined) assert.isDefined(row.damaged_ranges, `${where}: should not open: ${row.error}`)
    return yield* checkStream(row, opened.success, where)
  }
  isClass(row, opened.failure.check, `${where}: ${opened.failure.message}`)
  assert.include(opened.failure.message, row.name)
})

const checkSnapshot = Effect.fnUntraced(function* (row: Datastores.ExpectedSnapshot, repository: Repository) {
  const where = `${row.ns}/${row.snapshot}`
  const id = idOf(row)
  assert.strictEqual(SnapshotId.toEpoch(id.time), row.backup_time, where)
  const opened = yield* Effect.result(repository.snapshot(id))
  if (opened._tag === "Failure") {
    const { check, message } = opened.failure
    // A size beyond 2^53 may also be told when the manifest is read.
    const also = row.files.flatMap((file) => file.also ?? []).filter((name) => name === "ManifestInvalid")
    const classes = [row.state === "unfinished" ? "SnapshotUnfinished" : row.error, ...also]
    assert.include(classes, check, `${where}: ${message}`)
    assert.include(message, "index.json.blob")
    return
  }
  assert.isUndefined(row.error, where)
  const snapshot = opened.success
  assert.strictEqual(snapshot.isProtected, row.protected, where)
  assert.strictEqual(snapshot.manifest.notes, row.notes, where)
  assert.strictEqual(snapshot.manifest.fingerprint, row.key_fingerprint, where)
  assert.strictEqual(snapshot.signature, row.signature === "absent" ? "unsigned" : "valid", where)
  const unsafe = row.files.filter(({ error }) => error === "UnsafeName").map(() => "UnsafeName")
  assert.deepStrictEqual(
    snapshot.warnings.map(({ check }) => check),
    [...(row.warning ? [row.warning] : []), ...unsafe] as never,
    where,
  )
  for (const file of row.files) yield* checkFile(file, snapshot, `${where}/${file.name}`)
  for (const file of snapshot.files) {
    const contents = yield* Effect.result(snapshot.payload(file))
    assert.strictEqual(contents._tag === "Failure" ? contents.failure.check : undefined, row.contents_error, where)
  }
})

describe.each(["datastore-plain", "datastore-encrypted", "datastore-damaged"] as const)("%s", (name) => {
  const expected = Datastores.expected.stores[name]
  // With both keys: which is wanted is the manifest's to say.
  const open = Effect.flatMap(stores.keys(["key1", "key2"]), (keys) => stores.at(Datastores.store(name), { keys }))

  it.effect("has the namespaces and groups, with owners and notes", () =>
    Effect.gen(function* () {
      const repository = yield* open
      const namespaces: Array<Namespace.Namespace> = []
      const descend = (at: Namespace.Namespace): Effect.Effect<void, unknown> =>
        Effect.flatMap(repository.namespaces(at), (below) => {
          namespaces.push(at)
          return Effect.forEach(below, descend, { discard: true })
        })
      yield* descend([])
      assert.sameMembers(namespaces.map(Namespace.format), [...expected.namespaces])
      const groups = (yield* Effect.forEach(namespaces, repository.groups)).flat()
      const found = yield* Effect.forEach(groups, (group) =>
        Effect.map(repository.group(group), ({ notes, owner }) => ({
          ns: Namespace.format(group.namespace),
          group: `${group.type}/${group.id}`,
          ...(owner === undefined ? {} : { owner }),
          ...(notes === undefined ? {} : { notes }),
        })),
      )
      assert.sameDeepMembers(found, [...expected.groups])
      const snapshots = (yield* Effect.forEach(groups, repository.snapshots)).flat()
      assert.sameMembers(
        snapshots.map(SnapshotId.format),
        expected.snapshots.map((row) => SnapshotId.format(idOf(row))),
      )
    }),
  )

  it.live.each(expected.snapshots)("$ns $snapshot", (row) =>
    Effect.flatMap(open, (repository) => checkSnapshot(row, repository)),
  )
})

describe("datastore-encrypted with fewer keys", () => {
  const rows = Datastores.expected.stores["datastore-encrypted"].snapshots
  const encrypted = Datastores.store("datastore-encrypted")

  it.live.each(rows.filter(({ error_with_key1 }) => error_with_key1 !== undefined))(
    "$snapshot with key 1 alone",
    (row) =>
      Effect.gen(function* () {
        const repository = yield* stores.at(encrypted, { keys: yield* stores.keys(["key1"]) })
        const snapshot = yield* repository.snapshot(idOf(row))
        const open = ({ name, type }: Datastores.ExpectedFile) =>
          type === "blob" ? Effect.asVoid(snapshot.blob(name)) : Effect.asVoid(snapshot.stream(name))
        for (const file of row.files) {
          if (file.crypt_mode !== "encrypt") continue
          assert.strictEqual((yield* Effect.flip(open(file))).check, row.error_with_key1)
        }
      }),
  )

  it.live("reads sign-only files without a key, and says that the signature is not checked", () =>
    Effect.gen(function* () {
      const row = rows.find(({ files }) =>
        files.some(({ crypt_mode }) => crypt_mode === "sign-only"),
      ) as Datastores.ExpectedSnapshot
      const snapshot = yield* Effect.flatMap(stores.at(encrypted), (repository) => repository.snapshot(idOf(row)))
      assert.strictEqual(snapshot.signature, "unchecked")
      for (const file of row.files) yield* checkFile(file, snapshot, file.name)
    }),
  )

  it.live("wants a key for what is encrypted, and names it", () =>
    Effect.gen(function* () {
      const row = rows.find(({ key }) => key === "key1") as Datastores.ExpectedSnapshot
      const snapshot = yield* Effect.flatMap(stores.at(encrypted), (repository) => repository.snapshot(idOf(row)))
      const error = yield* Effect.flip(snapshot.stream("root.pxar.didx"))
      assert.strictEqual(error.check, "KeyRequired")
      assert.include(error.message, "3d:cc:e0:eb:00:4f:5f:e7")
    }),
  )

  it.live("opens what has lost its signature only when told to", () =>
    Effect.gen(function* () {
      const row = rows.find(({ error }) => error === "Unsigned") as Datastores.ExpectedSnapshot
      const keys = yield* stores.keys(["key1"])
      const snapshot = yield* Effect.flatMap(stores.at(encrypted, { keys, unsigned: "allow" }), (repository) =>
        repository.snapshot(idOf(row)),
      )
      assert.strictEqual(snapshot.signature, "unsigned")
    }),
  )
})

describe("chunks of the damaged store", () => {
  it.live("have a fault that is a value, and that no cache keeps", () =>
    Effect.gen(function* () {
      const store = FolderBlobStore.make(Datastores.store("datastore-damaged"))
      const cache = yield* ChunkCache.make()
      const chunks = ChunkStore.make({ stores: [store], cache })
      const wanted = { digest: new Uint8Array(32), length: 5, encrypted: false, key: undefined }
      const fault = yield* Effect.flip(chunks.read(wanted, (content) => content))
      assert.instanceOf(fault, ChunkFault)
      assert.strictEqual(fault.check, "ChunkMissing")
      assert.deepStrictEqual(cache.memory(), { chunks: 0, bytes: 0, loading: 0 })
    }),
  )
})

describe("key files", () => {
  it.live.each(Object.entries(Datastores.expected.keys))("%s", ([name, row]) =>
    Effect.gen(function* () {
      const parsed = KeyFile.parse(fs.readFileSync(Datastores.keyFile(name), "utf8"))
      const passphrase = row.passphrase === undefined ? undefined : Redacted.make(row.passphrase)
      const result = yield* Effect.result(
        Effect.flatMap(Effect.fromResult(parsed), (file) => KeyUnlock.unlock(file, passphrase)),
      )
      if (result._tag === "Failure") return assert.strictEqual(result.failure.check, row.error as never)
      assert.isUndefined(row.error)
      assert.strictEqual(result.success.fingerprint, row.fingerprint)
    }),
  )
})
