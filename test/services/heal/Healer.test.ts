/**
 * Healing makes good what a copy has, whatever is wrong with either; what is lost in both is what is reported; and nothing
 * else changes.
 */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Schema, Stream } from "effect"
import type * as SnapshotId from "../../../src/domain/datastore/SnapshotId.ts"
import * as Healer from "../../../src/services/heal/Healer.ts"
import * as BlobStore from "../../../src/services/blobs/BlobStore.ts"
import * as ChunkCache from "../../../src/services/bytes/ChunkCache.ts"
import * as KeyRing from "../../../src/services/keys/KeyRing.ts"
import * as BackupMaker from "../../support/BackupMaker.ts"
import { make as makeRandom } from "../../support/Random.ts"
import { encode, key } from "../repository/chunked.ts"

const integer = (minimum: number, maximum: number) =>
  Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum, maximum })))

const id: SnapshotId.SnapshotId = { namespace: ["a"], type: "host", id: "elsa", time: "2024-01-01T00:00:00Z" }
const folder = "ns/a/host/elsa/2024-01-01T00:00:00Z"
const random = makeRandom(1)
const content = Uint8Array.from({ length: 9000 }, () => random.below(256))

const ring: KeyRing.KeyRing = { entries: [], find: () => Effect.succeed(key), all: Effect.succeed([key]) }

type Blobs = ReadonlyMap<string, Uint8Array>

const backup = (options: Partial<BackupMaker.Backup>): Effect.Effect<Map<string, Uint8Array>> => {
  const blobs = new Map<string, Uint8Array>()
  const files = { "a.bin.didx": content, "d.img.fidx": content.toReversed(), "b.conf.blob": content.subarray(0, 99) }
  const made = BackupMaker.make((name, bytes) => void blobs.set(name, bytes), {
    id,
    files,
    chunkSize: 1024,
    ...options,
  })
  return Effect.as(made, blobs)
}

/** Heals a store in memory. */
const heal = Effect.fnUntraced(function* (
  own: Map<string, Uint8Array>,
  copies: ReadonlyArray<Blobs>,
  keys: KeyRing.KeyRing = KeyRing.empty,
) {
  const events = yield* Stream.runCollect(
    Healer.heal({
      store: BlobStore.fromMap(own, "own"),
      copies: copies.map((copy, number) => BlobStore.fromMap(copy, `copy${number}`)),
      target: {
        store: BlobStore.fromMap(own, "own"),
        write: (blob, bytes, isGood) =>
          Effect.map(isGood, (good) => {
            assert.isFalse(good, blob)
            own.set(blob, bytes)
            return true
          }),
      },
      keys,
      cache: yield* ChunkCache.make(),
    }),
  )
  const verdict = events.at(-1)
  assert.strictEqual(verdict?._tag, "Verdict")
  return {
    healed: events.flatMap((event) => (event._tag === "Healed" ? [event] : [])),
    lost: events.flatMap((event) => (event._tag === "Lost" ? [event] : [])),
    verdict: verdict as Healer.Verdict,
  }
})

/** What can be wrong with a stored file; `undefined` takes it away. */
const damages: ReadonlyArray<(stored: Uint8Array, at: number, encrypted: boolean) => Uint8Array | undefined> = [
  (stored) => stored,
  (stored) => stored,
  () => undefined,
  () => new Uint8Array(),
  (stored, at) => stored.subarray(0, at % stored.length),
  // In the last bytes: most of an index's header says nothing.
  (stored, at) => {
    const place = stored.length - 1 - (at % Math.min(stored.length, 200))
    return stored.map((byte, i) => (i === place ? byte ^ (1 << (at & 7)) : byte))
  },
  (_, at, encrypted) => encode(Uint8Array.of(1, 2, at & 255), "sized", encrypted),
  (_, at, encrypted) => encode(Uint8Array.of(at & 255), "none", !encrypted),
  (_, at) => Uint8Array.from({ length: at % 300 }, (_, i) => (i * at) & 255),
]

describe("Healer", () => {
  it.live.prop(
    "writes back exactly what a copy has, changes nothing else, and has nothing to do afterwards",
    [
      Schema.Boolean,
      Arbitrary.array(Arbitrary.schema(integer(0, damages.length - 1)), { minLength: 60, maxLength: 60 }),
      integer(8, 99_999),
      Schema.Boolean,
    ],
    ([encrypted, kinds, number, damagesManifest]) =>
      Effect.gen(function* () {
        const good = yield* backup(encrypted ? { key } : {})
        const damaged = (from: number) =>
          new Map(
            [...good].flatMap(([path, stored], at) => {
              // Without a manifest of its own an unsigned backup is unfinished; that has tests of its own.
              if (path.endsWith("index.json.blob") && !(encrypted && damagesManifest)) return [[path, stored] as const]
              const bytes = damages[kinds[(at + from) % 60] as number]?.(stored, number + at, encrypted)
              return bytes === undefined ? [] : [[path, bytes] as const]
            }),
          )
        const own = damaged(0)
        const copy = damaged(20)
        const before = new Map(own)
        const isGood = (blobs: Blobs, path: string) => {
          const stored = blobs.get(path)
          return stored !== undefined && Buffer.compare(stored, good.get(path) as Uint8Array) === 0
        }
        const manifest = `${folder}/index.json.blob`
        const { healed, lost } = yield* heal(own, [copy], ring)
        if (!isGood(before, manifest) && !isGood(copy, manifest)) {
          assert.deepStrictEqual([healed.length, own], [0, before])
          return
        }
        const hasIndex = (name: string) => isGood(own, `${folder}/${name}`)
        const needed = [...good.keys()].filter(
          (path) => !path.startsWith(".chunks") || (hasIndex("a.bin.didx") && hasIndex("d.img.fidx")),
        )
        for (const path of needed) {
          const wasGood = isGood(before, path)
          const canBe = isGood(copy, path)
          assert.strictEqual(isGood(own, path), wasGood || canBe, path)
          assert.strictEqual(
            lost.some(({ blob }) => blob === path),
            !wasGood && !canBe,
            path,
          )
          assert.strictEqual(
            healed.some(({ blob }) => blob === path),
            !wasGood && canBe,
            path,
          )
        }
        for (const [path, stored] of before) {
          if (!healed.some(({ blob }) => blob === path)) assert.deepStrictEqual(own.get(path), stored, path)
        }
        const after = new Map(own)
        assert.strictEqual((yield* heal(own, [copy], ring)).healed.length, 0)
        assert.deepStrictEqual(own, after)
      }).pipe(Effect.scoped),
    { arbitrary: { runs: 100 } },
  )

  it.live("says that an encrypted chunk was compared by its checksum only, where there is no key", () =>
    Effect.gen(function* () {
      const good = yield* backup({ key })
      const own = new Map(good)
      const chunk = [...good.keys()].find((path) => path.startsWith(".chunks")) ?? ""
      own.delete(chunk)
      const { healed, verdict } = yield* heal(own, [good])
      assert.deepStrictEqual(
        healed.map(({ blob, proof }) => [blob, proof]),
        [[chunk, "checksum"]],
      )
      assert.deepStrictEqual([verdict.result, verdict.partly], ["healed", 1])
      assert.deepStrictEqual(own, good)
    }).pipe(Effect.scoped),
  )

  it.live("takes no encrypted chunk without its key of which two copies have different bytes", () =>
    Effect.gen(function* () {
      const good = yield* backup({ key })
      const own = new Map(good)
      const chunk = [...good.keys()].find((path) => path.startsWith(".chunks")) ?? ""
      own.delete(chunk)
      const forged = new Map(good).set(chunk, encode(Uint8Array.of(1), "none", true))
      const { healed, lost } = yield* heal(own, [forged, good])
      assert.deepStrictEqual([healed.length, lost.map(({ blob }) => blob)], [0, [chunk]])
      assert.isFalse(own.has(chunk))
      // With the key there is no question.
      assert.strictEqual((yield* heal(own, [forged, good], ring)).healed[0]?.from, "copy1")
    }).pipe(Effect.scoped),
  )

  it.live("brings back no backup that is not there, and leaves alone what it may not read", () =>
    Effect.gen(function* () {
      const good = yield* backup({})
      const other = yield* backup({ id: { ...id, time: "2024-01-02T00:00:00Z" } })
      const own = new Map(good)
      const { healed, verdict } = yield* heal(own, [new Map([...good, ...other])])
      assert.deepStrictEqual([healed.length, verdict.result, verdict.snapshots], [0, "sound", 1])
    }).pipe(Effect.scoped),
  )
})
