/**
 * Keys and passphrases of encrypted backups: `keys`, the flags and the variables. No passphrase is ever shown.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as Command from "../../support/Command.ts"
import * as Datastores from "../../support/Datastores.ts"
import * as Processes from "../../support/Processes.ts"
import { encrypted, lines, output, passphrase, plain, refusal, run } from "./stores.ts"

const LOCKED = "key1-scrypt-small.json"
const locked = Datastores.keyFile(LOCKED)
const secret = passphrase(LOCKED)
const KEY1 = "3d:cc:e0:eb:00:4f:5f:e7"
const KEY2 = "7e:84:a9:03:8d:61:08:2e"

const read = ["cat", `${encrypted}::ns/a/ct/100/latest/pct.conf`]
const conf = ["cat", `${plain}::ns/a/ct/100/latest/pct.conf`]

/** A command line that prints a file of the test's own; the passphrase itself is not on it. */
const printing = (file: string) => `cat "${file}"`

describe("the passphrase of a key file", () => {
  const ways: ReadonlyArray<
    readonly [name: string, way: (file: string) => { args?: ReadonlyArray<string>; env?: NodeJS.ProcessEnv }]
  > = [
    ["PBS_ENCRYPTION_PASSWORD", () => ({ env: { PBS_ENCRYPTION_PASSWORD: secret } })],
    ["PBS_ENCRYPTION_PASSWORD_FILE", (file) => ({ env: { PBS_ENCRYPTION_PASSWORD_FILE: file } })],
    ["PBS_ENCRYPTION_PASSWORD_CMD", (file) => ({ env: { PBS_ENCRYPTION_PASSWORD_CMD: printing(file) } })],
    ["--key-password-file", (file) => ({ args: ["--key-password-file", file] })],
    ["--key-password-command", (file) => ({ args: ["--key-password-command", printing(file)] })],
  ]
  for (const [name, way] of ways) {
    it.live(`is taken from ${name}: its first line`, () =>
      Effect.gen(function* () {
        const file = yield* Command.write("a passphrase", `${secret}\nnot this line\n`, 0o600)
        const { args = [], env = {} } = way(file)
        assert.strictEqual(yield* output([...read, "--key-file", locked, ...args], env), yield* output(conf))
      }),
    )
  }

  it.live("is taken from PBS_ENCRYPTION_PASSWORD_FD", () =>
    Effect.gen(function* () {
      const file = yield* Command.write("passphrase", `${secret}\n`, 0o600)
      const script = 'file=$1; shift; exec 7<"$file"; PBS_ENCRYPTION_PASSWORD_FD=7 exec "$@"'
      const [command, ...args] = Command.commandLine([...read, "--key-file", locked])
      const { code, stdout } = yield* Processes.run("sh", ["-c", script, "sh", file, command, ...args])
      assert.strictEqual(code, 0)
      assert.strictEqual(stdout.toString(), yield* output(conf))
    }),
  )

  it.live("in a flag wins over the variables", () =>
    Effect.gen(function* () {
      const file = yield* Command.write("passphrase", secret, 0o600)
      const args = [...read, "--key-file", locked, "--key-password-file", file]
      assert.strictEqual(yield* output(args, { PBS_ENCRYPTION_PASSWORD: "not this" }), yield* output(conf))
    }),
  )

  it.live("that is missing is asked for in a message that says how to give it", () =>
    Effect.gen(function* () {
      const said = yield* refusal([...read, "--key-file", locked], ExitCode.KEY)
      for (const part of [locked, "--key-password-file", "PBS_ENCRYPTION_PASSWORD"]) assert.include(said, part)
    }),
  )

  it.live("that is wrong is never shown, and neither is what a command said", () =>
    Effect.gen(function* () {
      const WRONG = "wrong but not to be seen"
      const file = yield* Command.write("passphrase", WRONG, 0o600)
      const script = yield* Command.write("say", `#!/bin/sh\necho '${WRONG}'\necho '${WRONG}' >&2\nexit 3\n`, 0o700)
      const key = [...read, "--key-file", locked]
      const ways: ReadonlyArray<readonly [ReadonlyArray<string>, NodeJS.ProcessEnv, string]> = [
        [key, { PBS_ENCRYPTION_PASSWORD: WRONG }, "the passphrase is wrong"],
        [key, { PBS_ENCRYPTION_PASSWORD: "abc" }, "at least 5 bytes"],
        [[...key, "--key-password-file", file], {}, "the passphrase is wrong"],
        [[...key, "--key-password-command", script], {}, "did not print a passphrase"],
        [[...key, "--key-password-file", `${file}.none`], {}, "the passphrase cannot be read: ENOENT"],
        [key, { PBS_ENCRYPTION_PASSWORD_FD: "99" }, "the passphrase cannot be read: EBADF"],
        [key, { PBS_ENCRYPTION_PASSWORD_FD: "abc" }, "the passphrase cannot be read"],
        [key, { PBS_ENCRYPTION_PASSWORD_CMD: "" }, "is empty"],
      ]
      for (const [args, env, said] of ways) {
        const stderr = yield* refusal(args, ExitCode.KEY, env)
        assert.include(stderr, said)
        assert.notInclude(stderr, WRONG)
      }
    }),
  )

  it.live("is in no argument and no log of a mount in the background", () =>
    Effect.gen(function* () {
      const point = yield* Processes.mountPoint()
      const log = path.join(yield* Processes.temporaryFolder, "log")
      const file = yield* Command.write("passphrase", secret, 0o600)
      const flags = ["--key-file", locked, "--key-password-file", file, "--log-file", log, "--debug"]
      const { server, stderr } = yield* Command.mountInBackground(encrypted, point, flags)
      const conf = yield* Effect.promise(() => fs.promises.readFile(`${point}/ns/a/ct/100/latest/pct.conf`))
      assert.isAbove(conf.length, 0)
      for (const text of [fs.readFileSync(`/proc/${server}/cmdline`, "utf8"), fs.readFileSync(log, "utf8"), stderr])
        assert.notInclude(text, secret)
    }),
  )
})

describe("a key", () => {
  it.live("that is missing is named, with the flag that gives it", () =>
    Effect.gen(function* () {
      const said = yield* refusal(read, ExitCode.KEY)
      for (const part of [KEY1, "--key-file"]) assert.include(said, part)
    }),
  )

  it.live("of another backup is told apart from that which is wanted", () =>
    Effect.gen(function* () {
      const said = yield* refusal([...read, "--key-file", Datastores.keyFile("key2-none.json")], ExitCode.KEY)
      for (const part of [KEY1, KEY2, "--key-file"]) assert.include(said, part)
    }),
  )

  it.live("file that is none is said with its path", () =>
    Effect.gen(function* () {
      for (const name of ["bad-json.json", "bad-kdf.json", "bad-length.json", "nothing.json"]) {
        const file = name === "nothing.json" ? "/nonexistent/nothing.json" : Datastores.keyFile(name)
        assert.include(yield* refusal([...read, "--key-file", file], ExitCode.KEY), file)
      }
    }),
  )

  it.live("is found where the reference client keeps its own, and among several", () =>
    Effect.gen(function* () {
      const home = yield* Processes.temporaryFolder
      fs.mkdirSync(path.join(home, "proxmox-backup"))
      fs.copyFileSync(Datastores.keyFile("key1-none.json"), path.join(home, "proxmox-backup/encryption-key.json"))
      const expected = yield* output(conf)
      assert.strictEqual(yield* output(read, { XDG_CONFIG_HOME: home }), expected)
      assert.strictEqual(yield* output(read, { XDG_CONFIG_DIRS: `/nonexistent:${home}` }), expected)
      const both = ["key2-none.json", "key1-none.json"].flatMap((name) => ["--key-file", Datastores.keyFile(name)])
      assert.strictEqual(yield* output([...read, ...both]), expected)
    }),
  )
})

describe("keys", () => {
  it.live("says which keys are wanted and which are there, without any passphrase", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* run(["keys", "--json", encrypted, "--key-file", locked])
      assert.strictEqual(code, ExitCode.KEY)
      const found = lines(stdout).map((line) => JSON.parse(line))
      const mine = found.find(({ fingerprint }) => fingerprint.startsWith(KEY1))
      assert.deepStrictEqual([mine.files, mine.protected], [[locked], true])
      const other = found.find(({ fingerprint }) => fingerprint.startsWith(KEY2))
      assert.deepStrictEqual([other.files, other.snapshots], [[], 1])
      const { snapshots } = Datastores.expected.stores["datastore-encrypted"]
      const wanted = snapshots.filter(({ key_fingerprint }) => key_fingerprint?.startsWith(KEY1) === true)
      assert.strictEqual(mine.snapshots, wanted.length)
    }),
  )

  it.live("ends well where none is missing", () =>
    Effect.gen(function* () {
      const flags = ["--key-file", locked]
      assert.match(
        yield* output(["keys", `${encrypted}::host/alpha`, ...flags]),
        /^3d:cc\S+ +4 backups +.+ \(passphrase\)$/m,
      )
      assert.match(yield* output(["keys", "--namespace", "a/b", encrypted, ...flags]), /^3d:cc\S+ +3 backups/)
      assert.strictEqual(yield* output(["keys", plain]), "")
    }),
  )
})
