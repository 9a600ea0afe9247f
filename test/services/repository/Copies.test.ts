/**
 * Copies of a datastore stand in for what is missing or damaged, whatever is wrong with either; and nothing that they hold
 * is believed that the datastore does not vouch for.
 */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Schema } from "effect"
import * as SnapshotId from "../../../src/domain/datastore/SnapshotId.ts"
import * as BlobStore from "../../../src/services/blobs/BlobStore.ts"
import * as BlobStoreWrappers from "../../../src/services/blobs/BlobStoreWrappers.ts"
import * as ChunkCache from "../../../src/services/bytes/ChunkCache.ts"
import * as ChunkedSource from "../../../src/services/chunks/ChunkedSource.ts"
import * as ChunkStore from "../../../src/services/chunks/ChunkStore.ts"
import type { Healed } from "../../../src/services/chunks/Healed.ts"
import * as BackupMaker from "../../support/BackupMaker.ts"
import { make as makeRandom } from "../../support/Random.ts"
import { encode, key, put } from "./chunked.ts"
import * as stores from "./stores.ts"

const integer = (minimum: number, maximum: number) =>
  Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum, maximum })))

/** What can be wrong with a stored chunk; each takes the good bytes and a number. `IO` fails the store itself. */
const damages = {
  none: (stored: Uint8Array) => stored,
  missing: () => undefined,
  empty: () => new Uint8Array(),
  cut: (stored: Uint8Array, at: number) => stored.subarray(0, at % stored.length),
  longer: (stored: Uint8Array, at: number) => Uint8Array.of(...stored, at & 255),
  bit: (stored: Uint8Array, at: number) =>
    stored.map((byte, i) => (i === at % stored.length ? byte ^ (1 << (at & 7)) : byte)),
  forged: (_: Uint8Array, at: number, encrypted: boolean) =>
    encode(Uint8Array.of(1, 2, at & 255, 4), "sized", encrypted),
  otherKind: (_: Uint8Array, at: number, encrypted: boolean) => encode(Uint8Array.of(at & 255), "none", !encrypted),
  rubbish: (_: Uint8Array, at: number) => Uint8Array.from({ length: at % 300 }, (_, i) => (i * at) & 255),
  IO: (stored: Uint8Array) => stored,
} as const
type Damage = keyof typeof damages
const DAMAGES = Object.keys(damages) as ReadonlyArray<Damage>

const damagedStore = (
  name: string,
  blobs: ReadonlyMap<string, Uint8Array>,
  of: ReadonlyMap<string, Damage>,
  number: number,
  encrypted: boolean,
) => {
  const own = new Map<string, Uint8Array>()
  for (const [path, stored] of blobs) {
    const made = damages[of.get(path) ?? "none"](stored, number, encrypted)
    if (made !== undefined) own.set(path, made)
  }
  return BlobStoreWrappers.intercepted(BlobStore.fromMap(own, name), (path) =>
    of.get(path) === "IO"
      ? Effect.fail(
          new BlobStore.BlobError({ store: name, blob: path, reason: "Failed", detail: "fails", isTransient: false }),
        )
      : Effect.void,
  )
}

describe("chunks of copies", () => {
  it.live.prop(
    "are taken where the datastore's are damaged, and never believed; what both have lost is what is reported",
    [
      Arbitrary.array(Arbitrary.schema(integer(5, 400)), { minLength: 1, maxLength: 8 }),
      Schema.Boolean,
      Schema.Boolean,
      Arbitrary.array(
        Arbitrary.schema(Schema.Tuple([integer(0, DAMAGES.length - 1), integer(0, DAMAGES.length - 1)])),
        { minLength: 8, maxLength: 8 },
      ),
      integer(1, 99_999),
    ],
    ([lengths, encrypted, verify, kinds, number]) =>
      Effect.gen(function* () {
        const random = makeRandom(number)
        const bytes = Uint8Array.from({ length: lengths.reduce((sum, length) => sum + length, 0) }, () =>
          random.below(256),
        )
        const blobs = new Map<string, Uint8Array>()
        const { index } = yield* put(blobs, bytes, lengths, { encrypted, compression: () => "sized" })
        const paths = lengths.map((_, chunk) => ChunkStore.chunkPath(index.digest(chunk)))
        const kindOf = (chunk: number, side: 0 | 1): Damage => DAMAGES[(kinds[chunk] ?? [0, 0])[side]] ?? "none"
        const side = (at: 0 | 1) => new Map(paths.map((path, chunk) => [path, kindOf(chunk, at)]))
        const own = damagedStore("own", blobs, side(0), number, encrypted)
        const copy = damagedStore("copy", blobs, side(1), number + 1, encrypted)
        const healed: Array<Healed> = []
        const chunks = ChunkStore.make({
          stores: [own, copy],
          cache: yield* ChunkCache.make(),
          verify,
          onHealed: (one) => Effect.sync(() => void healed.push(one)),
        })
        const source = yield* ChunkedSource.make({
          name: "x.didx",
          index,
          store: chunks,
          encrypted,
          key: encrypted ? key : undefined,
        })
        const told: Array<string> = []
        for (const [chunk, path] of paths.entries()) {
          const target = new Uint8Array(index.end(chunk) - index.start(chunk))
          const read = yield* Effect.result(source.read(target, index.start(chunk)))
          const expected = bytes.subarray(index.start(chunk), index.end(chunk))
          const [first, second] = [kindOf(chunk, 0), kindOf(chunk, 1)]
          const isLost = first !== "none" && second !== "none" && first !== "IO" && second !== "IO"
          if (read._tag === "Failure") assert.strictEqual(read.failure.isLost, isLost, `${first}, ${second}`)
          else assert.deepStrictEqual([first === "none" || second === "none", target], [true, expected])
          if (first !== "none" && second === "none") told.push(`own/${path}`)
        }
        assert.sameMembers(
          healed.map(({ file }) => file),
          told,
        )
        assert.isTrue(healed.every(({ from }) => from === "copy"))
      }).pipe(Effect.scoped),
    { arbitrary: { runs: 200 } },
  )

  it.live("are compared by digest also where those of the datastore are not", () =>
    Effect.gen(function* () {
      const blobs = new Map<string, Uint8Array>()
      const { index } = yield* put(blobs, Uint8Array.of(1, 2, 3, 4), [4], {
        encrypted: false,
        compression: () => "none",
      })
      const path = ChunkStore.chunkPath(index.digest(0))
      const forged = BlobStore.fromRecord({ [path]: encode(Uint8Array.of(4, 3, 2, 1), "none", false) }, "copy")
      const cache = yield* ChunkCache.make()
      const chunks = ChunkStore.make({ stores: [BlobStore.fromRecord({}), forged], cache, verify: false })
      const wanted = { digest: index.digest(0), length: 4, encrypted: false, key: undefined }
      assert.strictEqual((yield* Effect.flip(chunks.read(wanted, (content) => content))).check, "ChunkMissing")
    }).pipe(Effect.scoped),
  )
})

const id: SnapshotId.SnapshotId = { namespace: [], type: "host", id: "elsa", time: "2024-01-01T00:00:00Z" }
const folder = SnapshotId.format(id)
const content = Uint8Array.from({ length: 5000 }, (_, i) => (i * i) & 255)
const other = content.map((byte) => byte ^ 1)

const backup = (
  options: Partial<BackupMaker.Backup> & { readonly content?: Uint8Array },
): Effect.Effect<Map<string, Uint8Array>> => {
  const blobs = new Map<string, Uint8Array>()
  const files = { "a.bin.didx": options.content ?? content, "b.conf.blob": Uint8Array.of(1, 2, 3) }
  const made = BackupMaker.make((name, bytes) => void blobs.set(name, bytes), {
    id,
    files,
    chunkSize: 1024,
    ...options,
  })
  return Effect.as(made, blobs)
}

/** What the stream reads as, and what copies had to stand in for; or the check that failed. */
const outcome = Effect.fnUntraced(function* (
  own: ReadonlyMap<string, Uint8Array>,
  copy: ReadonlyMap<string, Uint8Array>,
  withKey = true,
) {
  const healed: Array<string> = []
  const onHealed = ({ file }: Healed) => Effect.sync(() => void healed.push(file.slice(file.lastIndexOf("/") + 1)))
  const [first, second] = [BlobStore.fromMap(own, "own"), BlobStore.fromMap(copy, "copy")]
  const ring = { entries: [], find: () => Effect.succeed(withKey ? key : undefined), all: Effect.succeed([key]) }
  const repository = yield* stores.over(first, { keys: ring, copies: [second], onHealed })
  return yield* Effect.match(
    Effect.gen(function* () {
      const snapshot = yield* repository.snapshot(id)
      const source = yield* snapshot.stream("a.bin.didx")
      const target = new Uint8Array(source.size)
      yield* source.read(target, 0)
      yield* snapshot.blob("b.conf.blob")
      return target
    }),
    {
      onFailure: (error) => (error._tag === "RepositoryError" ? error.check : error._tag),
      onSuccess: (read) => ({ read, healed: healed.filter((name) => !/^[0-9a-f]{64}$/.test(name)) }),
    },
  )
})

const without = (blobs: ReadonlyMap<string, Uint8Array>, ...names: ReadonlyArray<string>) =>
  new Map([...blobs].filter(([path]) => !names.some((name) => path === `${folder}/${name}`)))

describe("files of a backup from copies", () => {
  it.live("an index, a blob and a manifest come from the copy when they are of the same backup", () =>
    Effect.gen(function* () {
      for (const options of [{}, { key }, { key, isPlain: true }]) {
        const good = yield* backup(options)
        for (const name of ["a.bin.didx", "b.conf.blob", "index.json.blob"]) {
          const cut = new Map(good).set(`${folder}/${name}`, (good.get(`${folder}/${name}`) as Uint8Array).slice(0, -1))
          for (const own of [without(good, name), cut]) {
            assert.deepStrictEqual(yield* outcome(own, good), { read: content, healed: [name] }, name)
          }
        }
      }
    }).pipe(Effect.scoped),
  )

  it.live("a signed manifest vouches for all that it lists", () =>
    Effect.gen(function* () {
      const good = yield* backup({ key })
      const all = ["index.json.blob", "a.bin.didx", "b.conf.blob"]
      const keepsFolder = new Map(without(good, ...all)).set(`${folder}/x.log`, Uint8Array.of())
      assert.deepStrictEqual(yield* outcome(keepsFolder, good), { read: content, healed: all })
    }).pipe(Effect.scoped),
  )

  it.live("an unsigned manifest is taken only if all that it lists is here", () =>
    Effect.gen(function* () {
      const good = yield* backup({})
      assert.strictEqual(yield* outcome(without(good, "index.json.blob", "a.bin.didx"), good), "SnapshotUnfinished")
      const signed = yield* backup({ key, isPlain: true })
      const own = without(signed, "index.json.blob", "a.bin.didx")
      assert.strictEqual(yield* outcome(own, signed, false), "SnapshotUnfinished")
    }).pipe(Effect.scoped),
  )

  it.live("what is of another backup, or made up, is not believed", () =>
    Effect.gen(function* () {
      for (const options of [{}, { key }]) {
        const good = yield* backup(options)
        const foreign = yield* backup({ ...options, content: other })
        assert.strictEqual(yield* outcome(without(good, "a.bin.didx"), foreign), "ArchiveNotFound")
        if (options.key === undefined)
          assert.strictEqual(yield* outcome(without(good, "index.json.blob"), foreign), "SnapshotUnfinished")
        const later = yield* backup({ ...options, id: { ...id, time: "2024-01-02T00:00:00Z" } })
        const moved = new Map(
          [...later].map(([path, bytes]) => [path.replace("2024-01-02", "2024-01-01"), bytes] as const),
        )
        assert.strictEqual(yield* outcome(without(good, "index.json.blob"), moved), "SnapshotUnfinished")
      }
    }).pipe(Effect.scoped),
  )
})
