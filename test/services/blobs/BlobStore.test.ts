/** One suite that every store of blobs passes, and what the wrappers add. */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { BlobError, type BlobStore, fromRecord } from "../../../src/services/blobs/BlobStore.ts"
import * as BlobStoreWrappers from "../../../src/services/blobs/BlobStoreWrappers.ts"
import { CONTENT, ODD, suite } from "../../support/BlobStoreSuite.ts"
import * as FolderBlobStore from "../../../src/services/blobs/FolderBlobStore.ts"

const ALL = { ...CONTENT, ...ODD }

const folder = Effect.acquireRelease(
  Effect.sync(() => {
    const root = fs.mkdtempSync(path.join(os.tmpdir(), "pxar-blobs-"))
    for (const [name, bytes] of Object.entries(ALL)) {
      fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true })
      fs.writeFileSync(path.join(root, name), bytes)
    }
    return root
  }),
  (root) => Effect.sync(() => fs.rmSync(root, { recursive: true })),
)

const stores = {
  "a folder": Effect.map(folder, FolderBlobStore.make),
  memory: Effect.succeed(fromRecord(ALL)),
  "a store that tries again": Effect.succeed(BlobStoreWrappers.retrying(fromRecord(ALL))),
  "a store that counts": Effect.succeed(BlobStoreWrappers.counting(fromRecord(ALL)).store),
  "an intercepted store": Effect.succeed(BlobStoreWrappers.intercepted(fromRecord(ALL), () => Effect.void)),
} satisfies Record<string, Effect.Effect<BlobStore, never, unknown>>

for (const [name, open] of Object.entries(stores)) suite(name, open, { odd: true })

describe("a folder", () => {
  it.live("gives nothing that is outside", () =>
    Effect.gen(function* () {
      const store = FolderBlobStore.make(yield* folder)
      for (const name of ["../x", "host/../../x", "/etc/passwd", "a//b", "."]) {
        assert.strictEqual((yield* Effect.flip(store.read(name, 100))).reason, "Denied")
      }
    }),
  )

  it.live("does not wait for a pipe, and reads no folder", () =>
    Effect.gen(function* () {
      const root = yield* folder
      const store = FolderBlobStore.make(root)
      const { spawnSync } = yield* Effect.promise(() => import("node:child_process"))
      spawnSync("mkfifo", [path.join(root, "pipe")])
      for (const name of ["pipe", "host"])
        assert.strictEqual((yield* Effect.flip(store.read(name, 100))).reason, "Failed")
    }),
  )
})

describe("the wrappers", () => {
  const failing = (times: number, isTransient: boolean) => {
    let left = times
    const error = new BlobError({ store: "memory", blob: "top", reason: "Failed", detail: "hiccup", isTransient })
    return BlobStoreWrappers.counting(
      BlobStoreWrappers.intercepted(fromRecord(ALL), () =>
        Effect.suspend(() => (left-- > 0 ? Effect.fail(error) : Effect.void)),
      ),
    )
  }

  it.effect("try again what may pass, a few times, each time later", () =>
    Effect.gen(function* () {
      const { counts, store } = failing(3, true)
      const fiber = yield* Effect.forkChild(
        BlobStoreWrappers.retrying(store, { times: 3, delay: "1 second" }).read("top", 10),
      )
      yield* TestClock.adjust("7 seconds")
      assert.strictEqual((yield* Fiber.join(fiber)).length, 2)
      assert.strictEqual(counts.reads, 4)
    }),
  )

  it.effect("give up in the end", () =>
    Effect.gen(function* () {
      const { counts, store } = failing(9, true)
      const fiber = yield* Effect.forkChild(
        Effect.flip(BlobStoreWrappers.retrying(store, { times: 2, delay: "1 second" }).read("top", 10)),
      )
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual((yield* Fiber.join(fiber)).detail, "hiccup")
      assert.strictEqual(counts.reads, 3)
    }),
  )

  it.effect("do not try again what will not pass", () =>
    Effect.gen(function* () {
      const { counts, store } = failing(9, false)
      yield* Effect.flip(BlobStoreWrappers.retrying(store).read("top", 10))
      assert.strictEqual(counts.reads, 1)
    }),
  )
})
