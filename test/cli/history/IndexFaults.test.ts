/** What happens to `index build` is no harm to what `find` answers: killed, in pairs, on a full disk. */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { DatabaseSync } from "node:sqlite"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import * as DynamicIndex from "../../../src/domain/datastore/DynamicIndex.ts"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import { chunkPath } from "../../../src/services/chunks/ChunkStore.ts"
import * as BackupMaker from "../../support/BackupMaker.ts"
import * as Command from "../../support/Command.ts"
import * as Processes from "../../support/Processes.ts"
import { need } from "../../support/Requirements.ts"
import * as backups from "../../services/history/backups.ts"
import * as JsonSchemas from "../archive/JsonSchemas.ts"

/** A datastore on disk with backups that all differ, and a folder for caches. */
const setting = Effect.gen(function* () {
  const folder = yield* Processes.temporaryFolder
  const made = yield* backups.make(2, { days: 6, split: true })
  const store = path.join(folder, "store")
  const put = BackupMaker.intoFolder(store)
  for (const [name, bytes] of made.blobs) put(name, bytes)
  const caches = path.join(folder, "caches")
  const run = (...args: ReadonlyArray<string>) => Command.run([...args, "--cache-dir", caches])
  const build = () =>
    Effect.map(run("index", "build", "--json", store), ({ stdout }) => JsonSchemas.parse("index", stdout)[0]!)
  /** What is found with the index is what is found without it. */
  const isRight = Effect.gen(function* () {
    for (const args of [[], ["alpha"]]) {
      const [by, without] = [yield* run("find", store, ...args), yield* run("find", "--no-index", store, ...args)]
      assert.deepStrictEqual([by.code, by.stdout.toString()], [without.code, without.stdout.toString()])
    }
  })
  return { made, store, caches, run, build, isRight }
})

/** Digests of the metadata of each backup, the oldest first. */
const digestsOf = (store: string): ReadonlyArray<ReadonlyArray<Uint8Array>> => {
  const group = path.join(store, "host/elsa")
  return fs
    .readdirSync(group)
    .toSorted()
    .map((time) => {
      const index = Result.getOrThrow(DynamicIndex.parse(fs.readFileSync(path.join(group, time, "root.mpxar.didx"))))
      return Array.from({ length: index.count }, (_, chunk) => index.digest(chunk))
    })
}

const archivesIn = (caches: string): number => {
  const folder = path.join(caches, "index")
  const [name] = fs.existsSync(folder) ? fs.readdirSync(folder).filter((name) => name.endsWith(".sqlite")) : []
  if (name === undefined) return 0
  const database = new DatabaseSync(path.join(folder, name), { readOnly: true })
  try {
    return database.prepare("SELECT count(*) AS count FROM archive").get()!["count"] as number
  } catch {
    // It has no tables yet.
    return 0
  } finally {
    database.close()
  }
}

describe("an index whose build", () => {
  it.live("was killed has whole archives, and goes on", () =>
    Effect.gen(function* () {
      const { build, caches, isRight, store } = yield* setting
      const digests = digestsOf(store)
      const old = new Set(
        digests
          .slice(0, 2)
          .flat()
          .map((digest) => Buffer.from(digest).toString("hex")),
      )
      const [at, fresh] = digests
        .flatMap((each, at) => each.map((digest) => [at, digest] as const))
        .find(([, digest]) => !old.has(Buffer.from(digest).toString("hex")))!
      const chunk = path.join(store, chunkPath(fresh))
      const content = fs.readFileSync(chunk)
      // Whoever reads it waits for a writer: the build is in the middle of an archive then.
      fs.rmSync(chunk)
      execFileSync("mkfifo", [chunk])
      const whole = new Set(digests.slice(0, at).map((each) => Buffer.concat(each).toString("hex"))).size
      assert.isAbove(whole, 0)
      const building = yield* Command.start(["index", "build", store, "--cache-dir", caches])
      const archives = Effect.sync(() => archivesIn(caches))
      yield* Processes.eventually("archives in the index", archives, (count) => count === whole)
      yield* building.kill("SIGKILL")
      yield* building.ended
      fs.rmSync(chunk)
      fs.writeFileSync(chunk, content)
      assert.strictEqual(archivesIn(caches), whole)
      yield* isRight
      const built = yield* build()
      assert.deepStrictEqual([built.indexed, built.added], [built.archives, built.archives! - whole])
      yield* isRight
    }).pipe(Effect.scoped),
  )

  it.live("runs twice at once has each archive once", () =>
    Effect.gen(function* () {
      const { build, isRight } = yield* setting
      const both = yield* Effect.all([build(), build()], { concurrency: 2 })
      for (const { archives, indexed, unreadable } of both) assert.deepStrictEqual([indexed, unreadable], [archives, 0])
      assert.strictEqual(both[0].added! + both[1].added!, both[0].archives)
      yield* isRight
    }).pipe(Effect.scoped),
  )
})

describe("an index on a small disk", () => {
  beforeEach(need({ root: true, tools: ["mount", "umount"] }))

  it.live("keeps what was there when the disk is full", () =>
    Effect.gen(function* () {
      const { caches, isRight, run, store } = yield* setting
      fs.mkdirSync(caches)
      assert.strictEqual(
        (yield* Processes.run("mount", ["-t", "tmpfs", "-o", "size=200k,mode=0700", "tmpfs", caches])).code,
        0,
      )
      yield* Effect.addFinalizer(() => Processes.run("umount", ["-l", caches]))
      const full = yield* run("index", "build", store)
      assert.strictEqual(full.code, ExitCode.TARGET)
      assert.match(full.stderr, /\[PXF-INDEX-FAILED\]/)
      yield* isRight
      assert.strictEqual((yield* Processes.run("mount", ["-o", "remount,size=8m", caches])).code, 0)
      const built = JsonSchemas.parse("index", (yield* run("index", "build", "--json", store)).stdout)[0]!
      assert.strictEqual(built.indexed, built.archives)
      yield* isRight
    }).pipe(Effect.scoped),
  )
})
