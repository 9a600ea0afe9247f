/** OpenStack Swift with the interface of S3, started by `test/places/swift`: a service that shares no line with others. */
import { type ChildProcess, spawn } from "node:child_process"
import * as path from "node:path"
import { Effect, type Scope } from "effect"
import * as S3Server from "./S3Server.ts"

const script = path.join(import.meta.dirname, "../places/swift")

/** The key of the account, and its secret. */
export const ACCOUNT: S3Server.Account = { accessKey: "test:tester", secretKey: "testing" }

/** Starts the service, which takes seconds, with empty buckets of these names; it ends with the scope. */
export const make = Effect.fnUntraced(function* (
  buckets: ReadonlyArray<string>,
): Effect.fn.Return<S3Server.S3Server, never, Scope.Scope> {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => spawn(script, { stdio: ["pipe", "pipe", "pipe"] })),
    ended,
  )
  const server = S3Server.at(yield* ready(child), ACCOUNT)
  for (const bucket of buckets) yield* server.put(bucket, "", new Uint8Array())
  return server
})

/** The port that it says. */
const ready = (child: ChildProcess): Effect.Effect<number> =>
  Effect.callback((resume) => {
    let said = ""
    let wrong = ""
    child.stderr!.on("data", (text: Buffer) => (wrong += text.toString()))
    child.stdout!.on("data", (text: Buffer) => {
      said += text.toString()
      const [, port] = /^ready (\d+)\n/.exec(said) ?? []
      if (port !== undefined) resume(Effect.succeed(Number(port)))
    })
    child.on("close", (code) => resume(Effect.die(new Error(`Swift ends with ${code}: ${wrong}`))))
  })

/** The script ends what it has started when its input ends. */
const ended = (child: ChildProcess): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    if (child.exitCode !== null) return resume(Effect.void)
    child.on("exit", () => resume(Effect.void))
    child.stdin!.end()
  })
