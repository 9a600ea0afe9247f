/** Restores into a folder of this machine: only where that is allowed, told beforehand, watched and cancelled. */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Processes from "../support/Processes.ts"
import * as harness from "./harness.ts"

const restores = "/api/v1/repositories/archive/restores"

const request = { folder: "/", names: ["docs"], target: "out", conflict: "refuse", dry_run: false }

const serve = Effect.gen(function* () {
  const folder = fs.realpathSync(yield* Processes.temporaryFolder)
  const archive = yield* harness.memory({ docs: { "a.txt": "one", sub: { "b.txt": "two" } }, other: "z" })
  return { folder, web: yield* harness.start([archive], { restore: folder }) }
})

const ended = (web: harness.Web, id: string) =>
  Processes.eventually(
    "the restore to end",
    Effect.map(web.ask(`/api/v1/jobs/${id}`), ({ json }) => json),
    ({ state }) => state !== "running",
  )

const restore = Effect.fnUntraced(function* (web: harness.Web, body: object) {
  const { json } = yield* web.ask(restores, { method: "POST", body })
  return yield* ended(web, json.id)
})

describe("a restore", () => {
  it.live("writes what was selected below the folder that is allowed", () =>
    Effect.gen(function* () {
      const { folder, web } = yield* serve
      const job = yield* restore(web, request)
      assert.strictEqual(job.state, "done")
      assert.strictEqual(fs.readFileSync(path.join(folder, "out/docs/sub/b.txt"), "utf8"), "two")
      assert.isFalse(fs.existsSync(path.join(folder, "out/other")))
    }),
  )

  it.live("that is only tried writes nothing and tells each step", () =>
    Effect.gen(function* () {
      const { folder, web } = yield* serve
      const job = yield* restore(web, { ...request, dry_run: true })
      assert.strictEqual(job.state, "done")
      assert.include(job.notes, "create docs/a.txt")
      assert.deepStrictEqual(fs.readdirSync(folder), [])
    }),
  )

  it.live("does with what is there as it was told", () =>
    Effect.gen(function* () {
      const { folder, web } = yield* serve
      fs.mkdirSync(path.join(folder, "out/docs"), { recursive: true })
      const file = path.join(folder, "out/docs/a.txt")
      fs.writeFileSync(file, "mine")
      const kept = yield* restore(web, { ...request, conflict: "never" })
      assert.deepStrictEqual([kept.state, fs.readFileSync(file, "utf8")], ["done", "mine"])
      yield* restore(web, { ...request, conflict: "always" })
      assert.strictEqual(fs.readFileSync(file, "utf8"), "one")
    }),
  )

  it.live.each(["..", "../x", "a/../../x", "link", "link/x", "\0"])("to %j is refused", (target) =>
    Effect.gen(function* () {
      const { folder, web } = yield* serve
      fs.symlinkSync("/tmp", path.join(folder, "link"))
      const { json, status } = yield* web.ask(restores, { method: "POST", body: { ...request, target } })
      assert.deepStrictEqual([status, json.id], [403, "PXF-WEB-RESTORE-TARGET"])
    }),
  )

  it.live("is refused where none is allowed", () =>
    Effect.gen(function* () {
      const web = yield* harness.start([yield* harness.memory({ docs: "x" })])
      const { json, status } = yield* web.ask(restores, { method: "POST", body: request })
      assert.deepStrictEqual([status, json.id], [403, "PXF-WEB-RESTORE"])
    }),
  )

  it.live("ends when it is cancelled, and is told as it goes", () =>
    Effect.gen(function* () {
      const folder = fs.realpathSync(yield* Processes.temporaryFolder)
      const many = Object.fromEntries(Array.from({ length: 40_000 }, (_, i) => [`file ${i}`, "x"]))
      const web = yield* harness.start([yield* harness.memory({ docs: many })], { restore: folder })
      const { json } = yield* web.ask(restores, { method: "POST", body: request })
      const cancelled = yield* web.ask(`/api/v1/jobs/${json.id}`, { method: "DELETE" })
      assert.strictEqual(cancelled.json.state, "cancelled")
      const events = yield* web.ask(`/api/v1/jobs/${json.id}/events`)
      assert.match(String(events.headers["content-type"]), /^text\/event-stream/)
      assert.match(events.text, /"state":"cancelled"/)
      const docs = path.join(folder, "out/docs")
      assert.isBelow(fs.existsSync(docs) ? fs.readdirSync(docs).length : 0, 40_000)
    }),
  )
})
