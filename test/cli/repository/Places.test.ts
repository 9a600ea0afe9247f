/** Places with a name, and that no secret is shown anywhere. */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as Bucket from "../../support/Bucket.ts"
import * as Command from "../../support/Command.ts"
import * as Datastores from "../../support/Datastores.ts"
import * as HttpFaults from "../../support/HttpFaults.ts"
import * as Nginx from "../../support/Nginx.ts"
import * as Processes from "../../support/Processes.ts"
import { need } from "../../support/Requirements.ts"
import { output, plain, run } from "./stores.ts"

const golden = path.join(import.meta.dirname, "../../../fixtures/golden")
const BASIC = Buffer.from("ada:pass word").toString("base64")

/** A home with these places; the environment of a command that has it. */
const home = Effect.fnUntraced(function* (places: object, mode = 0o600) {
  const folder = yield* Processes.temporaryFolder
  fs.mkdirSync(path.join(folder, "pxar-fuse"))
  const file = path.join(folder, "pxar-fuse/places.json")
  fs.writeFileSync(file, JSON.stringify(places), { mode })
  return { file, folder, env: { XDG_CONFIG_HOME: folder, XDG_CACHE_HOME: path.join(folder, "cache") } }
})

/** A bucket with the objects of a folder below a prefix. */
const bucketOf = Effect.fnUntraced(function* (folder: string, prefix: string) {
  const bucket = yield* Bucket.make()
  for (const entry of fs.readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name)
    if (entry.isFile()) bucket.objects.set(`${prefix}/${path.relative(folder, file)}`, fs.readFileSync(file))
  }
  return bucket
})

describe("a place", () => {
  it.live("stands for a bucket with its key, and for what is below a web address with its password", () =>
    Effect.gen(function* () {
      const bucket = yield* bucketOf(plain, "tank")
      const nginx = yield* Nginx.make(golden, `if ($http_authorization != "Basic ${BASIC}") { return 401; }`)
      const { env } = yield* home({
        home: {
          address: `s3://${Bucket.NAME}/tank`,
          s3: {
            endpoint: `http://127.0.0.1:${bucket.port}`,
            region: Bucket.REGION,
            accessKey: Bucket.ACCOUNT.accessKey,
            secretKey: { env: "BUCKET_SECRET" },
          },
        },
        web: { address: `http://127.0.0.1:${nginx.port}/`, user: "ada", password: { command: "echo 'pass word'" } },
      })
      const secret = { BUCKET_SECRET: Bucket.ACCOUNT.secretKey }
      assert.strictEqual(
        yield* output(["list", "place:home::host/beta/latest"], { ...env, ...secret }),
        yield* output(["list", `${plain}::host/beta/latest`]),
      )
      assert.strictEqual(
        yield* output(["list", "-l", "place:web/tree-v2.mpxar"], env),
        yield* output(["list", "-l", path.join(golden, "tree-v2.mpxar")]),
      )
      const unset = yield* run(["list", "place:home::host/beta/latest"], env)
      assert.include(unset.stderr, "the variable BUCKET_SECRET is not set")
    }),
  )

  it.live("is refused where others may read the file, it has a secret in it, or no such name", () =>
    Effect.gen(function* () {
      const refused = Effect.fnUntraced(function* (env: NodeJS.ProcessEnv, said: string) {
        const { code, stderr } = yield* run(["list", "place:a"], env)
        assert.strictEqual(code, ExitCode.USAGE)
        assert.include(stderr, said)
        assert.notInclude(stderr, "hunter2")
      })
      const open = yield* home({ a: { address: plain } }, 0o640)
      yield* refused(open.env, `chmod 600 ${open.file}`)
      yield* refused((yield* home({ a: { address: plain, password: "hunter2" } })).env, "no secrets in it")
      yield* refused((yield* home({ b: { address: plain } })).env, 'has no place "a"; it has b')
      yield* refused((yield* home({ a: { address: "place:a" } })).env, "is a place itself")
      yield* refused({ XDG_CONFIG_HOME: "/nonexistent/config" }, "there are no places")
    }),
  )
})

describe("secrets", () => {
  beforeEach(need({ mount: true }))

  it.live("are in nothing that a mount writes, shows or hands to others, when it works and when it fails", () =>
    Effect.gen(function* () {
      const bucket = yield* bucketOf(Datastores.store("datastore-encrypted"), "tank")
      let isDown = false
      const line = yield* HttpFaults.make(bucket.port, () => (isDown ? { status: 403, body: "<Error/>" } : undefined))
      const { env, folder } = yield* home({
        home: {
          address: `s3://${Bucket.NAME}/tank`,
          s3: {
            endpoint: `http://127.0.0.1:${line.port}`,
            region: Bucket.REGION,
            accessKey: Bucket.ACCOUNT.accessKey,
            secretKey: { file: path.join(yield* Processes.temporaryFolder, "secret") },
          },
        },
      })
      const places = JSON.parse(fs.readFileSync(path.join(folder, "pxar-fuse/places.json"), "utf8"))
      fs.writeFileSync(places.home.s3.secretKey.file, `${Bucket.ACCOUNT.secretKey}\n`, { mode: 0o600 })
      const key = ["--key-file", Datastores.keyFile("key1-none.json")]
      const log = path.join(folder, "log")
      const point = yield* Processes.mountPoint()
      const options = { env: { ...process.env, ...env } }
      const mounted = yield* Command.mountInBackground(
        "place:home",
        point,
        [...key, "--debug", "--verbose", "--log-file", log, "--timeout", "1"],
        options,
      )
      yield* Processes.run("find", [point, "-maxdepth", "4"])
      isDown = true
      const broken = yield* Processes.run("sh", ["-c", `cat ${point}/host/*/*/*.conf; find ${point}`])
      const status = yield* Command.run(["status", "--json"], options)
      const listed = yield* Command.run(["snapshots", "place:home", ...key, "--log-format", "json"], options)
      assert.strictEqual(listed.code, ExitCode.NOT_PERMITTED)
      const proc = (name: string) => fs.readFileSync(`/proc/${mounted.server}/${name}`, "latin1")
      const shown = {
        mount: mounted.stdout.toString() + mounted.stderr,
        log: fs.readFileSync(log, "utf8"),
        broken: broken.stdout.toString() + broken.stderr,
        status: status.stdout.toString() + status.stderr,
        listed: listed.stdout.toString() + listed.stderr,
        cmdline: proc("cmdline"),
        environ: proc("environ"),
        mounts: fs.readFileSync("/proc/self/mountinfo", "utf8"),
      }
      for (const [where, text] of Object.entries(shown)) {
        for (const secret of [Bucket.ACCOUNT.secretKey, encodeURIComponent(Bucket.ACCOUNT.secretKey), "Signature="]) {
          assert.isFalse(text.includes(secret), `${where} has a secret`)
        }
      }
      assert.isAbove(shown.log.length, 100)
    }),
  )
})
