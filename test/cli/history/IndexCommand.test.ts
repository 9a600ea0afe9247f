/** `pxar-fuse index`, compiled, over the datastores of the fixtures: what it prints, and what others may see of it. */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as Command from "../../support/Command.ts"
import * as Datastores from "../../support/Datastores.ts"
import * as Processes from "../../support/Processes.ts"
import * as JsonSchemas from "../archive/JsonSchemas.ts"

const plain = Datastores.store("datastore-plain")
const encrypted = Datastores.store("datastore-encrypted")

/** A folder of caches, and the command with it. */
const caches = Effect.map(Processes.temporaryFolder, (folder) => ({
  folder,
  run: (...args: ReadonlyArray<string>) => Command.run([...args, "--cache-dir", folder]),
}))

describe("pxar-fuse index", () => {
  it.effect("puts every archive in once, and find tells the same from it", () =>
    Effect.gen(function* () {
      const { folder, run } = yield* caches
      const first = JsonSchemas.parse("index", (yield* run("index", "build", "--json", plain)).stdout)[0]!
      assert.strictEqual(first.indexed, first.archives)
      assert.isAbove(first.added!, 0)
      const again = JsonSchemas.parse("index", (yield* run("index", "build", "--json", plain)).stdout)[0]!
      assert.deepStrictEqual({ ...again, added: first.added!, bytes: first.bytes }, first)
      assert.strictEqual(again.added, 0)
      for (const args of [["s131071"], ["--path", "sizes/"], ["--type", "l"]]) {
        const [by, without] = [yield* run("find", plain, ...args), yield* run("find", "--no-index", plain, ...args)]
        assert.deepStrictEqual([by.code, by.stderr, by.stdout.toString()], [0, "", without.stdout.toString()])
      }
      for (const args of [["acl"], ["sizes/s131071"], ["--json", "--moved", "names"]]) {
        const ask = (...more: ReadonlyArray<string>) => run("versions", ...more, plain, ...args)
        const [by, without] = [yield* ask(), yield* ask("--no-index")]
        assert.deepStrictEqual([by.code, by.stderr, by.stdout.toString()], [0, "", without.stdout.toString()])
      }
      const index = path.join(folder, "index")
      assert.strictEqual(fs.statSync(index).mode & 0o777, 0o700)
      for (const name of fs.readdirSync(index)) {
        assert.strictEqual(fs.statSync(path.join(index, name)).mode & 0o777, 0o600, name)
      }
      const status = yield* run("index", "status", plain)
      assert.match(status.stdout.toString(), /^\d+ of \d+ archives$/m)
      assert.strictEqual((yield* run("index", "drop", plain)).code, 0)
      assert.deepStrictEqual(fs.readdirSync(index), [])
      const none = JsonSchemas.parse("index", (yield* run("index", "status", "--json", plain)).stdout)[0]!
      assert.deepStrictEqual([none.bytes, none.indexed, none.archives], [0, 0, first.archives])
    }).pipe(Effect.scoped),
  )

  it.effect("puts names of encrypted archives in only where that is said, and tells them only with the key", () =>
    Effect.gen(function* () {
      const { run } = yield* caches
      const key = ["--key-file", Datastores.keyFile("key1-none.json")]
      const find = (...args: ReadonlyArray<string>) => run("find", `${encrypted}::host/split`, ...args)
      const without = JsonSchemas.parse("index", (yield* run("index", "build", "--json", encrypted, ...key)).stdout)[0]!
      assert.isAbove(without.encrypted!, 0)
      const all = ["index", "build", "--json", "--index-encrypted", encrypted]
      const locked = JsonSchemas.parse("index", (yield* run(...all)).stdout)[0]!
      assert.deepStrictEqual([locked.added, locked.indexed], [0, without.indexed])
      const opened = JsonSchemas.parse("index", (yield* run(...all, ...key)).stdout)[0]!
      assert.isAbove(opened.indexed!, without.indexed!)
      const [byIndex, byWalk] = [yield* find(...key), yield* find("--no-index", ...key)]
      assert.strictEqual(byIndex.stdout.toString(), byWalk.stdout.toString())
      assert.strictEqual((yield* find()).stdout.toString(), (yield* find("--no-index")).stdout.toString())
    }).pipe(Effect.scoped),
  )

  it.effect("refuses a folder that others can read, and find does without it", () =>
    Effect.gen(function* () {
      const { folder, run } = yield* caches
      yield* run("index", "build", plain)
      fs.chmodSync(path.join(folder, "index"), 0o755)
      const build = yield* run("index", "build", plain)
      assert.strictEqual(build.code, ExitCode.TARGET)
      assert.match(build.stderr, /others may read or write .*\[PXF-INDEX-FAILED\]/)
      const { code, stderr, stdout } = yield* run("find", plain, "s131071")
      assert.strictEqual(code, 0)
      assert.match(stderr, /others may read or write .*: every archive is looked into/)
      assert.include(stdout.toString(), "s131071")
    }).pipe(Effect.scoped),
  )

  it.effect("makes a file anew that is none of a database", () =>
    Effect.gen(function* () {
      const { folder, run } = yield* caches
      yield* run("index", "build", plain)
      const [name] = fs.readdirSync(path.join(folder, "index"))
      const file = path.join(folder, "index", name!)
      fs.writeFileSync(file, "not a database, though as long as the header of one is: ".repeat(40))
      const find = yield* run("find", plain, "s131071")
      assert.match(find.stderr, /file is not a database: every archive is looked into/)
      assert.strictEqual(find.code, 0)
      const built = JsonSchemas.parse("index", (yield* run("index", "build", "--json", plain)).stdout)[0]!
      assert.strictEqual(built.indexed, built.archives)
      assert.isAbove(built.added!, 0)
    }).pipe(Effect.scoped),
  )
})
