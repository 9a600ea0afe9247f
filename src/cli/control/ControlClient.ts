/**
 * Asks the processes that serve mounts about themselves, and waits for their end.
 *
 * A socket that nobody listens on is one that a killed process has left; this user's are removed. What other users have put
 * into their folders can be anything and as much as they like: this user's mounts are asked first, and of theirs no more
 * than a few, for no longer than a moment in all.
 */
import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import type * as Duration from "effect/Duration"
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

/** Sockets that are looked at in a folder of this user, and of another. */
const MAX_OWN = 4096
const MAX_OTHERS = 64

/** Connections at a time. */
const CONCURRENCY = 64

/** For all mounts of others together, and for all of this user. */
const DEADLINE = "2 seconds"
const OWN_DEADLINE = "10 seconds"

/** All that answer, of this user, and for root of all users who are logged in. */
export const all: Effect.Effect<ReadonlyArray<Server>, never, Scope.Scope> = Effect.gen(function* () {
  const own = yield* Effect.map(ControlFolder.ownReadable, socketsIn(MAX_OWN))
  const others = yield* Effect.map(ControlFolder.ofOthers, socketsIn(MAX_OTHERS))
  return [...(yield* withinDeadline(own, OWN_DEADLINE)), ...(yield* withinDeadline(others, DEADLINE))]
})

/** Those that answer of this user, if the mount is this user's; else of the one whose it is. */
export const ofOwner = (owner: number | undefined): Effect.Effect<ReadonlyArray<Server>, never, Scope.Scope> =>
  owner === undefined || owner === (process.geteuid?.() ?? 0)
    ? Effect.flatMap(ControlFolder.ownReadable, (folders) => withinDeadline(socketsIn(MAX_OWN)(folders), OWN_DEADLINE))
    : Effect.flatMap(ControlFolder.ofUser(owner), (folders) => withinDeadline(socketsIn(MAX_OTHERS)(folders), DEADLINE))

/** Those that answer; which have not done so in time are left out. */
const withinDeadline = (
  sockets: ReadonlyArray<string>,
  deadline: Duration.Input,
): Effect.Effect<ReadonlyArray<Server>, never, Scope.Scope> =>
  Effect.suspend(() => {
    const found = sockets.map((): Server | undefined => undefined)
    const ask = (socket: string, index: number) => Effect.map(connect(socket), (server) => void (found[index] = server))
    return Effect.map(
      Effect.timeoutOption(Effect.forEach(sockets, ask, { concurrency: CONCURRENCY, discard: true }), deadline),
      () => found.filter((server) => server !== undefined),
    )
  })

/** No more than `limit` in each folder, however much there is. What leads somewhere else is left out. */
const socketsIn =
  (limit: number) =>
  (folders: ReadonlyArray<string>): ReadonlyArray<string> =>
    folders.flatMap((folder) => {
      const found: Array<string> = []
      try {
        const directory = fs.opendirSync(folder)
        try {
          for (let seen = 0; seen < limit; seen++) {
            const entry = directory.readSync()
            if (entry === null) break
            if (entry.isSocket() && NAME.test(entry.name)) found.push(path.join(folder, entry.name))
          }
        } finally {
          directory.closeSync()
        }
      } catch {
        // It is gone, or not for this user.
      }
      return found
    })

/** As `ControlServer` names them. */
const NAME = /^\d+\.sock$/

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
