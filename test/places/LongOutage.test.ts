/**
 * A cable that is out for a minute in the middle of restores from a web server and a backup server, by `extract` and by
 * `tar` of a mount: all complete, byte for byte.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { filesOf } from "../cli/server/server.ts"
import * as BackupServer from "../support/BackupServer.ts"
import * as Command from "../support/Command.ts"
import * as Datastores from "../support/Datastores.ts"
import * as Processes from "../support/Processes.ts"
import { need } from "../support/Requirements.ts"
import * as Cable from "./Cable.ts"

const isSmoke = process.env["PXAR_FUSE_PLACES_SMOKE"] !== undefined
const root = path.join(import.meta.dirname, "../..")
const BACKUP = "ns/team/ns/dev/host/small-chunks/2025-06-15/tree.pxar"

/** Starts a server of the benchmark at the servers' end; its port. */
const serve = Effect.fnUntraced(function* (cable: Cable.Cable, program: string, folder: string) {
  const [command = "", ...words] = cable.atServers
  const file = path.join(root, "bench/far", program)
  const server = yield* Processes.start(command, [...words, process.execPath, file, folder, cable.host])
  return yield* Processes.eventually(
    `${program} to listen`,
    Effect.sync(() => server.stdout().toString().trim()),
    (port) => port !== "",
  )
})

/** Bytes of the files in a folder so far. */
const size = (folder: string): number =>
  fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + fs.statSync(path.join(entry.parentPath, entry.name)).size, 0)

describe.skipIf(isSmoke)("a cable that is pulled for a minute", () => {
  beforeEach(need({ mount: true, root: true, tools: ["ip", "nsenter", "tar"] }))

  it.live(
    "costs a minute",
    () =>
      Effect.gen(function* () {
        const store = Datastores.realStore()
        const cable = yield* Cable.lay
        const web = yield* serve(cable, "serverMain.ts", store)
        const backups = yield* serve(cable, "backupServerMain.ts", store)
        const own = yield* Processes.temporaryFolder
        const env = {
          ...process.env,
          XDG_CONFIG_HOME: own,
          PBS_PASSWORD: BackupServer.SECRET,
          PBS_FINGERPRINT: BackupServer.fingerprint,
        }
        const addresses = [
          `http://${cable.host}:${web}/::${BACKUP}`,
          `pbs://${BackupServer.TOKEN}@${cable.host}:${backups}/${BackupServer.DATASTORE}::${BACKUP}`,
        ]
        const slowly = ["--no-cache", "--rate", "100K"]
        const started: Array<{ readonly target: string; readonly run: Processes.Process }> = []
        for (const address of addresses) {
          const extracted = yield* Processes.temporaryFolder
          const extract = yield* Command.start(["extract", "--quiet", ...slowly, address, extracted], {
            env,
            wrapper: cable.atClients,
          })
          started.push({ target: extracted, run: extract })
          const point = yield* Processes.mountPoint()
          yield* Command.mount(address, point, slowly, { env, wrapper: cable.atClients })
          const target = yield* Processes.temporaryFolder
          const script = 'set -o pipefail; tar -C "$0" -cf - . | tar -C "$1" -xf -'
          started.push({ target, run: yield* Processes.start("bash", ["-c", script, point, target]) })
        }
        for (const { target } of started)
          yield* Processes.eventually(
            "something restored",
            Effect.sync(() => size(target)),
            (bytes) => bytes > 500_000,
          )
        yield* cable.pull
        yield* Effect.sleep("60 seconds")
        for (const { run } of started) assert.isTrue(yield* Processes.isAlive(run.pid), run.stderr())
        yield* cable.plugIn
        const expected = yield* Processes.temporaryFolder
        yield* Command.run(["extract", "--quiet", `${store}::${BACKUP}`, expected])
        const all = filesOf(expected)
        assert.isAbove(all.size, 100)
        for (const { run, target } of started) {
          yield* waitFor(run, 400)
          const { code, stderr } = yield* run.ended
          assert.strictEqual(code, 0, stderr)
          assert.deepStrictEqual(filesOf(target), all)
        }
      }),
    600_000,
  )
})

/** Waits for a process, up to so many seconds: longer than `Processes` does. */
const waitFor = (run: Processes.Process, seconds: number): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    for (let waited = 0; waited < seconds && (yield* Processes.isAlive(run.pid)); waited++)
      yield* Effect.sleep("1 second")
  })
