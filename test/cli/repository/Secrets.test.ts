/**
 * Secrets of places are shown to nobody: not by what commands write, not in logs, `status` or spans, not in the command
 * lines and variables of the processes that are started. Each place is asked with each kind of secret, right and wrong.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { inspect } from "node:util"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect, Logger, Redacted, References, type Scope, Tracer } from "effect"
import * as KeyRing from "../../../src/services/keys/KeyRing.ts"
import type { Access } from "../../../src/services/open/Location.ts"
import * as OpenRepository from "../../../src/services/open/OpenRepository.ts"
import * as OpenTree from "../../../src/services/open/OpenTree.ts"
import * as Archive from "../../../src/services/tree/Archive.ts"
import * as BackupServer from "../../support/BackupServer.ts"
import * as Bucket from "../../support/Bucket.ts"
import * as ChunkServer from "../../support/ChunkServer.ts"
import * as Command from "../../support/Command.ts"
import * as Datastores from "../../support/Datastores.ts"
import * as Processes from "../../support/Processes.ts"
import { need } from "../../support/Requirements.ts"
import { serve } from "../server/server.ts"

const SESSION = "session-token-5fd2c1"
const WRONG = "wrong-secret-77aa01"
const plain = Datastores.store("datastore-plain")
const encrypted = Datastores.store("datastore-encrypted")
const ARCHIVE = "host/alpha/2024-01-01T00:00:00Z/root.pxar"

/** A place, how a command gets to it, and what must not be seen. */
interface Place {
  readonly address: string
  readonly args?: ReadonlyArray<string>
  readonly env: NodeJS.ProcessEnv
  readonly secrets: () => ReadonlyArray<string>
}

/** Programs that commands start write down what they were started with, and then do what they do. */
const spied = Effect.fnUntraced(function* (env: NodeJS.ProcessEnv) {
  const folder = yield* Processes.temporaryFolder
  const seen = path.join(folder, "seen")
  fs.mkdirSync(path.join(folder, "bin"))
  for (const program of ["stat", "fusermount3", "print-secret"]) {
    const own = program === "print-secret" ? 'cat "$1"' : `PATH="\${PATH#*:}" exec ${program} "$@"`
    fs.writeFileSync(
      path.join(folder, "bin", program),
      `#!/bin/sh\n{ echo "${program} $*"; cat /proc/self/environ /proc/self/cmdline; echo; } >>'${seen}'\n${own}\n`,
      { mode: 0o755 },
    )
  }
  fs.writeFileSync(seen, "")
  return {
    env: { ...env, PATH: `${path.join(folder, "bin")}:${process.env["PATH"]}` },
    seen: () => fs.readFileSync(seen, "latin1"),
  }
})

const clean = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:PBS|AWS)_/.test(name)))

const bucket = Effect.gen(function* () {
  const { objects, port } = yield* Bucket.make({ sessionToken: SESSION })
  const files = fs.readdirSync(plain, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  for (const entry of files) {
    const file = path.join(entry.parentPath, entry.name)
    objects.set(`tank/${path.relative(plain, file)}`, fs.readFileSync(file))
  }
  const own = yield* Processes.temporaryFolder
  const credentials = path.join(own, "credentials")
  fs.writeFileSync(
    credentials,
    `[default]\naws_access_key_id=${Bucket.ACCOUNT.accessKey}\naws_secret_access_key=${Bucket.ACCOUNT.secretKey}\naws_session_token=${SESSION}\n`,
  )
  const json = path.join(own, "credentials.json")
  fs.writeFileSync(
    json,
    JSON.stringify({
      AccessKeyId: Bucket.ACCOUNT.accessKey,
      SecretAccessKey: Bucket.ACCOUNT.secretKey,
      SessionToken: SESSION,
    }),
  )
  const config = path.join(own, "config")
  fs.writeFileSync(config, `[default]\ncredential_process = print-secret ${json}\n`)
  return {
    address: `s3://${Bucket.NAME}/tank`,
    credentials,
    config,
    secrets: () => [Bucket.ACCOUNT.secretKey, SESSION],
    env: {
      ...clean(),
      HOME: own,
      XDG_CACHE_HOME: own,
      AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}`,
      AWS_REGION: Bucket.REGION,
    },
    keys: {
      AWS_ACCESS_KEY_ID: Bucket.ACCOUNT.accessKey,
      AWS_SECRET_ACCESS_KEY: Bucket.ACCOUNT.secretKey,
      AWS_SESSION_TOKEN: SESSION,
    },
  }
})

/** A web server with a password, as a place. */
const web = (secret: (file: string) => object, more: (token: string) => NodeJS.ProcessEnv) =>
  Effect.gen(function* () {
    const { token, url } = yield* ChunkServer.start(plain)
    const own = yield* Processes.temporaryFolder
    const file = path.join(own, "secret")
    fs.writeFileSync(file, token)
    fs.mkdirSync(path.join(own, "pxar-fuse"))
    const places = { web: { address: `${url}chunks/`, user: "ada", password: secret(file) } }
    fs.writeFileSync(path.join(own, "pxar-fuse/places.json"), JSON.stringify(places), { mode: 0o600 })
    return {
      address: "place:web",
      secrets: () => [token, Buffer.from(`ada:${token}`).toString("base64")],
      env: { ...clean(), XDG_CONFIG_HOME: own, XDG_CACHE_HOME: own, ...more(token) },
    }
  })

const server = (change: (env: NodeJS.ProcessEnv, file: string) => NodeJS.ProcessEnv) =>
  Effect.gen(function* () {
    const { address, env } = yield* serve(plain)
    const file = path.join(yield* Processes.temporaryFolder, "secret")
    fs.writeFileSync(file, BackupServer.SECRET)
    return { address: address(), env: change(env, file), secrets: () => [BackupServer.SECRET] }
  })

const places: Readonly<Record<string, Effect.Effect<Place, never, Scope.Scope>>> = {
  "a bucket, the key in variables": Effect.map(bucket, ({ env, keys, ...found }) => ({
    ...found,
    env: { ...env, ...keys },
  })),
  "a bucket, the key in a file": Effect.map(bucket, ({ credentials, ...found }) => ({
    ...found,
    args: ["--s3-credentials", credentials],
  })),
  "a bucket, the key printed by a program": Effect.map(bucket, ({ config, env, ...found }) => ({
    ...found,
    env: { ...env, AWS_CONFIG_FILE: config },
  })),
  "a web server, the password in a variable": web(
    () => ({ env: "OFFICE_SECRET" }),
    (token) => ({ OFFICE_SECRET: token }),
  ),
  "a web server, the password in a file": web(
    (file) => ({ file }),
    () => ({}),
  ),
  "a web server, the password printed by a program": web(
    (file) => ({ command: `print-secret '${file}'` }),
    () => ({}),
  ),
  "a backup server, the token's secret in a variable": server((env) => env),
  "a backup server, the secret in a file": server(({ PBS_PASSWORD: _password, ...env }, file) => ({
    ...env,
    PBS_PASSWORD_FILE: file,
  })),
  "a backup server, the secret printed by a program": server(({ PBS_PASSWORD: _password, ...env }, file) => ({
    ...env,
    PBS_PASSWORD_CMD: `print-secret '${file}'`,
  })),
  "a backup server, a password and its tickets": Effect.gen(function* () {
    const { env, server } = yield* serve(plain)
    const tickets = () => [
      ...new Set(
        server.heads.flatMap(({ rawHeaders }) =>
          rawHeaders.flatMap((text) => /AuthCookie=([^;]+)/.exec(text)?.[1] ?? []),
        ),
      ),
    ]
    return {
      address: `pbs://${BackupServer.USER.id}@127.0.0.1:${server.port}/${BackupServer.DATASTORE}`,
      env: { ...env, PBS_PASSWORD: BackupServer.USER.password },
      secrets: () => {
        assert.isAbove(tickets().length, 0)
        return [BackupServer.USER.password, ...tickets().flatMap((text) => [text, decodeURIComponent(text)])]
      },
    }
  }),
}

const assertNone = (secrets: ReadonlyArray<string>, shown: Readonly<Record<string, string>>): void => {
  for (const [where, text] of Object.entries(shown))
    for (const secret of secrets) assert.isFalse(text.includes(secret), `${where} has a secret`)
}

describe.each(Object.entries(places))("the secrets of %s", (name, place) => {
  beforeEach(need({ mount: true, root: true }))

  it.live("are in nothing that a command or a mount shows", () =>
    Effect.gen(function* () {
      const { address, args = [], env, secrets } = yield* place
      const spy = yield* spied(env)
      const listed = yield* Command.run(["list", "-l", ...args, `${address}::${ARCHIVE}`], { env: spy.env })
      assert.strictEqual(listed.code, 0, listed.stderr)
      const point = yield* Processes.mountPoint()
      const log = path.join(yield* Processes.temporaryFolder, "log")
      const words = ["--debug", "--log-file", log, ...args]
      const mount = yield* Command.mountInBackground(address, point, words, { env: spy.env })
      const root = path.join(point, ARCHIVE)
      assert.isAbove((yield* Effect.promise(() => fs.promises.readdir(root))).length, 3)
      const status = yield* Command.run(["status", "--json", point], { env: spy.env })
      assert.include(status.stdout.toString(), '"fetched"')
      assertNone(secrets(), {
        "what list writes": listed.stdout.toString() + listed.stderr,
        "what mount writes": mount.stdout.toString() + mount.stderr,
        "the log": fs.readFileSync(log, "latin1"),
        status: status.stdout.toString() + status.stderr,
        "the command line of the mount": fs.readFileSync(`/proc/${mount.server}/cmdline`, "latin1"),
        "the variables of the mount": fs.readFileSync(`/proc/${mount.server}/environ`, "latin1"),
        "the table of mounts": fs.readFileSync("/proc/self/mountinfo", "latin1"),
        "what its programs were started with": spy.seen(),
      })
      assert.strictEqual(spy.seen().includes("print-secret"), name.includes("printed"))
    }),
  )
})

describe("a secret that is wrong", () => {
  it.live.each([
    [
      "a bucket",
      bucket,
      (env: NodeJS.ProcessEnv) => ({ ...env, AWS_ACCESS_KEY_ID: "A", AWS_SECRET_ACCESS_KEY: WRONG }),
    ],
    [
      "a web server",
      web(
        () => ({ env: "OFFICE_SECRET" }),
        () => ({ OFFICE_SECRET: WRONG }),
      ),
      (env: NodeJS.ProcessEnv) => env,
    ],
    ["a backup server", server((env) => env), (env: NodeJS.ProcessEnv) => ({ ...env, PBS_PASSWORD: WRONG })],
  ] as const)("is not said, nor what was sent in its place: %s", ([, place, change]) =>
    Effect.gen(function* () {
      const { address, env } = yield* place
      const ended = yield* Command.run(["snapshots", address], { env: change(env) })
      assert.notStrictEqual(ended.code, 0)
      assert.notStrictEqual(ended.stderr, "")
      assertNone([WRONG, Buffer.from(`ada:${WRONG}`).toString("base64")], {
        "what snapshots writes": ended.stdout.toString() + ended.stderr,
      })
    }),
  )

  it.live("is not said: the passphrase of a key", () =>
    Effect.gen(function* () {
      const key = Datastores.keyFile("key1-scrypt.json")
      const args = ["list", "--key-file", key, `${encrypted}::${ARCHIVE}`]
      const ended = yield* Command.run(args, { env: { ...clean(), PBS_ENCRYPTION_PASSWORD: WRONG } })
      assert.notStrictEqual(ended.code, 0)
      assertNone([WRONG], { "what list writes": ended.stdout.toString() + ended.stderr })
    }),
  )
})

describe("a program that embeds the library", () => {
  /** Opens a place and reads in it, right and wrong; all that its tracer and its logger are told. */
  const traced = (address: string, access: Access) =>
    Effect.gen(function* () {
      const spans: Array<Tracer.NativeSpan> = []
      const said: Array<unknown> = []
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          spans.push(span)
          return span
        },
      })
      const logger = Logger.make((entry) => void said.push(entry.message, entry.cause))
      const options = { ...access, keys: Effect.succeed(KeyRing.empty), noCache: true }
      yield* Effect.gen(function* () {
        const opened = yield* OpenRepository.open(`${address}::${ARCHIVE}`, options)
        const { tree } = yield* OpenTree.tree(opened, {})
        yield* Archive.fromReader(tree).find(Buffer.from("names"))
        yield* Effect.exit(Archive.fromReader(tree).find(Buffer.from("nothing")))
        yield* Effect.exit(OpenRepository.open(`${address}::host/nobody/latest`, options))
      }).pipe(
        Effect.withSpan("open"),
        Effect.provideService(Tracer.Tracer, tracer),
        Effect.provideService(References.MinimumLogLevel, "All"),
        Effect.provide(Logger.layer([logger])),
      )
      assert.isAbove(spans.length, 2)
      return inspect([spans, said], { depth: 12, maxArrayLength: null, maxStringLength: null })
    })

  it.live("gets no secret in its spans or logs", () =>
    Effect.gen(function* () {
      const s3 = yield* bucket
      const env = { ...s3.env, ...s3.keys }
      assertNone(s3.secrets(), { "spans of a bucket": yield* traced(s3.address, { env }) })
      const other = yield* ChunkServer.start(plain)
      const basic = `Basic ${Buffer.from(`x:${other.token}`).toString("base64")}`
      assertNone([other.token, basic], {
        "spans of a web server": yield* traced(`${other.url}chunks/`, {
          env: {},
          authorization: Redacted.make(basic),
        }),
      })
      const served = yield* serve(plain)
      assertNone([BackupServer.SECRET], {
        "spans of a backup server": yield* traced(served.address(), {
          env: {},
          server: () =>
            Effect.succeed({
              secret: Effect.succeed(Redacted.make(BackupServer.SECRET)),
              fingerprint: served.server.fingerprint,
            }),
        }),
      })
    }),
  )
})
