/** Questions over many backups on the page: the same with an index and without. */
import * as nodePath from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as BuildIndex from "../../src/services/history/BuildIndex.ts"
import * as HistoryIndex from "../../src/services/index/HistoryIndex.ts"
import * as Processes from "../support/Processes.ts"
import * as harness from "./harness.ts"

const inStore = "/api/v1/repositories/store"
const at = (path: string): string => `path=${encodeURIComponent(path)}`

/** A datastore that is served with its index, and without one. */
const indexed = Effect.gen(function* () {
  const file = nodePath.join(yield* Processes.temporaryFolder, "index", "test.sqlite")
  const index = yield* Effect.orDie(HistoryIndex.openForWriting(file))
  const plain = yield* harness.datastore("datastore-plain")
  const { repository } = plain.backups!
  yield* Effect.orDie(Stream.runDrain(BuildIndex.build(repository, index, { encrypted: false })))
  return {
    plain: yield* harness.start([plain]),
    index: yield* harness.start([yield* harness.datastore("datastore-plain", undefined, "store", index)]),
  }
})

describe("backups", () => {
  it.live("have the same versions with an index, and what changed", () =>
    Effect.gen(function* () {
      const { index, plain } = yield* indexed
      const paths = [
        "",
        "/root.pxar",
        "/root.pxar/sizes/s131071",
        "/root.pxar/hard",
        "/data.pxar/sizes",
        "/root.pxar/no",
      ]
      for (const path of paths) {
        const asked = `versions?${at(`/host/alpha/2024-01-01T00:00:00Z${path}`)}`
        const [by, without] = yield* Effect.all([index.ask(`${inStore}/${asked}`), plain.ask(`${inStore}/${asked}`)])
        assert.deepStrictEqual(by.json, without.json, path)
        assert.strictEqual(by.json.length, 5)
        // What is in no archive has no contents that could be compared.
        const changed = by.json.filter(({ state }: { state: string }) => state === "changed")
        for (const { content } of changed) assert.strictEqual(content !== undefined, path.includes(".pxar"), path)
      }
    }),
  )
})

describe("names", () => {
  it.live("of many backups are found once for each version, in the newest backup, with and without an index", () =>
    Effect.gen(function* () {
      const { index, plain } = yield* indexed
      const search = (web: harness.Web, path: string, text: string) =>
        Effect.map(web.ask(`${inStore}/search?${at(path)}&text=${encodeURIComponent(text)}`), ({ text }) => {
          const lines = text
            .trimEnd()
            .split("\n")
            .map((line) => JSON.parse(line))
          assert.strictEqual(lines.at(-1).done, "all")
          return lines.filter(({ row }) => row !== undefined)
        })
      const backup = "/host/alpha/2024-01-01T00:00:00Z"
      for (const [path, text] of [
        ["/", "s131071"],
        ["/host/alpha", "S13"],
        ["/", "a*b?"],
        [backup, "sizes"],
        ["/", "root"],
      ] as const) {
        const [by, without] = yield* Effect.all([search(index, path, text), search(plain, path, text)])
        assert.deepStrictEqual(by, without, `${text} below ${path}`)
      }
      const found = yield* search(plain, "/host/alpha", "s131071")
      for (const { backups, path, row } of found) {
        assert.isAbove(backups, 0)
        const { json } = yield* plain.ask(`${inStore}/entry?${at(path)}`)
        assert.deepStrictEqual([json.size, json.mtime_seconds], [row.size, row.mtime_seconds])
      }
      const paths = (lines: ReadonlyArray<{ path: string }>) => lines.map(({ path }) => path).toSorted()
      const sizes = `${backup}/root.pxar/sizes`
      assert.deepStrictEqual(paths(yield* search(index, sizes, "s1")), paths(yield* search(plain, sizes, "s1")))
      assert.isAbove((yield* search(index, sizes, "s1")).length, 2)
      assert.deepStrictEqual(yield* search(index, `${backup}/root.pxar/hard`, "s1"), [])
    }),
  )
})
