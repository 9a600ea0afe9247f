/** Every command on a backup server, as people run it, beside the same on the folder that the server serves. */
import * as crypto from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as BackupServer from "../../support/BackupServer.ts"
import * as Command from "../../support/Command.ts"
import * as Datastores from "../../support/Datastores.ts"
import * as Processes from "../../support/Processes.ts"
import * as PseudoTerminal from "../../support/PseudoTerminal.ts"
import { need } from "../../support/Requirements.ts"
import { filesOf, output, run, serve } from "./server.ts"

const plain = Datastores.store("datastore-plain")
const encrypted = Datastores.store("datastore-encrypted")
const KEY = ["--key-file", Datastores.keyFile("key1-none.json")]
/** Of 500 chunks. */
const SMALL = "ns/team/ns/dev/host/small-chunks/2025-06-15"
const BACKUP = "host/alpha/2024-03-01T03:00:00Z/data.pxar"

describe("commands on a backup server print what they print of its folder", () => {
  for (const [command, ...rest] of [
    ["snapshots"],
    ["snapshots", "--json"],
    ["snapshots", "--format", "tree"],
    ["keys", "--json"],
  ] as const)
    it.live(`${command} ${rest.join(" ")}`, () =>
      Effect.gen(function* () {
        const { address, env } = yield* serve(plain)
        const there = yield* run([command, ...rest, plain], env)
        const here = yield* run([command, ...rest, address()], env)
        assert.deepStrictEqual([here.code, here.stdout], [there.code, there.stdout])
      }),
    )

  for (const args of [["list", "-lR"], ["list", "--json"], ["info"], ["verify", "--data"]] as const)
    it.live(args.join(" "), () =>
      Effect.gen(function* () {
        const { address, env } = yield* serve(plain)
        const there = yield* run([...args, `${plain}::${BACKUP}`], env)
        const here = yield* run([...args, address(BACKUP)], env)
        const withoutPlace = (text: string) => text.replaceAll(plain, "PLACE").replaceAll(/\S+@127[^/\s]*/g, "PLACE")
        assert.deepStrictEqual([here.code, withoutPlace(here.stdout)], [there.code, withoutPlace(there.stdout)])
      }),
    )

  it.live("verify of the whole datastore, sound and damaged", () =>
    Effect.gen(function* () {
      for (const name of ["datastore-plain", "datastore-damaged"] as const) {
        const folder = Datastores.store(name)
        const { address, env } = yield* serve(folder)
        const lines = (text: string) =>
          text
            .trim()
            .split("\n")
            .map((line) => JSON.parse(line))
            .map((line) => JSON.stringify({ ...line, detail: undefined }))
            .toSorted()
        const there = yield* run(["verify", "--json", ...KEY, folder], env)
        const here = yield* run(["verify", "--json", ...KEY, address()], env)
        assert.strictEqual(here.code, there.code, here.stderr)
        assert.deepStrictEqual(lines(here.stdout), lines(there.stdout))
      }
    }),
  )
})

describe("commands on a backup server", () => {
  it.live("extract and cat give the bytes of files, of encrypted backups too", () =>
    Effect.gen(function* () {
      const { address, env } = yield* serve(encrypted)
      const [here, there] = [yield* Processes.temporaryFolder, yield* Processes.temporaryFolder]
      yield* output(["extract", "--quiet", ...KEY, `${encrypted}::${BACKUP}`, there], env)
      yield* output(["extract", "--quiet", ...KEY, address(BACKUP), here], env)
      const expected = filesOf(there)
      assert.isAbove(expected.size, 100)
      assert.deepStrictEqual(filesOf(here), expected)
      const [name, digest] = [...expected].find(([name]) => /^[ -~]*$/.test(name) && name.includes("sizes/s131072"))!
      const cat = yield* Command.run(["cat", ...KEY, address(BACKUP), name], { env })
      assert.strictEqual(crypto.hash("sha256", cat.stdout), digest)
      const locked = yield* run(["list", address(BACKUP)], env)
      assert.strictEqual(locked.code, ExitCode.KEY)
    }),
  )

  it.live("diff compares two backups, on the server and in a folder", () =>
    Effect.gen(function* () {
      const { address, env } = yield* serve(plain)
      const april = "host/alpha/2024-04-01T03:00:00Z/root.pxar"
      const january = "host/alpha/2024-01-01T00:00:00Z/root.pxar"
      for (const [flags, code] of [
        [[], ExitCode.INCOMPLETE],
        [["--data"], ExitCode.DIFFERENT],
      ] as const) {
        const there = yield* run(["diff", ...flags, `${plain}::${january}`, `${plain}::${april}`], env)
        const here = yield* run(["diff", ...flags, address(january), `${plain}::${april}`], env)
        assert.deepStrictEqual([here.code, here.stdout], [code, there.stdout])
      }
    }),
  )

  it.live("take the reference client's way to write it, its variables and its files", () =>
    Effect.gen(function* () {
      const { address, env, server } = yield* serve(plain)
      const expected = yield* output(["list", address("host/beta/latest")], env)
      assert.strictEqual(yield* output(["list", `${server.repository}::host/beta/latest`], env), expected)
      const own = yield* Processes.temporaryFolder
      const secret = path.join(own, "secret")
      fs.writeFileSync(secret, `${BackupServer.SECRET}\r\nmore\n`)
      const { PBS_FINGERPRINT, PBS_PASSWORD: _, ...bare } = env
      const fingerprints = path.join(env["XDG_CONFIG_HOME"]!, "proxmox-backup", "fingerprints")
      fs.mkdirSync(path.dirname(fingerprints), { recursive: true })
      fs.writeFileSync(fingerprints, `other 00\n127.0.0.1 ${PBS_FINGERPRINT}\n`)
      const parts = {
        PBS_SERVER: "127.0.0.1",
        PBS_PORT: String(server.port),
        PBS_AUTH_ID: BackupServer.TOKEN,
        PBS_DATASTORE: "real",
      }
      for (const more of [
        { PBS_REPOSITORY: server.repository, PBS_PASSWORD_FILE: secret },
        { PBS_REPOSITORY_CMD: `printf '%s' '${server.repository}'`, PBS_PASSWORD_CMD: `cat '${secret}'` },
        { ...parts, CREDENTIALS_DIRECTORY: own },
      ]) {
        fs.writeFileSync(path.join(own, "proxmox-backup-client.password"), BackupServer.SECRET)
        assert.strictEqual(yield* output(["list", "::host/beta/latest"], { ...bare, ...more }), expected)
      }
      const named = [
        "list",
        "--password-file",
        secret,
        "--fingerprint",
        PBS_FINGERPRINT!.toUpperCase().replaceAll(":", ""),
      ]
      assert.strictEqual(yield* output([...named, address("host/beta/latest")], bare), expected)
      const inNamespace = { ...env, PBS_REPOSITORY: server.repository, PBS_NAMESPACE: "a/b" }
      assert.match(yield* output(["snapshots", "::"], inNamespace), /^ns\/a\/ns\/b\//m)
    }),
  )

  it.live("refuse clearly: certificate, secret, rights, names, maintenance", () =>
    Effect.gen(function* () {
      const { address, env, server } = yield* serve(plain)
      const { PBS_FINGERPRINT: _, PBS_PASSWORD: __, ...bare } = env
      const powerless = `pbs://${BackupServer.POWERLESS.id}@127.0.0.1:${server.port}/real`
      for (const [args, variables, code, said] of [
        [[address()], { ...env, PBS_FINGERPRINT: "00".repeat(32) }, ExitCode.NOT_PERMITTED, server.fingerprint],
        [[address()], { ...bare, PBS_PASSWORD: "x" }, ExitCode.NOT_PERMITTED, `--fingerprint ${server.fingerprint}`],
        [[address()], { ...env, PBS_FINGERPRINT: "abc" }, ExitCode.USAGE, "64 hexadecimal digits"],
        [[address()], { ...bare, PBS_FINGERPRINT: server.fingerprint }, ExitCode.NOT_PERMITTED, "PXF-SERVER-PASSWORD"],
        [[address()], { ...env, PBS_PASSWORD: "bad" }, ExitCode.NOT_PERMITTED, "PXF-SERVER-LOGIN"],
        [
          [powerless],
          { ...env, PBS_PASSWORD: BackupServer.POWERLESS.secret },
          ExitCode.NOT_PERMITTED,
          "rights of its own",
        ],
        [[address().replace("/real", "/nope")], env, ExitCode.NOT_PERMITTED, "there is real"],
        [[address("host/nobody/latest")], env, ExitCode.NO_ENTRY, "there is no backup of this group"],
        [[address("ns/nope/host/alpha/latest")], env, ExitCode.NO_ENTRY, "there is no backup of this group"],
        [["pbs://nonsense"], env, ExitCode.USAGE, "pbs://USER@REALM!TOKEN@HOST:PORT/DATASTORE"],
        [[address()], { ...env, ALL_PROXY: "socks5://x" }, ExitCode.USAGE, "ALL_PROXY"],
        [["--ca-file", "/nonexistent", address()], bare, ExitCode.NO_ARCHIVE, "/nonexistent"],
      ] as const) {
        const ended = yield* run(["list", ...args], variables)
        assert.deepStrictEqual([ended.code, ended.stdout], [code, ""], ended.stderr)
        assert.include(ended.stderr, said)
      }
      const { address: offline, env: other } = yield* serve(plain, { maintenance: "offline maintenance mode: disks" })
      const ended = yield* run(["snapshots", offline()], other)
      assert.deepStrictEqual([ended.code, ended.stdout], [ExitCode.READ_FAILED, ""])
      assert.include(ended.stderr, "offline maintenance mode: disks")
    }),
  )

  it.live("restore everything although the server is restarted and the ticket expires in the middle", () =>
    Effect.gen(function* () {
      const { env, server } = yield* serve(Datastores.realStore())
      const address = `pbs://${BackupServer.USER.id}@127.0.0.1:${server.port}/real::${SMALL}`
      const target = yield* Processes.temporaryFolder
      let chunks = 0
      server.onRequest = (request) => {
        if (request.endsWith("/access/ticket")) server.setTicketLifetime(7200)
        if (!request.startsWith("/chunk") || ++chunks % 40 !== 0 || chunks > 80) return
        server.setTicketLifetime(-1)
        Effect.runFork(Effect.andThen(server.stop, Effect.andThen(Effect.sleep("300 millis"), server.start)))
      }
      const ended = yield* run(["extract", "--quiet", address, target], {
        ...env,
        PBS_PASSWORD: BackupServer.USER.password,
      })
      assert.strictEqual(ended.code, ExitCode.SUCCESS, ended.stderr)
      assert.isAtLeast(chunks, 80)
      const other = yield* Processes.temporaryFolder
      yield* output(["extract", "--quiet", `${Datastores.realStore()}::${SMALL}`, other], env)
      assert.deepStrictEqual(filesOf(target), filesOf(other))
    }),
  )

  it.live("ask at the terminal for a password and a second factor, which nobody sees", () =>
    Effect.gen(function* () {
      const { env, server } = yield* serve(plain)
      const { PBS_PASSWORD: _, ...bare } = env
      const address = `pbs://${BackupServer.USER_2FA.id}@127.0.0.1:${server.port}/real::host/beta/latest`
      const words = Command.commandLine(["list", address])
      const terminal = yield* PseudoTerminal.start(words, { env: bare, columns: 200 })
      yield* terminal.shows(`Password of ${BackupServer.USER_2FA.id}`)
      yield* terminal.type(`${BackupServer.USER_2FA.password}\r`)
      yield* terminal.shows("Second factor")
      yield* terminal.type(`${BackupServer.USER_2FA.codes[0]}\r`)
      assert.strictEqual(yield* terminal.ended, 0)
      assert.notInclude(terminal.screen(), BackupServer.USER_2FA.password)
      assert.notInclude(terminal.screen(), BackupServer.USER_2FA.codes[0]!)
    }),
  )
})

describe("a mount of a backup server", () => {
  beforeEach(need({ mount: true }))

  it.live("shows what is there, goes on after a restart, and tells no secret to anybody", () =>
    Effect.gen(function* () {
      const { address, env, server } = yield* serve(plain)
      const point = yield* Processes.mountPoint()
      const log = path.join(yield* Processes.temporaryFolder, "log")
      const mount = yield* Command.mountInBackground(address(), point, ["--debug", "--log-file", log], { env })
      const root = path.join(point, "host/alpha/2024-01-01T00:00:00Z/root.pxar")
      const names = yield* Effect.promise(() => fs.promises.readdir(root))
      assert.isAbove(names.length, 3)
      yield* server.stop
      yield* server.start
      const other = path.join(point, "ns/a/ns/b/vm/200/latest/drive-scsi0.img")
      assert.isAbove((yield* Effect.promise(() => fs.promises.readFile(other))).length, 1000)
      const shown = [
        mount.stderr,
        mount.stdout.toString(),
        fs.readFileSync(log, "utf8"),
        (yield* Command.run(["status", "--json", point], { env })).stdout.toString(),
        fs.readFileSync(`/proc/${mount.server}/cmdline`, "latin1"),
        yield* Effect.promise(() => fs.promises.readFile("/proc/self/mountinfo", "utf8")),
      ].join("\n")
      assert.notInclude(shown, BackupServer.SECRET)
    }),
  )

  it.live("in the background gets what was asked at the terminal: password, second factor, ticket", () =>
    Effect.gen(function* () {
      const { env, server } = yield* serve(plain)
      const { PBS_PASSWORD: _, ...bare } = env
      const point = yield* Processes.mountPoint()
      const address = `pbs://${BackupServer.USER_2FA.id}@127.0.0.1:${server.port}/real`
      const words = Command.commandLine(["mount", address, point])
      const terminal = yield* PseudoTerminal.start(words, { env: bare, columns: 200 })
      yield* terminal.shows(`Password of ${BackupServer.USER_2FA.id}`)
      yield* terminal.type(`${BackupServer.USER_2FA.password}\r`)
      yield* terminal.shows("Second factor")
      yield* terminal.type(`${BackupServer.USER_2FA.codes[0]}\r`)
      assert.strictEqual(yield* terminal.ended, 0, terminal.screen())
      const names = yield* Effect.promise(() => fs.promises.readdir(path.join(point, "host/alpha")))
      assert.include(names, "latest")
      assert.strictEqual((yield* Command.run(["unmount", point], { env })).code, 0)
    }),
  )
})
