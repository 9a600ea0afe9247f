/** Downloads of several entries as tar and zip, opened by the tools that people have. */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as http from "node:http"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect, Metric } from "effect"
import * as Processes from "../support/Processes.ts"
import { need } from "../support/Requirements.ts"
import * as harness from "./harness.ts"

beforeEach(need({ tools: ["7z", "bsdtar", "tar", "unzip"] }))

const inArchive = "/api/v1/repositories/archive"

const serve = Effect.flatMap(
  harness.memory({
    docs: { "a.txt": "one", "ü.txt": "two", deep: { "*": "star", "b.txt": "x".repeat(300_000) } },
    "*": "not a pattern",
    other: "z",
  }),
  (served) => harness.start([served]),
)

const saved = Effect.fnUntraced(function* (name: string, bytes: Buffer) {
  const file = path.join(yield* Processes.temporaryFolder, name)
  fs.writeFileSync(file, bytes)
  return file
})

/** Names in the order of the alphabet, as a tool lists them. */
const listed = (command: string, ...args: ReadonlyArray<string>): ReadonlyArray<string> => {
  const { status, stderr, stdout } = spawnSync(command, args, {
    encoding: "utf8",
    env: { ...process.env, LC_ALL: "C.UTF-8" },
  })
  assert.strictEqual(status, 0, stderr)
  return stdout.trimEnd().split("\n").toSorted()
}

describe("a folder", () => {
  it.live("is a tar whose names begin at it", () =>
    Effect.gen(function* () {
      const web = yield* serve
      const { body, headers } = yield* web.ask(`${inArchive}/tar?path=/docs`)
      assert.match(headers["content-disposition"]!, /filename="docs\.tar"/)
      const file = yield* saved("x.tar", body)
      assert.deepStrictEqual(listed("tar", "-tf", file), ["./", "a.txt", "deep/", "deep/*", "deep/b.txt", "ü.txt"])
      assert.deepStrictEqual(listed("tar", "-xOf", file, "a.txt"), ["one"])
    }),
  )

  it.live("is a zip that unzip, bsdtar and 7z open", () =>
    Effect.gen(function* () {
      const web = yield* serve
      const { body } = yield* web.ask(`${inArchive}/zip?path=/docs`)
      const file = yield* saved("x.zip", body)
      const names = ["a.txt", "deep/", "deep/*", "deep/b.txt", "ü.txt"]
      assert.deepStrictEqual(listed("unzip", "-Z1", file), names)
      assert.deepStrictEqual(listed("bsdtar", "-tf", file), names)
      assert.include(listed("7z", "t", file).join("\n"), "Everything is Ok")
      assert.deepStrictEqual(listed("unzip", "-p", file, "a.txt"), ["one"])
    }),
  )
})

describe("a selection", () => {
  it.live(
    "has what was named and nothing that looks like a pattern of it; its job tells what the format cannot hold",
    () =>
      Effect.gen(function* () {
        const web = yield* serve
        const body = { folder: "/", names: ["*", "docs"], format: "zip" }
        const job = yield* web.ask(`${inArchive}/exports`, { method: "POST", body })
        assert.strictEqual(job.json.state, "waiting")
        const answer = yield* web.ask(`/api/v1/jobs/${job.json.id}/content`)
        const file = yield* saved("x.zip", answer.body)
        const names = listed("unzip", "-Z1", file)
        assert.include(names, "*")
        assert.notInclude(names, "other")
        const ended = yield* web.ask(`/api/v1/jobs/${job.json.id}`)
        assert.strictEqual(ended.json.state, "done")
        assert.match(ended.json.notes.join("\n"), /not in the zip: owners/)
        // It can be taken once.
        assert.strictEqual((yield* web.ask(`/api/v1/jobs/${job.json.id}/content`)).json.id, "PXF-WEB-JOB")
      }),
  )

  it.live("of a name that is not there is refused before anything is sent", () =>
    Effect.gen(function* () {
      const web = yield* serve
      const body = { folder: "/", names: ["no*such"], format: "tar" }
      assert.strictEqual((yield* web.ask(`${inArchive}/exports`, { method: "POST", body })).status, 404)
    }),
  )

  it.live.each(["tar", "zip"])("ends as %s when the client goes: no fiber runs on, no descriptor is open", (format) =>
    Effect.gen(function* () {
      const big = yield* harness.memory({ big: new Uint8Array(32 * 1024 * 1024) })
      let running = 0
      const web = yield* Effect.provideService(harness.start([big]), Metric.FiberRuntimeMetrics, {
        recordFiberStart: () => running++,
        recordFiberEnd: () => running--,
      })
      const descriptors = Effect.sync(() => fs.readdirSync("/proc/self/fd").length)
      const before = yield* descriptors
      const fibers = Effect.sync(() => running)
      const idle = yield* fibers
      const body = { folder: "/", names: [], format }
      const job = yield* web.ask(`${inArchive}/exports`, { method: "POST", body })
      yield* Effect.callback<void>((resume) => {
        const headers = { authorization: `Bearer ${web.token}` }
        const path = `/api/v1/jobs/${job.json.id}/content`
        const request = http.get({ host: "127.0.0.1", port: web.port, path, headers, agent: false }, (response) => {
          response.once("data", () => {
            // The test would prove nothing if the download ran elsewhere.
            assert.isAbove(running, idle)
            response.destroy()
            resume(Effect.void)
          })
        })
        request.on("error", () => {})
      })
      const state = Effect.map(web.ask(`/api/v1/jobs/${job.json.id}`), ({ json }) => json.state as string)
      assert.strictEqual(
        yield* Processes.eventually("the download to end", state, (state) => state !== "running"),
        "cancelled",
      )
      yield* Processes.eventually("descriptors to be closed", descriptors, (count) => count <= before)
      yield* Processes.eventually("fibers to end", fibers, (count) => count === idle)
    }),
  )

  it.live.each(["tar", "zip"])(
    "of a large file is byte for byte what it is, as %s, to a client that is slow",
    (format) =>
      Effect.gen(function* () {
        const bytes = Uint8Array.from({ length: 12_000_000 }, (_, i) => (i * 7919 + (i >>> 13)) & 0xff)
        const web = yield* harness.start([yield* harness.memory({ big: bytes })])
        const body = yield* Effect.callback<Buffer>((resume) => {
          const headers = { authorization: `Bearer ${web.token}` }
          const path = `${inArchive}/${format}?path=/`
          http.get({ host: "127.0.0.1", port: web.port, path, headers, agent: false }, (response) => {
            const parts: Array<Buffer> = []
            response.on("data", (part: Buffer) => {
              parts.push(part)
              // The socket fills up again and again.
              if (parts.length % 16 !== 0) return
              response.pause()
              setImmediate(() => setImmediate(() => response.resume()))
            })
            response.on("end", () => resume(Effect.succeed(Buffer.concat(parts))))
          })
        })
        const file = yield* saved(`x.${format}`, body)
        const out = spawnSync("bsdtar", ["-xOf", file, "big"], { maxBuffer: 20_000_000 }).stdout
        assert.isTrue(out.equals(bytes))
      }),
  )
})
