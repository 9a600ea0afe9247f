/**
 * Serves one mount, through the library, for `MountServer.ts`, which starts it in a process of its own and asks it
 * questions. See there.
 *
 * It never ends itself with `exit`: that it ends shows that nothing runs any more. Only when its time is over, or when
 * whoever started it is gone, it goes.
 */
import { Worker } from "node:worker_threads"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import * as Logger from "effect/Logger"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import * as NodeId from "../../src/domain/pxar/NodeId.ts"
import type { Counters } from "../../src/fuse/session/Counters.ts"
import type * as FuseMount from "../../src/fuse/mount/FuseMount.ts"
import * as Mount from "../../src/fuse/Mount.ts"
import * as MountOptions from "../../src/fuse/mount/MountOptions.ts"
import * as ArchiveReader from "../../src/services/archive/ArchiveReader.ts"
import type { ByteSource } from "../../src/services/bytes/ByteSource.ts"
import * as FileSource from "../../src/services/bytes/FileSource.ts"
import * as Descriptors from "./Descriptors.ts"

export interface Config {
  readonly archive: string
  readonly mountPoint: string
  readonly payload?: string
  readonly transport?: Mount.TransportChoice
  /** Values of `-o`. */
  readonly options?: ReadonlyArray<string>
  /** Reads of file contents from the payload archive wait until they are told to go on. */
  readonly stall?: boolean
  /** After this many milliseconds the process kills itself, whatever it does. */
  readonly lifetime: number
}

/** What can be asked, with the answer. */
export interface Answers {
  readonly counters: Counters
  /** Inode numbers. */
  readonly held: ReadonlyArray<bigint>
  readonly inFlight: number
  /** Reads that wait in the source. */
  readonly stalled: number
  readonly goOn: void
  readonly unmount: FuseMount.Unmounted
  readonly log: ReadonlyArray<string>
}

/** What is left when the scope of the mount has been closed. */
export interface Report {
  readonly held: number
  readonly inFlight: number
  readonly stalled: number
  /** Open descriptors of `/dev/fuse`. */
  readonly devices: number
  /** `ended` when the kernel had unmounted, `cut off` when the scope was closed before, or the error. */
  readonly session: string
  readonly log: ReadonlyArray<string>
  /** What was told about a busy mount. */
  readonly lazy: ReadonlyArray<string>
}

export type Question = { readonly id: number; readonly ask: keyof Answers } | { readonly end: true }

export type Message =
  | { readonly _tag: "Ready"; readonly mountPoint: string; readonly how: FuseMount.FuseMount["how"] }
  | { readonly _tag: "Refused"; readonly error: string; readonly message: string }
  | { readonly _tag: "Answer"; readonly id: number; readonly answer: unknown }
  | { readonly _tag: "Ended" }
  | ({ readonly _tag: "Report" } & Report)

const config = JSON.parse(process.argv[2] ?? "{}") as Config

/** On a thread of its own, for the case that this one hangs. What is dead then is unmounted by a shell. */
const watchdog = `
const { spawn } = require("node:child_process")
const clean = 'while kill -0 "$0" 2>&-; do sleep 0.1; done; umount -l "$1" || fusermount3 -u -z "$1"'
setTimeout(() => {
  const args = ["-c", clean, String(process.pid), ${JSON.stringify(config.mountPoint)}]
  spawn("sh", args, { detached: true, stdio: "ignore" }).on("spawn", () => process.kill(process.pid, "SIGKILL"))
}, ${config.lifetime})`
new Worker(watchdog, { eval: true }).unref()

const log: Array<string> = []
const lazy: Array<string> = []

/** Whoever started this may be gone: then nobody is told. */
const send = (message: Message): Effect.Effect<void> =>
  Effect.sync(() => void (process.connected && process.send?.(message, undefined, undefined, () => {})))

const gate = Latch.makeUnsafe(false)
let stalled = 0

/** Lets headers through, and stops at file contents. */
const stalling = (source: ByteSource): ByteSource => ({
  name: source.name,
  size: source.size,
  read: (target, offset) =>
    target.length <= 16
      ? source.read(target, offset)
      : Effect.andThen(
          Effect.acquireUseRelease(
            Effect.sync(() => stalled++),
            () => gate.await,
            () => Effect.sync(() => stalled--),
          ),
          Effect.suspend(() => source.read(target, offset)),
        ),
})

const mount = Effect.gen(function* () {
  const options = {
    mountPoint: config.mountPoint,
    transport: config.transport,
    options: Result.getOrThrow(MountOptions.parse(config.options ?? [])),
    onLazyUnmount: (detail: string) => Effect.sync(() => void lazy.push(detail)),
  }
  if (config.stall !== true) return yield* Mount.mountPath(config.archive, { ...options, payload: config.payload })
  const payload = stalling(yield* FileSource.open(config.payload!))
  const archive = yield* FileSource.open(config.archive)
  return yield* Mount.mountTree(yield* ArchiveReader.make(archive, { _tag: "Present", source: payload }), options)
})

const answer = (mounted: Mount.Mounted, ask: keyof Answers): Effect.Effect<unknown> => {
  switch (ask) {
    case "counters":
      return mounted.counters
    case "held":
      return Effect.map(mounted.held, (ids) => ids.map(NodeId.toBigInt))
    case "inFlight":
      return mounted.inFlight
    case "stalled":
      return Effect.sync(() => stalled)
    case "goOn":
      return gate.open
    case "unmount":
      return mounted.unmount
    case "log":
      return Effect.sync(() => log)
  }
}

/** Answers questions until it is told to end, or until nobody is there to ask. */
const answering = (mounted: Mount.Mounted): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    if (!process.connected) return resume(Effect.void)
    process.on("disconnect", () => resume(Effect.void))
    process.on("message", (question: Question) => {
      if ("end" in question) return resume(Effect.void)
      Effect.runFork(
        Effect.flatMap(answer(mounted, question.ask), (answer) => send({ _tag: "Answer", id: question.id, answer })),
      )
    })
  })

const program = Effect.gen(function* () {
  const scope = yield* Scope.make()
  const opened = yield* Effect.result(Scope.provide(mount, scope))
  if (Result.isFailure(opened)) {
    yield* Scope.close(scope, Exit.void)
    const { _tag: error, message } = opened.failure
    return yield* send({ _tag: "Refused", error, message })
  }
  const mounted = opened.success
  let session = "still served"
  yield* Effect.forkChild(
    Effect.flatMap(Effect.exit(mounted.ended), (exit) => {
      session = Exit.isSuccess(exit) ? "ended" : Cause.hasInterruptsOnly(exit.cause) ? "cut off" : String(exit.cause)
      return send({ _tag: "Ended" })
    }),
  )
  yield* send({ _tag: "Ready", mountPoint: mounted.mountPoint, how: mounted.how })
  yield* answering(mounted)
  yield* Scope.close(scope, Exit.void)
  const held = yield* mounted.held
  const inFlight = yield* mounted.inFlight
  yield* send({
    _tag: "Report",
    held: held.length,
    inFlight,
    stalled,
    devices: Descriptors.on("/dev/fuse"),
    session,
    log,
    lazy,
  })
}).pipe(Effect.provide(Logger.layer([Logger.make(({ message }) => void log.push(String(message)))])))

await Effect.runPromise(program)
process.removeAllListeners("message")
if (process.connected) process.disconnect()
