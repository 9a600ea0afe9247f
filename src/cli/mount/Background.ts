/**
 * A command that goes on in the background: this program once more, in a session of its own.
 *
 * The parent tells the child the settings that it has read, so that only one of them reads a command line. It waits until
 * the child says that it is ready, and passes on what that writes on stderr until then. It ends with the child's exit
 * code if the child ends before, and ends the child if it is itself told to end. It is not a supervisor: once the child is
 * ready the two know nothing of each other.
 */
import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import type { Socket } from "node:net"
import * as os from "node:os"
import type { Readable, Writable } from "node:stream"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Runtime from "effect/Runtime"
import * as ChildEnvironment from "../../services/posix/ChildEnvironment.ts"
import * as ExitCode from "../ExitCode.ts"
import * as Terminal from "../Terminal.ts"
import * as Parent from "./Parent.ts"
import * as Settings from "./Settings.ts"

/** This program cannot be started again. */
export class StartError extends Data.TaggedError("StartError")<{ readonly detail: string }> {
  static readonly ids = { Any: "PXF-MOUNT-BACKGROUND" }
  /** See docs/errors.md. */
  get id(): string {
    return StartError.ids.Any
  }
  override readonly [Runtime.errorExitCode] = ExitCode.MOUNT_FAILED
  override get message(): string {
    return `cannot go on in the background: ${this.detail}`
  }
}

/**
 * Mounts in the background; `descriptors` are passed on, as far as they are open. Ends when the mount is ready.
 */
export const start = (
  settings: Settings.Settings,
  descriptors: ReadonlyArray<number>,
): Effect.Effect<void, ExitCode.Ended | StartError> =>
  Effect.acquireUseRelease(
    Effect.map(withholdInherited, () => launch(settings, descriptors.filter(isOpen))),
    untilReady,
    ({ process: child }, exit) => (Exit.isSuccess(exit) ? Effect.sync(() => child.unref()) : end(child)),
  )

/** What this process has inherited itself might keep somebody waiting for as long as the mount lasts. */
const withholdInherited: Effect.Effect<void> = Effect.suspend(() =>
  mayHaveInherited()
    ? Effect.promise(async () => {
        // This loads koffi, and most processes have inherited nothing.
        const Syscalls = await import("../internal/ProcessSyscalls.ts")
        Syscalls.closeOnExec(3)
      })
    : Effect.void,
)

/** Without `/proc` there is no telling. */
const mayHaveInherited = (): boolean => !fs.existsSync(DESCRIPTORS) || fs.readdirSync(DESCRIPTORS).some(isInherited)

const DESCRIPTORS = "/proc/self/fdinfo"

/** Whatever Node opens is closed on exec. */
const isInherited = (descriptor: string): boolean => {
  if (Number(descriptor) < 3) return false
  try {
    const [, flags = ""] = /^flags:\s*(\d+)/m.exec(fs.readFileSync(`${DESCRIPTORS}/${descriptor}`, "latin1")) ?? []
    return (Number.parseInt(flags, 8) & O_CLOEXEC) === 0
  } catch {
    // The folder was read through it.
    return false
  }
}

/** open(2), as in proc_pid_fdinfo(5). */
const O_CLOEXEC = 0o2000000

const isOpen = (descriptor: number): boolean => {
  try {
    fs.fstatSync(descriptor)
    return true
  } catch {
    return false
  }
}

interface Child {
  readonly process: ChildProcess
  readonly streams: ReadonlyArray<Readable | Writable>
  readonly ready: () => boolean
}

const launch = (settings: Settings.Settings, descriptors: ReadonlyArray<number>): Child => {
  const own = Math.max(2, ...descriptors) + 1
  const stdio = Array.from({ length: own }, (_, descriptor) => (descriptors.includes(descriptor) ? descriptor : null))
  const words = `${own}${Terminal.isInteractive() ? " tty" : ""}${settings.serve === undefined ? "" : " page"}`
  // The words are for those who look at the list of processes.
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    detached: true,
    env: { ...ChildEnvironment.withoutSecrets(), [Parent.VARIABLE]: words },
    stdio: ["ignore", "ignore", "pipe", ...stdio.slice(3).map((descriptor) => descriptor ?? "ignore"), "pipe"],
  })
  let ready = false
  // With too many files open there is no child and, whatever the type says, nothing in this place.
  const stdioOfChild: Partial<ChildProcess["stdio"]> = child.stdio ?? []
  child.stderr?.pipe(process.stderr, { end: false })
  const socket = stdioOfChild[own] as Socket | undefined
  socket?.on("data", () => (ready = true))
  // Then the child has ended, or could not be started: that is told by itself.
  socket?.on("error", () => {})
  socket?.end(Settings.encode({ ...settings, secrets: ChildEnvironment.secretsOf() }))
  const streams = stdioOfChild.filter((stream) => stream !== null && stream !== undefined)
  return { process: child, streams, ready: () => ready }
}

/** Ends when all has been said: the child lets go of stderr when it is ready. */
const untilReady = ({ process: child, ready, streams }: Child): Effect.Effect<void, ExitCode.Ended | StartError> =>
  Effect.callback((resume) => {
    let open = streams.length
    const onClose = (): void => {
      open--
      if (open === 0 && ready()) resume(Effect.void)
    }
    for (const stream of streams) stream.on("close", onClose)
    child.on("error", (error: NodeJS.ErrnoException) => {
      const detail = error.code === "EMFILE" ? "too many open files, see `ulimit -n`" : error.message
      resume(Effect.fail(new StartError({ detail })))
    })
    child.on("close", (code, signal) => {
      if (!ready())
        resume(Effect.fail(new ExitCode.Ended({ code: code ?? 128 + os.constants.signals[signal ?? "SIGKILL"] })))
    })
  })

/** Tells a child to end, and waits until it has. */
const end = (child: ChildProcess): Effect.Effect<void> =>
  Effect.callback((resume) => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
    child.on("exit", () => resume(Effect.void))
    child.kill("SIGTERM")
  })
