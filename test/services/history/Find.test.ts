import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as PathText from "../../../src/domain/PathText.ts"
import * as Find from "../../../src/services/history/Find.ts"
import type * as Query from "../../../src/services/tree/Query.ts"
import * as backups from "./backups.ts"

const anything: Query.Query = { patterns: [], manner: "name", ignoreCase: false }

const found = (repository: Parameters<typeof Find.find>[0], query: Partial<Query.Query>) =>
  Effect.map(Stream.runCollect(Find.find(repository, { query: { ...anything, ...query }, jobs: 2 })), (all) =>
    all.filter((each) => each._tag === "Hit"),
  )

describe("Find", () => {
  it.effect("gives each version of a file once, with the backups that have it, as looking into each backup does", () =>
    Effect.gen(function* () {
      for (let seed = 1; seed <= 24; seed++) {
        const made = yield* backups.make(seed)
        const expected = new Map<string, Array<string>>()
        for (const { files, id } of made.backups) {
          for (const [path, { content, mtime }] of files) {
            if (!path.includes("alpha")) continue
            const key = `${path} ${content.length} ${mtime}`
            expected.set(key, [...(expected.get(key) ?? []), id.time])
          }
        }
        const hits = yield* found(made.repository, { patterns: ["alpha"] })
        const actual = hits.map(({ entry, path, snapshots }) => {
          const size = entry.body._tag === "File" ? entry.body.content.length : 0
          return [`${PathText.print(path)} ${size} ${entry.mtimeSeconds}`, snapshots.map(({ time }) => time)] as const
        })
        assert.deepStrictEqual(new Map(actual), expected, `seed ${seed}`)
        assert.strictEqual(actual.length, expected.size, `seed ${seed}`)
        const newest = made.backups.at(-1)
        for (const { isGone, snapshots } of hits) assert.strictEqual(isGone, snapshots.at(-1)?.time !== newest?.id.time)
      }
    }),
  )

  it.effect("reads no payload, and an archive that several backups share only once", () =>
    Effect.gen(function* () {
      const made = yield* backups.make(2, { split: true })
      const before = made.counts.blobs.length
      yield* found(made.repository, { patterns: ["alpha"] })
      const read = made.counts.blobs.slice(before)
      const chunks = read.filter((name) => name.startsWith(".chunks"))
      assert.isAbove(chunks.length, 0)
      assert.strictEqual(new Set(chunks).size, chunks.length, "no chunk is read twice")
      assert.deepStrictEqual(
        chunks.filter((name) => made.payloadChunks.has(name)),
        [],
      )
    }),
  )

  it.effect("names the backups that cannot be looked into, and goes on", () =>
    Effect.gen(function* () {
      const made = yield* backups.make(3, { split: false })
      const victim = "host/elsa/2024-01-03T00:00:00Z/index.json.blob"
      made.blobs.set(victim, new Uint8Array(10))
      const all = yield* Stream.runCollect(Find.find(made.repository, { query: anything }))
      const unreadable = all.filter((each) => each._tag === "Unreadable")
      assert.deepStrictEqual(
        unreadable.map(({ snapshots }) => snapshots.map(({ time }) => time)),
        [["2024-01-03T00:00:00Z"]],
      )
      assert.isTrue(all.some((each) => each._tag === "Hit"))
    }),
  )
})
