/** Keys that are lost, but not their master key; and passphrases that are typed at a terminal. */
import * as crypto from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as Command from "../../support/Command.ts"
import * as Datastores from "../../support/Datastores.ts"
import * as Processes from "../../support/Processes.ts"
import * as PseudoTerminal from "../../support/PseudoTerminal.ts"
import { need } from "../../support/Requirements.ts"
import { encrypted, output, passphrase, plain, refusal, run } from "./stores.ts"

const store = Datastores.realStore()
const master = Datastores.realKeyFile("master-private.pem")
const PASSPHRASE = "masterpw"

/** A backup that was made with the master key. */
const row = Datastores.realSnapshots().find(({ archives }) =>
  archives.some(({ name }) => name === "rsa-encrypted.key.blob"),
) as Datastores.RealSnapshot
const address = `${store}::${row.snapshot}`

const target = Effect.map(Processes.temporaryFolder, (folder) => path.join(folder, "key.json"))

describe("keys --master-key", () => {
  it.live("takes out the key of a backup, which then opens it, into a file of its owner alone", () =>
    Effect.gen(function* () {
      const key = yield* target
      const args = ["keys", "--master-key", master, "--output", key, address]
      const ended = yield* run(args, { PBS_ENCRYPTION_PASSWORD: PASSPHRASE })
      assert.deepStrictEqual([ended.code, ended.stdout], [0, ""], ended.stderr)
      assert.include(ended.stderr, `of ${row.snapshot}; keep it secret`)
      assert.strictEqual(fs.statSync(key).mode & 0o777, 0o600)
      assert.notInclude(ended.stderr, (JSON.parse(fs.readFileSync(key, "utf8")) as { readonly data: string }).data)
      const archive = row.archives
        .find(({ name }) => name.endsWith("pxar.didx"))!
        .name.replace(/\.m?pxar\.didx/, ".pxar")
      assert.notStrictEqual(yield* output(["list", `${address}/${archive}`, "--key-file", key]), "")
    }),
  )

  it.live("writes over nothing, and says what it wants", () =>
    Effect.gen(function* () {
      const key = yield* target
      fs.writeFileSync(key, "mine")
      const env = { PBS_ENCRYPTION_PASSWORD: PASSPHRASE }
      const withMaster = ["keys", "--master-key", master]
      assert.include(
        yield* refusal([...withMaster, "--output", key, address], ExitCode.USAGE, env),
        `${key}: is there already`,
      )
      assert.strictEqual(fs.readFileSync(key, "utf8"), "mine")
      const fresh = `${key}.2`
      const { privateKey } = crypto.generateKeyPairSync("rsa", { modulusLength: 4096 })
      const other = yield* Command.write("other.pem", privateKey.export({ type: "pkcs8", format: "pem" }), 0o600)
      const cases: ReadonlyArray<readonly [ReadonlyArray<string>, number, string, NodeJS.ProcessEnv?]> = [
        [[...withMaster, address], ExitCode.USAGE, "--output FILE"],
        [[...withMaster, "--output", fresh, store], ExitCode.USAGE, "one backup is wanted"],
        [["keys", "--output", fresh, address], ExitCode.USAGE, "--output goes with --master-key"],
        [
          [...withMaster, "--output", fresh, address],
          ExitCode.KEY,
          "passphrase is wrong",
          { PBS_ENCRYPTION_PASSWORD: "not this" },
        ],
        [[...withMaster, "--output", fresh, address], ExitCode.KEY, "protected by a passphrase", {}],
        [["keys", "--master-key", other, "--output", fresh, address], ExitCode.KEY, "another master key"],
        [
          [
            "keys",
            "--master-key",
            row.key === null ? key : Datastores.realKeyFile(row.key),
            "--output",
            fresh,
            address,
          ],
          ExitCode.KEY,
          "no RSA private key",
        ],
        [
          [...withMaster, "--output", fresh, `${plain}::host/alpha`],
          ExitCode.NO_ENTRY,
          "was not made with a master key",
        ],
      ]
      for (const [args, code, said, variables = env] of cases) {
        const stderr = yield* refusal(args, code, variables)
        assert.include(stderr, said)
        assert.notInclude(stderr, "not this")
        assert.isFalse(fs.existsSync(fresh))
      }
    }),
  )
})

describe("a passphrase that is typed", () => {
  beforeEach(need({ tools: ["script"] }))

  const LOCKED = "key1-scrypt-small.json"
  const locked = Datastores.keyFile(LOCKED)
  const secret = passphrase(LOCKED)
  const env = { ...process.env, XDG_CONFIG_HOME: "/nonexistent", XDG_CONFIG_DIRS: "/nonexistent" }
  const cat = ["cat", "--key-file", locked, `${encrypted}::ns/a/ct/100/latest/pct.conf`]

  it.live("is asked for with the file's name, once, and not shown", () =>
    Effect.gen(function* () {
      const terminal = yield* PseudoTerminal.start(Command.commandLine(cat), { env, columns: 200 })
      yield* terminal.shows(`Passphrase of ${locked}`)
      // A slip, corrected.
      yield* terminal.type(`${secret}x\u007f\r`)
      assert.strictEqual(yield* terminal.ended, 0)
      const content = yield* output(["cat", `${plain}::ns/a/ct/100/latest/pct.conf`])
      assert.include(terminal.screen().replaceAll("\r\n", "\n"), content)
      assert.notInclude(terminal.screen(), secret)
      assert.lengthOf(terminal.screen().match(/Passphrase of/g) ?? [], 1)
    }),
  )

  it.live("that is wrong is said without it; Ctrl-C ends the question", () =>
    Effect.gen(function* () {
      const wrong = yield* PseudoTerminal.start(Command.commandLine(cat), { env, columns: 200 })
      yield* wrong.shows("Passphrase of")
      yield* wrong.type("wrong but unseen\r")
      assert.strictEqual(yield* wrong.ended, ExitCode.KEY)
      assert.include(wrong.screen(), "the passphrase is wrong")
      assert.notInclude(wrong.screen(), "wrong but unseen")
      const left = yield* PseudoTerminal.start(Command.commandLine(cat), { env, columns: 200 })
      yield* left.shows("Passphrase of")
      yield* left.type("\u0003")
      assert.notStrictEqual(yield* left.ended, 0)
    }),
  )

  it.live("is that of the master key, too", () =>
    Effect.gen(function* () {
      const key = yield* target
      const args = ["keys", "--master-key", master, "--output", key, address]
      const terminal = yield* PseudoTerminal.start(Command.commandLine(args), { env, columns: 200 })
      yield* terminal.shows(`Passphrase of ${master}`)
      yield* terminal.type(`${PASSPHRASE}\r`)
      assert.strictEqual(yield* terminal.ended, 0)
      assert.isTrue(fs.existsSync(key))
      assert.notInclude(terminal.screen(), PASSPHRASE)
    }),
  )

  it.live("is asked for before a mount goes into the background", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const args = ["mount", "--key-file", locked, encrypted, mountPoint]
      const terminal = yield* PseudoTerminal.start(Command.commandLine(args), { env, columns: 200 })
      yield* terminal.shows("Passphrase of")
      yield* terminal.type(`${secret}\r`)
      assert.strictEqual(yield* terminal.ended, 0)
      const conf = yield* Effect.promise(() => fs.promises.readFile(`${mountPoint}/ns/a/ct/100/latest/pct.conf`))
      assert.isAbove(conf.length, 0)
      yield* run(["unmount", mountPoint])
      assert.notInclude(terminal.screen(), secret)
    }),
  )
})
