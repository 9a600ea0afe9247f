/**
 * The compiled command on addresses of buckets and web servers, over sockets: the bucket is one that a real server has
 * filled, what must result is what the reference client restores from it.
 */
import * as crypto from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as Command from "../../support/Command.ts"
import * as Datastores from "../../support/Datastores.ts"
import * as HttpFaults from "../../support/HttpFaults.ts"
import * as Nginx from "../../support/Nginx.ts"
import * as Processes from "../../support/Processes.ts"
import { need } from "../../support/Requirements.ts"
import * as S3Server from "../../support/S3Server.ts"
import { filesOf } from "../server/server.ts"
import { encrypted, lines, run } from "./stores.ts"

const key = Datastores.realKeyFile("enc-none.json")
const golden = path.join(import.meta.dirname, "../../../fixtures/golden")
const sha256 = (bytes: Uint8Array | string) => crypto.createHash("sha256").update(bytes).digest("hex")

/** Runs a command that must succeed; what it prints. */
const output = Effect.fnUntraced(function* (args: ReadonlyArray<string>, env: NodeJS.ProcessEnv) {
  const ended = yield* run([...args, "--no-cache"], env)
  assert.deepStrictEqual([ended.code, ended.stderr], [0, ""], args.join(" "))
  return ended.stdout
})

const bucket = Effect.gen(function* () {
  const server = yield* S3Server.make(["pbs-bucket"])
  yield* S3Server.putFolder(server, "pbs-bucket", "", Datastores.realBucket())
  return server
})

describe("a bucket that a server has filled", () => {
  it.live("is listed, read, extracted and verified, encrypted backups too", () =>
    Effect.gen(function* () {
      const { env } = yield* bucket
      const store = "s3://pbs-bucket/s3store"
      const snapshots = (yield* Effect.map(
        run(["snapshots", "--format", "json", store, "--key-file", key], env),
        ({ stdout }) => lines(stdout),
      )).map((line) => JSON.parse(line) as { snapshot: string; state: string })
      assert.sameMembers(
        snapshots.map(({ snapshot }) => snapshot),
        Datastores.bucketSnapshots().map(({ ns, snapshot }) =>
          ns === ""
            ? snapshot
            : `${ns
                .split("/")
                .map((name) => `ns/${name}`)
                .join("/")}/${snapshot}`,
        ),
      )
      const conf = Datastores.bucketSnapshots()
        .find(({ snapshot }) => snapshot.startsWith("host/s3host"))!
        .archives.find(({ name }) => name.endsWith(".conf.blob"))!
      assert.strictEqual(sha256(yield* output(["cat", `${store}::host/s3host/latest/conf.conf`], env)), conf.sha256)
      const view = Datastores.bucketView("view-00")
      const listed = lines(yield* output(["list", "--json", `${store}::host/s3host/latest/tree.pxar`], env))
      assert.strictEqual(listed.length, view.length)
      const folder = path.join(yield* Processes.temporaryFolder, "restored")
      const image = ["extract", "--key-file", key, `${store}::vm/7/latest`, folder]
      yield* output(image, env)
      const disk = Datastores.bucketSnapshots().find(({ snapshot }) => snapshot.startsWith("vm/7"))!.archives[0]!
      assert.strictEqual(sha256(fs.readFileSync(path.join(folder, "disk.img"))), disk.sha256)
      const verified = yield* run(["verify", store, "--key-file", key, "--no-cache"], env)
      assert.deepStrictEqual([verified.code, verified.stderr], [0, ""], verified.stdout)
      assert.match(verified.stdout, /^sound: 0 errors, 0 notes, 3 backups/)
    }),
  )

  it.live("gives every byte where of twenty requests one fails", () =>
    Effect.gen(function* () {
      const { env, port } = yield* bucket
      const line = yield* HttpFaults.oneOfTwenty(port)
      const faulty = { ...env, AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${line.port}` }
      const verified = yield* run(["verify", "s3://pbs-bucket/s3store", "--key-file", key, "--no-cache"], faulty)
      assert.deepStrictEqual([verified.code, verified.stderr], [0, ""], verified.stdout)
      assert.match(verified.stdout, /^sound: 0 errors/)
    }),
  )

  it.live("is refused with what to do: without a key, with a wrong one, of another name", () =>
    Effect.gen(function* () {
      const { env } = yield* S3Server.make(["pbs-bucket"])
      const home = yield* Processes.temporaryFolder
      const refused = (words: ReadonlyArray<string>, more: NodeJS.ProcessEnv = {}) =>
        run(words, { ...env, HOME: home, ...more })
      const none = yield* refused(["snapshots", "s3://pbs-bucket/s3store"], { AWS_ACCESS_KEY_ID: "" })
      assert.deepStrictEqual(none.code, ExitCode.USAGE)
      assert.include(none.stderr, "there are no credentials")
      const wrong = yield* refused(["snapshots", "s3://pbs-bucket/s3store"], { AWS_SECRET_ACCESS_KEY: "no secret" })
      assert.strictEqual(wrong.code, ExitCode.NOT_PERMITTED)
      assert.include(wrong.stderr, "the signature is wrong")
      assert.notInclude(wrong.stderr, "no secret")
      const bucket = yield* refused(["snapshots", "s3://no-bucket/s3store"])
      assert.strictEqual(bucket.code, ExitCode.READ_FAILED)
      assert.include(bucket.stderr, "no such bucket")
      const empty = yield* refused(["snapshots", "s3://pbs-bucket/nothing"])
      assert.strictEqual(empty.code, ExitCode.NO_ARCHIVE)
    }),
  )
})

describe("a web server", () => {
  it.live("gives archives by ranges, split ones with what is beside them", () =>
    Effect.gen(function* () {
      const { accessLog, port } = yield* Nginx.make(golden)
      const at = `http://127.0.0.1:${port}`
      for (const archive of ["tree-v1.pxar", "tree-v2.mpxar"]) {
        const expected = yield* output(["list", "-l", path.join(golden, archive)], {})
        assert.strictEqual(yield* output(["list", "-l", `${at}/${archive}`], {}), expected)
        const verified = yield* output(["verify", "--data", `${at}/${archive}`], {})
        assert.strictEqual(verified, yield* output(["verify", "--data", path.join(golden, archive)], {}))
        assert.strictEqual(yield* output(["diff", path.join(golden, archive), `${at}/${archive}`], {}), "")
      }
      assert.isTrue(
        accessLog().every((line) => / 206 /.test(line)),
        accessLog().find((line) => !/ 206 /.test(line)),
      )
      const gone = yield* run(["list", `${at}/nothing.pxar`])
      assert.strictEqual(gone.code, ExitCode.NO_ARCHIVE)
      assert.include(gone.stderr, `${at}/nothing.pxar: is not there`)
    }),
  )

  it.live("gives a datastore, encrypted backups too", () =>
    Effect.gen(function* () {
      const { port } = yield* Nginx.make(encrypted)
      const at = `http://127.0.0.1:${port}/`
      const keys = [
        "--key-file",
        Datastores.keyFile("key1-none.json"),
        "--key-file",
        Datastores.keyFile("key2-none.json"),
      ]
      const local = yield* run(["verify", encrypted, ...keys])
      const remote = yield* run(["verify", at, ...keys, "--no-cache"])
      const named = (text: string, place: string) => text.replaceAll(place, "STORE/")
      assert.isTrue(named(remote.stdout, at) === named(local.stdout, `${encrypted}/`), "the same is found")
      assert.strictEqual(remote.code, local.code)
    }),
  )
})

/** The golden archives, as a folder of a place elsewhere. */
const folders = {
  "of a web server": Effect.map(Nginx.make(golden), ({ port }) => ({ address: `http://127.0.0.1:${port}/`, env: {} })),
  "of a bucket": Effect.gen(function* () {
    const server = yield* S3Server.make(["bucket"])
    for (const name of fs.readdirSync(golden).filter((name) => /\.[mp]?pxar$/.test(name))) {
      yield* server.put("bucket", `some/archives/${name}`, fs.readFileSync(path.join(golden, name)))
    }
    return { address: "s3://bucket/some/archives", env: server.env }
  }),
}

describe.each(Object.entries(folders))("a folder of archives %s", (_, place) => {
  it.live("is a tree in which each is under its name", () =>
    Effect.gen(function* () {
      const { address, env } = yield* place
      assert.deepStrictEqual(lines(yield* output(["list", address], env)), lines(yield* output(["list", golden], {})))
      const [here, there] = [yield* Processes.temporaryFolder, yield* Processes.temporaryFolder]
      const restored = (from: string, target: string) =>
        output(["extract", "--quiet", from, target, "tree-v2.mpxar", "tree-v1.pxar/names"], env)
      yield* restored(address, here)
      yield* restored(golden, there)
      assert.isAbove(filesOf(there).size, 100)
      assert.deepStrictEqual(filesOf(here), filesOf(there))
    }),
  )

  it.live("is no archive where one is wanted", () =>
    Effect.gen(function* () {
      const { address, env } = yield* place
      const refused = yield* run(["verify", address], env)
      assert.strictEqual(refused.code, ExitCode.USAGE)
      assert.include(refused.stderr, "is a folder of archives, and one is wanted: collisions-v1.pxar, ")
    }),
  )
})

describe("a mount", () => {
  beforeEach(need({ mount: true }))

  it.live("of an archive on a web server has the files, and fails while the server is gone, and goes on after", () =>
    Effect.gen(function* () {
      const { port } = yield* Nginx.make(golden)
      const isDown = { now: false }
      const line = yield* HttpFaults.make(port, () => (isDown.now ? "reset" : undefined))
      const point = yield* Processes.mountPoint()
      const address = `http://127.0.0.1:${line.port}/tree-v2.mpxar`
      // A small cache: what is read ahead of a walk is not all that there is.
      yield* Command.mount(address, point, ["--timeout", "1", "--chunk-cache", "256K"])
      const expected = lines(yield* output(["list", path.join(golden, "tree-v2.mpxar")], {}))
      const names = yield* Effect.promise(() => fs.promises.readdir(point))
      assert.isTrue(names.every((name) => expected.some((line) => line === `/${name}`)))
      const files = yield* Processes.run("find", [point, "-type", "f", "-size", "+300k"])
      const [file = ""] = lines(files.stdout.toString())
      isDown.now = true
      const failed = yield* Processes.run("cat", [file])
      assert.notStrictEqual(failed.code, 0)
      assert.include(failed.stderr, "Input/output error")
      isDown.now = false
      assert.strictEqual((yield* Processes.run("cat", [file])).code, 0)
    }),
  )

  it.live("of a folder of archives in a bucket has each under its name", () =>
    Effect.gen(function* () {
      const { address, env } = yield* folders["of a bucket"]
      const point = yield* Processes.mountPoint()
      yield* Command.mount(address, point, [], { env: { ...process.env, ...env } })
      const local = yield* Processes.mountPoint()
      yield* Command.mount(path.join(golden, "tree-v2.mpxar"), local)
      const compared = yield* Processes.run("diff", [
        "-r",
        "--no-dereference",
        local,
        path.join(point, "tree-v2.mpxar"),
      ])
      assert.notMatch(compared.stdout.toString(), /^(?:Only in|Binary files|[<>])/m)
      assert.include(yield* Effect.promise(() => fs.promises.readdir(point)), "synth-v2np.mpxar")
    }),
  )

  it.live("of a bucket has the files of the backups in it", () =>
    Effect.gen(function* () {
      const { env } = yield* bucket
      const point = yield* Processes.mountPoint()
      yield* Command.mount("s3://pbs-bucket/s3store::host/s3host/latest/tree.pxar", point, ["--no-cache"], {
        env: { ...process.env, ...env },
      })
      const view = Datastores.bucketView("view-00")
        .filter(({ kind }) => kind === "file")
        .slice(0, 200)
      for (const { path_hex, sha256: digest } of view) {
        const file = Buffer.concat([Buffer.from(`${point}/`), Buffer.from(path_hex, "hex")])
        assert.strictEqual(sha256(yield* Effect.promise(() => fs.promises.readFile(file))), digest)
      }
    }),
  )
})
