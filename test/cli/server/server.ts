/** What the tests of commands on a backup server share. */
import * as crypto from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import * as BackupServer from "../../support/BackupServer.ts"
import * as Command from "../../support/Command.ts"
import * as Processes from "../../support/Processes.ts"

/** A server, and the variables with which a command gets to it. */
export interface Served {
  readonly server: BackupServer.BackupServer
  readonly env: NodeJS.ProcessEnv
  /** `pbs://…`, for what is meant in it. */
  readonly address: (reference?: string) => string
}

/** Serves a datastore until the scope closes. Caches and keys of commands are in a folder of the test's own. */
export const serve = Effect.fnUntraced(function* (
  folder: string,
  options?: BackupServer.Options,
): Effect.fn.Return<Served, never, Scope.Scope> {
  const server = yield* BackupServer.make(folder, options)
  const own = yield* Processes.temporaryFolder
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith("PBS_"))
  return {
    server,
    env: {
      ...Object.fromEntries(others),
      TZ: "UTC",
      XDG_CONFIG_HOME: path.join(own, "config"),
      XDG_CONFIG_DIRS: "/nonexistent",
      XDG_CACHE_HOME: path.join(own, "cache"),
      PBS_PASSWORD: BackupServer.SECRET,
      PBS_FINGERPRINT: server.fingerprint,
    },
    address: (reference) =>
      `pbs://${BackupServer.TOKEN}@127.0.0.1:${server.port}/${BackupServer.DATASTORE}${reference === undefined ? "" : `::${reference}`}`,
  }
})

/** Runs a command to its end. */
export const run = (args: ReadonlyArray<string>, env: NodeJS.ProcessEnv) =>
  Effect.map(Command.run(args, { env }), ({ code, stderr, stdout }) => ({ code, stderr, stdout: stdout.toString() }))

/** What it prints; the test fails if it says anything or ends otherwise. */
export const output = Effect.fnUntraced(function* (args: ReadonlyArray<string>, env: NodeJS.ProcessEnv) {
  const { code, stderr, stdout } = yield* run(args, env)
  assert.deepStrictEqual([code, stderr], [0, ""], args.join(" "))
  return stdout
})

/** The names, as latin1, and digests of a folder's regular files, below it. */
export const filesOf = (folder: string): ReadonlyMap<string, string> => {
  const found = new Map<string, string>()
  const walk = (at: Buffer): void => {
    for (const name of fs.readdirSync(at, { encoding: "buffer" })) {
      const file = Buffer.concat([at, Buffer.from("/"), name])
      const status = fs.lstatSync(file)
      if (status.isDirectory()) walk(file)
      else if (status.isFile()) {
        found.set(file.toString("latin1").slice(folder.length), crypto.hash("sha256", fs.readFileSync(file)))
      }
    }
  }
  walk(Buffer.from(folder))
  return found
}
