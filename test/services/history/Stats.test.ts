import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as SnapshotId from "../../../src/domain/datastore/SnapshotId.ts"
import { DigestTable } from "../../../src/services/history/DigestTable.ts"
import * as Stats from "../../../src/services/history/Stats.ts"
import { make as makeRandom } from "../../support/Random.ts"
import * as backups from "./backups.ts"

describe("Stats", () => {
  it.effect("count what backups have alone and what is new, as sets of digests do", () =>
    Effect.gen(function* () {
      for (let seed = 1; seed <= 12; seed++) {
        const made = yield* backups.make(seed)
        const stats = yield* Stats.collect(made.repository, {})
        const chunks = new Map<string, Map<string, number>>()
        for (const { id } of made.backups) {
          const snapshot = yield* made.repository.snapshot(id)
          const own = new Map<string, number>()
          for (const { name, storage } of snapshot.manifest.files) {
            if (storage === "blob") continue
            const { index } = yield* snapshot.index(name)
            for (let chunk = 0; chunk < index.count; chunk++) {
              own.set(Buffer.from(index.digest(chunk)).toString("hex"), index.end(chunk) - index.start(chunk))
            }
          }
          chunks.set(SnapshotId.format(id), own)
        }
        const seen = new Set<string>()
        for (const { added, id, only } of stats.snapshots) {
          const own = chunks.get(SnapshotId.format(id))!
          const others = [...chunks].filter(([name]) => name !== SnapshotId.format(id)).map(([, set]) => set)
          const sum = (wanted: (digest: string) => boolean) =>
            [...own].reduce((total, [digest, length]) => total + (wanted(digest) ? length : 0), 0)
          assert.strictEqual(
            only,
            sum((digest) => !others.some((set) => set.has(digest))),
            `seed ${seed}`,
          )
          assert.strictEqual(
            added,
            sum((digest) => !seen.has(digest)),
            `seed ${seed}`,
          )
          for (const digest of own.keys()) seen.add(digest)
        }
        assert.strictEqual(stats.chunks, seen.size)
        assert.strictEqual(made.counts.blobs.filter((name) => name.startsWith(".chunks")).length, 0, "no chunk is read")
      }
    }),
  )
})

describe("DigestTable", () => {
  it("keeps two numbers of every digest, as a map does", () => {
    const random = makeRandom(7)
    const table = new DigestTable(4)
    const model = new Map<string, readonly [number, number]>()
    for (let step = 0; step < 5000; step++) {
      const digest = new Uint8Array(32)
      digest[0] = random.below(256)
      digest[7] = random.below(8)
      const key = `${digest[0]}:${digest[7]}`
      const at = table.at(digest)
      assert.deepStrictEqual([table.getFirst(at), table.getSecond(at)], [...(model.get(key) ?? [0, 0])])
      const numbers = [random.below(100) - 1, random.below(1000)] as const
      table.setFirst(at, numbers[0])
      table.setSecond(at, numbers[1])
      model.set(key, numbers)
    }
    assert.strictEqual(table.count, model.size)
  })
})
