/**
 * Asks the processes that serve mounts about themselves, and waits for their end.
 *
 * A socket that nobody listens on is one that a killed process has left; this user's are removed.
 */
import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as ControlFolder from "./ControlFolder.ts"
import { MountReportJson } from "../../domain/json/StatusJson.ts"

/** A process that serves. */
export interface Server {
  readonly report: MountReportJson
  /** The user whose process it is. */
  readonly owner: number
  /** Waits until the process has ended. */
  readonly ended: Effect.Effect<void>
}

/** Milliseconds for an answer: whoever takes longer is stopped, or hangs. */
const PATIENCE = 1000

/** It may come from another user's process, or from another version of this program. */
const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(MountReportJson))

/** Bytes of an answer; nobody can make this process collect more. */
const MAX_REPORT = 64 * 1024

/** All that answer, of this user, and for root of all users who are logged in. */
export const all: Effect.Effect<ReadonlyArray<Server>, never, Scope.Scope> = Effect.gen(function* () {
  const sockets = (yield* ControlFolder.readable).flatMap(socketsIn)
  const servers = yield* Effect.forEach(sockets, connect, { concurrency: "unbounded" })
  return servers.filter((server) => server !== undefined)
})

const socketsIn = (folder: string): ReadonlyArray<string> => {
  try {
    return fs.readdirSync(folder).flatMap((name) => (name.endsWith(".sock") ? [path.join(folder, name)] : []))
  } catch {
    return []
  }
}

const connect = Effect.fnUntraced(function* (socket: string): Effect.fn.Return<Server | undefined, never, Scope.Scope> {
  const connection = yield* Effect.acquireRelease(
    Effect.sync(() => net.connect(socket)),
    (connection) => Effect.sync(() => void connection.destroy()),
  )
  const closed = Effect.callback<void>((resume) => {
    if (connection.closed) return resume(Effect.void)
    connection.on("close", () => resume(Effect.void)).resume()
  })
  return yield* firstLine(connection, socket).pipe(
    Effect.flatMap(decode),
    Effect.map((report): Server => ({
      report,
      owner: fs.lstatSync(path.dirname(socket)).uid,
      ended: Effect.andThen(closed, untilGone(report.pid)),
    })),
    Effect.timeout(PATIENCE),
    // Not one of ours, or not to be reached now: then the mount table is all there is to tell.
    Effect.orElseSucceed(() => undefined),
  )
})

/**
 * A process that ends closes one descriptor after the other, and then goes: milliseconds later. The number may be one of
 * another container, and mean somebody else here: it is not waited for longer than a second.
 */
const untilGone = (pid: number): Effect.Effect<void> => {
  const wait: Effect.Effect<void> = Effect.suspend(() =>
    isThere(pid) ? Effect.andThen(Effect.sleep("5 millis"), wait) : Effect.void,
  )
  return Effect.ignore(Effect.timeout(wait, "1 second"))
}

/** One that has ended and that nobody has asked for its exit code yet is not there any more. */
const isThere = (pid: number): boolean => {
  try {
    return !/^State:\s+[ZX]/m.test(fs.readFileSync(`/proc/${pid}/status`, "latin1"))
  } catch {
    return false
  }
}

const firstLine = (connection: net.Socket, socket: string): Effect.Effect<string, string> =>
  Effect.callback((resume) => {
    let text = ""
    connection.setEncoding("utf8").on("data", (more: string) => {
      text += more
      const end = text.indexOf("\n")
      if (end >= 0) resume(Effect.succeed(text.slice(0, end)))
      else if (text.length > MAX_REPORT) connection.destroy()
    })
    connection.on("close", () => resume(Effect.fail("closed")))
    connection.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED" && ControlFolder.isPrivate(path.dirname(socket))) fs.rm(socket, () => {})
      resume(Effect.fail(error.message))
    })
  })
