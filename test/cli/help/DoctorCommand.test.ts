import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as Command from "../../support/Command.ts"
import * as Datastores from "../../support/Datastores.ts"
import * as Golden from "../../support/Golden.ts"
import * as JsonSchemas from "../archive/JsonSchemas.ts"

const doctor = (...args: ReadonlyArray<string>) =>
  Command.run(["doctor", "--json", ...args], {
    env: { ...process.env, XDG_CONFIG_HOME: "/nonexistent" },
  })

/** The lines about an address: those about the machine are those of another test. */
const about = (stdout: Buffer, check: string) =>
  JsonSchemas.parse("doctor", stdout).filter((line) => line.check === check)

describe("pxar-fuse doctor", () => {
  it.effect("looks at the machine", () =>
    Effect.gen(function* () {
      const { stdout } = yield* doctor()
      assert.deepStrictEqual(
        about(stdout, "node").map(({ found }) => found),
        [`Node ${process.versions.node}`],
      )
    }),
  )

  it.effect("opens an archive", () =>
    Effect.gen(function* () {
      const { stdout } = yield* doctor(Golden.path("tree-v1.pxar"))
      assert.deepStrictEqual(
        about(stdout, "archive").map(({ state }) => state),
        ["ok"],
      )
    }),
  )

  it.effect("says what an address that cannot be opened wants, and ends with a code of its own", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* doctor("/no/such")
      assert.strictEqual(code, ExitCode.UNHEALTHY)
      const [line] = about(stdout, "address")
      assert.match(line?.found ?? "", /\/no\/such.*\[PXF-OPEN-MISSING\]$/)
      assert.match(line?.advice ?? "", /^Check the path/)
    }),
  )

  it.effect("names the keys that are missing, and those that are at hand", () =>
    Effect.gen(function* () {
      const store = Datastores.store("datastore-encrypted")
      const missing = about((yield* doctor(store)).stdout, "key")
      assert.isAbove(missing.length, 0)
      assert.isTrue(missing.every(({ state }) => state === "fail"))
      const key = Datastores.keyFile("key1-none.json")
      const { stdout } = yield* doctor("--key-file", key, store)
      const found = about(stdout, "key").filter(({ state }) => state === "ok")
      assert.isTrue(found.some((line) => line.found.endsWith(path.basename(key))))
    }),
  )

  it.effect("warns only, where the missing key has signed backups and encrypted none", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* doctor(`${Datastores.realStore()}::host/sign`)
      const [line, ...others] = about(stdout, "key")
      assert.deepStrictEqual(others, [])
      assert.strictEqual(line?.state, "warn")
      assert.match(line?.found ?? "", /^backups are signed with the key 94:e2:69:02:75:d8:c8:6a, which is not at hand/)
      assert.strictEqual(code, ExitCode.SUCCESS)
    }),
  )
})
