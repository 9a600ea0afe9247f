/**
 * Serves several mounts in one process, through the library, for `SessionsServer.ts`. See there.
 *
 * Each has a scope of its own. A session that breaks is closed, as an application would do; the others go on.
 */
import * as fs from "node:fs"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import * as Bridge from "../../src/fuse/bridge/Bridge.ts"
import * as ConnectionSyscalls from "../../src/fuse/native/ConnectionSyscalls.ts"
import * as Mount from "../../src/fuse/Mount.ts"
import * as ArchiveFiles from "../../src/services/archive/ArchiveFiles.ts"
import * as LookupRegistry from "../../src/services/LookupRegistry.ts"

export interface SessionConfig {
  readonly archive: string
  readonly payload: string | undefined
  readonly mountPoint: string
  readonly transport: "kernel" | "fuse-native"
}

/** `break` makes the next references that are counted or returned contradict the registry. */
export type Order = { readonly order: "close" | "break"; readonly session: number } | { readonly order: "end" }

export type Event =
  | { readonly _tag: "Ready"; readonly transports: ReadonlyArray<string> }
  /** `outcome` is `ended`, `interrupted`, or the error's tag. */
  | { readonly _tag: "Ended"; readonly session: number; readonly outcome: string }
  | { readonly _tag: "Closed"; readonly session: number; readonly held: number; readonly inFlight: number }
  | { readonly _tag: "End"; readonly devices: number; readonly logs: ReadonlyArray<ReadonlyArray<string>> }

interface Session {
  readonly mounted: Mount.Mounted
  readonly log: ReadonlyArray<string>
  readonly break: () => void
  readonly close: Effect.Effect<void>
}

const tell = (event: Event): Effect.Effect<void> =>
  Effect.sync(() => void (process.connected && process.send?.(event, undefined, undefined, () => {})))

/** A bridge that can be told to disagree with its registry, where each session counts. */
const breakable = (bridge: Bridge.Bridge, kind: SessionConfig["transport"]) => {
  let broken = false
  const overforget = Effect.fail(new LookupRegistry.Overforget({ node: "2", held: 0, forgotten: 1 }))
  const unless = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.suspend(() => (broken ? (overforget as Effect.Effect<never, never>) : effect))
  const shape: Bridge.Bridge =
    kind === "kernel"
      ? {
          ...bridge,
          leaseUnsafe: () => {
            const lease = bridge.leaseUnsafe()
            return { ...lease, isEmpty: () => !broken && lease.isEmpty(), takeBack: unless(lease.takeBack) }
          },
        }
      : { ...bridge, forget: (id, count) => unless(bridge.forget(id, count)) }
  return { shape, break: () => void (broken = true) }
}

const open = Effect.fnUntraced(function* (
  { archive, transport: kind, mountPoint, payload }: SessionConfig,
  session: number,
) {
  const scope = yield* Scope.make()
  const log: Array<string> = []
  const { bridge, mounted } = yield* Effect.gen(function* () {
    const reader = yield* ArchiveFiles.open(archive, { payload })
    const registry = yield* LookupRegistry.make(reader.root)
    const bridge = breakable(Bridge.make(reader, registry), kind)
    const mounted = yield* Mount.mountBridge(bridge.shape, registry, { mountPoint, transport: kind, fsname: archive })
    yield* mounted.ready
    return { bridge, mounted }
  }).pipe(
    Scope.provide(scope),
    Effect.provide(Logger.layer([Logger.make(({ message }) => void log.push(String(message)))])),
  )
  const close = yield* Effect.cached(
    Effect.gen(function* () {
      yield* Scope.close(scope, Exit.void)
      const held = (yield* mounted.held).length
      yield* tell({ _tag: "Closed", session, held, inFlight: yield* mounted.inFlight })
    }),
  )
  yield* Effect.forkDetach(
    Effect.flatMap(Effect.exit(mounted.ended), (exit) => {
      const outcome = Exit.isSuccess(exit)
        ? "ended"
        : Cause.hasInterruptsOnly(exit.cause)
          ? "interrupted"
          : String((Cause.squash(exit.cause) as { readonly _tag?: string })._tag)
      return Effect.andThen(tell({ _tag: "Ended", session, outcome }), outcome === "interrupted" ? Effect.void : close)
    }),
  )
  return { mounted, log, break: bridge.break, close } satisfies Session
})

const program = Effect.gen(function* () {
  const configs = JSON.parse(process.argv[2] ?? "[]") as ReadonlyArray<SessionConfig>
  const sessions = yield* Effect.forEach(configs, open, { concurrency: "unbounded" })
  yield* tell({ _tag: "Ready", transports: sessions.map(({ mounted }) => mounted.transport) })
  const run = Effect.runForkWith(yield* Effect.context<never>())
  yield* Effect.callback<void>((resume) => {
    process.on("disconnect", () => resume(Effect.void))
    process.on("message", (order: Order) => {
      if (order.order === "end") return resume(Effect.void)
      const session = sessions[order.session]
      if (order.order === "break") return session?.break()
      if (session !== undefined) run(session.close)
    })
  })
  yield* Effect.forEach(sessions, ({ close }) => close, { concurrency: "unbounded", discard: true })
  const devices = fs.readdirSync("/proc/self/fd").filter((name) => ConnectionSyscalls.isDevice(Number(name))).length
  yield* tell({ _tag: "End", devices, logs: sessions.map(({ log }) => log) })
})

await Effect.runPromise(program)
process.removeAllListeners("message")
if (process.connected) process.disconnect()
