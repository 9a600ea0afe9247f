/**
 * A mount that is served by a process of its own, through the library, so that the test may use it with system calls.
 *
 * It can be asked for its counters, for the nodes that the kernel holds and for the requests under way. When the scope
 * closes neither the mount nor the process is left; when the test's process hangs or dies, the server goes by itself.
 */
import { type ChildProcess, fork } from "node:child_process"
import * as path from "node:path"
import { Deferred, Effect, Exit, Scope } from "effect"
import { afterAll } from "vitest"
import type * as Golden from "./Golden.ts"
import * as Processes from "./Processes.ts"
import type { Answers, Config, Message, Question, Report } from "./serveArchive.ts"

export interface Options extends Partial<Omit<Config, "archive" | "lifetime">> {
  /** User and group that serve; those of the test unless given. */
  readonly user?: number
}

/** A library that would not mount. */
export class Refused {
  readonly _tag = "Refused"
  readonly error: string
  readonly message: string
  constructor(error: string, message: string) {
    this.error = error
    this.message = message
  }
}

export interface MountServer {
  readonly mountPoint: string
  readonly how: string
  readonly pid: number
  readonly ask: <Q extends keyof Answers>(question: Q) => Effect.Effect<Answers[Q]>
  /** Waits until the session has ended by itself. */
  readonly sessionEnded: Effect.Effect<void>
  /**
   * Closes the scope of the mount, and waits until the process has ended: by itself, because nothing runs in it any
   * more.
   */
  readonly end: Effect.Effect<Report & { readonly code: number | null }>
}

/** No test takes longer. */
const LIFETIME = 60_000

/** Mounts a golden archive. */
export const golden = (
  { archive, payload }: Golden.Golden,
  options: Options = {},
): Effect.Effect<MountServer, never, Scope.Scope> =>
  Effect.orDie(start(archive, { ...(payload !== undefined && { payload }), ...options }))

/** One mount of a golden archive for all tests of a `describe` or file: made by the first that wants it. */
export const shared = (archive: Golden.Golden, options?: Options): Effect.Effect<MountServer> => {
  const scope = Scope.makeUnsafe()
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  let mounted: MountServer | undefined
  return Effect.suspend(() =>
    mounted === undefined
      ? Effect.tap(Scope.provide(golden(archive, options), scope), (server) => Effect.sync(() => (mounted = server)))
      : Effect.succeed(mounted),
  )
}

/** Mounts an archive on a folder of its own, unless the options name one. */
export const start = Effect.fnUntraced(function* (
  archive: string,
  { user, ...options }: Options = {},
): Effect.fn.Return<MountServer, Refused, Scope.Scope> {
  const mountPoint = options.mountPoint ?? (yield* Processes.mountPoint("mnt", user))
  const config: Config = { ...options, archive, mountPoint, lifetime: LIFETIME }
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => launch(config, user)),
    Processes.kill,
  )
  const ready = yield* Deferred.make<Extract<Message, { _tag: "Ready" }>, Refused>()
  const sessionEnded = yield* Deferred.make<void>()
  const report = yield* Deferred.make<Report>()
  const exited = yield* Deferred.make<void>()
  const waiting = new Map<number, (answer: unknown) => void>()
  let stderr = ""
  child.stderr!.setEncoding("utf8").on("data", (text: string) => (stderr += text))
  child.on("close", () => {
    const end = Effect.die(new Error(`the server ended (${child.exitCode ?? child.signalCode}): ${stderr}`))
    Deferred.doneUnsafe(ready, end)
    Deferred.doneUnsafe(report, end)
    Deferred.doneUnsafe(exited, Effect.void)
  })
  child.on("message", (message: Message) => {
    switch (message._tag) {
      case "Ready":
        return Deferred.doneUnsafe(ready, Effect.succeed(message))
      case "Refused":
        return Deferred.doneUnsafe(ready, Effect.fail(new Refused(message.error, message.message)))
      case "Ended":
        return Deferred.doneUnsafe(sessionEnded, Effect.void)
      case "Report":
        return Deferred.doneUnsafe(report, Effect.succeed(message))
      case "Answer":
        waiting.get(message.id)?.(message.answer)
        return waiting.delete(message.id)
    }
  })

  let questions = 0
  const ask = <Q extends keyof Answers>(question: Q) =>
    Effect.callback<Answers[Q]>((resume) => {
      const id = ++questions
      waiting.set(id, (answer) => resume(Effect.succeed(answer as Answers[Q])))
      tell(child, { id, ask: question })
    }).pipe(Processes.within(() => `the server's answer to "${question}" ${stderr}`))

  const { how, mountPoint: mounted } = yield* Deferred.await(ready).pipe(Processes.within(() => "the mount"))
  return {
    mountPoint: mounted,
    how,
    pid: child.pid!,
    ask,
    sessionEnded: Deferred.await(sessionEnded).pipe(Processes.within(() => "the end of the session")),
    end: Effect.gen(function* () {
      tell(child, { end: true })
      const left = yield* Deferred.await(report)
      yield* Deferred.await(exited)
      return { ...left, code: child.exitCode }
    }).pipe(Processes.within(() => `the end of the server ${stderr}`)),
  }
})

const tell = (child: ChildProcess, question: Question): void => void child.send(question)

const launch = (config: Config, user: number | undefined): ChildProcess =>
  fork(path.join(import.meta.dirname, "serveArchive.ts"), [JSON.stringify(config)], {
    // Not those of the test runner.
    execArgv: [],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    serialization: "advanced",
    cwd: "/",
    ...(user !== undefined && { uid: user, gid: user }),
  })
