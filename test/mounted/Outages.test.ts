/**
 * A restore in the middle of which the cable is pulled, or the server restarted and the ticket expired, completes, by
 * `extract` and by `tar` of a mount. A cable that is out for a minute, of all kinds of servers: `test/places`.
 */
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { filesOf, serve } from "../cli/server/server.ts"
import * as BackupServer from "../support/BackupServer.ts"
import * as Command from "../support/Command.ts"
import * as Datastores from "../support/Datastores.ts"
import * as Nginx from "../support/Nginx.ts"
import * as Processes from "../support/Processes.ts"
import { need } from "../support/Requirements.ts"
import * as SlowLine from "../support/SlowLine.ts"

beforeEach(need({ mount: true, root: true, tools: ["nginx", "tar"] }))

/** Of 500 chunks. */
const BACKUP = "ns/team/ns/dev/host/small-chunks/2025-06-15/tree.pxar"
/** Milliseconds. */
const OUTAGE = 1500

/** A server behind a line, and what happens to it in the middle. */
interface Far {
  readonly address: string
  readonly env: NodeJS.ProcessEnv
  /** Answers so far. */
  readonly progress: () => number
  readonly outage: Effect.Effect<void>
}

const pulled = (line: SlowLine.SlowLine) =>
  Effect.andThen(Effect.sync(line.stall), Effect.andThen(Effect.sleep(OUTAGE), Effect.sync(line.restore)))

const onWeb = (outage: (line: SlowLine.SlowLine) => Effect.Effect<void>) =>
  Effect.gen(function* () {
    const { port } = yield* Nginx.make(Datastores.realStore())
    const line = yield* SlowLine.make(port)
    return {
      address: `http://127.0.0.1:${line.port}/::${BACKUP}`,
      env: process.env,
      progress: line.bytes,
      outage: outage(line),
    }
  })

const onServer = (outage: (server: BackupServer.BackupServer) => Effect.Effect<void>) =>
  Effect.gen(function* () {
    const { env, server } = yield* serve(Datastores.realStore())
    const line = yield* SlowLine.make(server.port)
    return {
      address: `pbs://${BackupServer.USER.id}@127.0.0.1:${line.port}/${BackupServer.DATASTORE}::${BACKUP}`,
      env: { ...env, PBS_PASSWORD: BackupServer.USER.password },
      progress: line.bytes,
      outage: outage(server),
    }
  })

const places: Readonly<Record<string, Effect.Effect<Far, never, Scope.Scope>>> = {
  "a web server whose cable is pulled": onWeb(pulled),
  "a backup server that is restarted, and whose tickets have expired": onServer((server) =>
    Effect.gen(function* () {
      server.setTicketLifetime(-1)
      yield* server.stop
      yield* Effect.sleep(OUTAGE)
      server.onRequest = (request) => {
        if (request.endsWith("/access/ticket")) server.setTicketLifetime(7200)
      }
      yield* server.start
    }),
  ),
}

const restores = {
  extract: ({ address, env }: Far, target: string) =>
    Effect.flatMap(
      Command.start(["extract", "--quiet", "--no-cache", "--rate", "2M", address, target], { env }),
      ({ ended }) => ended,
    ),
  "tar of a mount": ({ address, env }: Far, target: string) =>
    Effect.gen(function* () {
      const point = yield* Processes.mountPoint()
      yield* Command.mount(address, point, ["--no-cache", "--rate", "2M"], { env })
      const script = 'set -o pipefail; tar -C "$0" -cf - . | tar -C "$1" -xf -'
      return yield* Effect.flatMap(Processes.start("bash", ["-c", script, point, target]), ({ ended }) => ended)
    }),
}

describe.each(Object.entries(places))("from %s", (_, place) => {
  it.live.each(Object.entries(restores))(
    "%s restores every byte",
    ([, restore]) =>
      Effect.gen(function* () {
        const far = yield* place
        const target = yield* Processes.temporaryFolder
        const outage = yield* Effect.forkChild(
          Effect.andThen(
            Processes.eventually("a megabyte", Effect.sync(far.progress), (bytes) => bytes > 1_000_000),
            far.outage,
          ),
        )
        const ended = yield* restore(far, target)
        assert.strictEqual(ended.code, 0, ended.stderr)
        assert.isDefined(outage.pollUnsafe(), "it had not ended before")
        const expected = yield* Processes.temporaryFolder
        const local = yield* Command.run(["extract", "--quiet", `${Datastores.realStore()}::${BACKUP}`, expected])
        assert.strictEqual(local.code, 0, local.stderr)
        assert.deepStrictEqual(filesOf(target), filesOf(expected))
      }),
    60_000,
  )
})
