/**
 * Several mounts that are served by one other process, so that the test may use them with system calls.
 *
 * When the scope closes neither a mount nor the process is left.
 */
import { type ChildProcess, fork } from "node:child_process"
import * as path from "node:path"
import { Effect, Exit, Scope } from "effect"
import { afterAll } from "vitest"
import type * as Golden from "./Golden.ts"
import * as Processes from "./Processes.ts"
import type { Event, Order, SessionConfig } from "./serveSessions.ts"

export interface Wanted {
  readonly golden: Golden.Golden
  readonly transport: SessionConfig["transport"]
}

export interface SessionsServer {
  readonly mountPoints: ReadonlyArray<string>
  /** Which transport each mount says that it has. */
  readonly transports: ReadonlyArray<string>
  readonly pid: number
  readonly order: (order: Order) => Effect.Effect<void>
  /** Waits for an event; the ones that came before count. */
  readonly event: <T extends Event["_tag"]>(
    tag: T,
    session?: number,
  ) => Effect.Effect<Extract<Event, { readonly _tag: T }>>
  /** Closes what is left, and waits for the process to end by itself. */
  readonly end: Effect.Effect<Extract<Event, { readonly _tag: "End" }> & { readonly code: number | null }>
}

/** Mounts all, each on a folder of its own. */
export const start = Effect.fnUntraced(function* (
  wanted: ReadonlyArray<Wanted>,
): Effect.fn.Return<SessionsServer, never, Scope.Scope> {
  const configs = yield* Effect.forEach(wanted, ({ transport, golden }, index) =>
    Effect.map(Processes.mountPoint(`mnt${index}`), (mountPoint): SessionConfig => ({
      archive: golden.archive,
      payload: golden.payload,
      mountPoint,
      transport,
    })),
  )
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => launch(configs)),
    Processes.kill,
  )
  const events: Array<Event> = []
  let stderr = ""
  child.stderr!.setEncoding("utf8").on("data", (text: string) => (stderr += text))
  child.on("message", (event: Event) => void events.push(event))
  const event: SessionsServer["event"] = <T extends Event["_tag"]>(tag: T, session?: number) => {
    const isIt = (event: Event): event is Extract<Event, { readonly _tag: T }> =>
      event._tag === tag && (session === undefined || ("session" in event && event.session === session))
    return Effect.map(
      Processes.eventually(
        `${tag} ${session ?? ""} of the server (exit ${child.exitCode}) ${stderr}`,
        Effect.sync(() => events.find(isIt)),
        (event) => event !== undefined,
      ),
      (event) => event as Extract<Event, { readonly _tag: T }>,
    )
  }
  const order = (order: Order) => Effect.sync(() => void child.send(order))
  const { transports } = yield* event("Ready")
  return {
    mountPoints: configs.map(({ mountPoint }) => mountPoint),
    transports,
    pid: child.pid!,
    order,
    event,
    end: Effect.gen(function* () {
      yield* order({ order: "end" })
      const end = yield* event("End")
      yield* Processes.eventually(
        "the end of the process",
        Effect.sync(() => child.exitCode),
        (code) => code !== null,
      )
      return { ...end, code: child.exitCode }
    }),
  }
})

/** Mounts that all tests of a `describe` or file share: made by the first that wants them. */
export const shared = (wanted: ReadonlyArray<Wanted>): Effect.Effect<SessionsServer> => {
  const scope = Scope.makeUnsafe()
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  return Effect.runSync(Effect.cached(Scope.provide(start(wanted), scope)))
}

const launch = (configs: ReadonlyArray<SessionConfig>): ChildProcess =>
  fork(path.join(import.meta.dirname, "serveSessions.ts"), [JSON.stringify(configs)], {
    execArgv: [],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    cwd: "/",
  })
