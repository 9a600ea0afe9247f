/**
 * A datastore that is no whole: chunks without backups, backups without chunks or manifests, index files alone. What is left is
 * said, and can be read.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as Datastores from "../../support/Datastores.ts"
import * as Processes from "../../support/Processes.ts"
import { encrypted, output, plain, run } from "./stores.ts"

const SNAPSHOT = "host/alpha/2024-01-01T00:00:00Z"
const SPLIT = "host/alpha/2024-03-01T03:00:00Z"
const KEY = ["--key-file", Datastores.keyFile("key1-none.json")]

const copy = (from: string) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => Datastores.copyOf(from)),
      ({ dispose }) => Effect.sync(dispose),
    ),
    (made) => made.path,
  )

/** What a listing and a checksum of all contents are. */
const everything = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
  const listed = yield* run(["list", "-l", ...args])
  const tar = yield* run(["cat", "--tar", args[0] as string, "/", ...args.slice(1)])
  assert.strictEqual(listed.code, 0, listed.stderr)
  return [listed.stdout, tar.stdout.length, tar.stdout]
})

describe("chunks without backups", () => {
  it.live("are said to be there", () =>
    Effect.gen(function* () {
      const root = yield* copy(plain)
      for (const name of ["host", "ns"]) fs.rmSync(path.join(root, name), { recursive: true })
      const { chunk_files } = Datastores.expected.stores["datastore-plain"]
      for (const command of ["snapshots", "verify"]) {
        const { code, stderr } = yield* run([command, root])
        assert.strictEqual(code, ExitCode.SUCCESS, stderr)
        assert.include(stderr, `there are no backups, but ${chunk_files} chunks`)
      }
    }),
  )
})

describe("backups without chunks", () => {
  it.live("are listed, and read with the chunks of another datastore", () =>
    Effect.gen(function* () {
      const root = yield* copy(plain)
      fs.rmSync(path.join(root, ".chunks"), { recursive: true })
      const { code, stderr, stdout } = yield* run(["snapshots", root])
      assert.strictEqual(code, ExitCode.SUCCESS, stderr)
      assert.include(stderr, "there are backups, but no chunks")
      assert.strictEqual(stdout, yield* output(["snapshots", plain]))
      const address = (store: string) => `${store}::${SNAPSHOT}/root.pxar`
      assert.deepStrictEqual(yield* everything(address(root), "--chunks", plain), yield* everything(address(plain)))
    }),
  )
})

describe("an index without its datastore", () => {
  it.live("is opened with the chunks of one, split or not, encrypted or not", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      for (const [store, snapshot, names, archive, key] of [
        [plain, SNAPSHOT, ["root.pxar.didx"], "root.pxar", []],
        [plain, SPLIT, ["data.mpxar.didx", "data.ppxar.didx"], "data.pxar", []],
        [encrypted, SNAPSHOT, ["root.pxar.didx"], "root.pxar", KEY],
      ] as const) {
        for (const name of names) fs.copyFileSync(path.join(store, snapshot, name), path.join(folder, name))
        const index = path.join(folder, names[0])
        assert.deepStrictEqual(
          yield* everything(index, "--chunks", store, ...key),
          yield* everything(`${store}::${snapshot}/${archive}`, ...key),
        )
      }
    }),
  )

  it.live("gives the bytes of an image", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      const [image] = fs.globSync("ns/a/ns/b/vm/200/*/drive-efidisk0.img.fidx", { cwd: plain })
      const index = path.join(folder, "drive-efidisk0.img.fidx")
      fs.copyFileSync(path.join(plain, image as string), index)
      const address = `${plain}::${path.dirname(image as string)}/drive-efidisk0.img`
      const given = yield* run(["cat", index, "drive-efidisk0.img", "--chunks", plain])
      assert.strictEqual(given.code, 0, given.stderr)
      assert.strictEqual(given.stdout, (yield* run(["cat", address, "drive-efidisk0.img"])).stdout)
    }),
  )

  it.live("that is cut short is refused", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      const index = path.join(folder, "root.pxar.didx")
      const bytes = fs.readFileSync(path.join(plain, SNAPSHOT, "root.pxar.didx"))
      fs.writeFileSync(index, bytes.subarray(0, bytes.length - 40))
      const { code, stderr } = yield* run(["list", index, "--chunks", plain])
      assert.notStrictEqual(code, 0)
      assert.include(stderr, "it was never finished, or is damaged")
    }),
  )
})

describe("a backup without its manifest", () => {
  it.live("is opened with --unfinished only", () =>
    Effect.gen(function* () {
      for (const [store, key] of [
        [plain, []],
        [encrypted, KEY],
      ] as const) {
        const root = yield* copy(store)
        fs.rmSync(path.join(root, SNAPSHOT, "index.json.blob"))
        const address = `${root}::${SNAPSHOT}/root.pxar`
        assert.strictEqual((yield* run(["list", address, ...key])).code, ExitCode.NO_ENTRY)
        assert.deepStrictEqual(
          yield* everything(address, "--unfinished", ...key),
          yield* everything(`${store}::${SNAPSHOT}/root.pxar`, ...key),
        )
      }
    }),
  )
})
