/**
 * A command that goes on in the background: this program once more, in a session of its own.
 *
 * The parent waits until the child says that it is ready, and passes on what that writes on stderr until then. It ends
 * with the child's exit code if the child ends before, and ends the child if it is itself told to end. The child learns
 * from its environment that it is one. It is not a supervisor: once the child is ready the two know nothing of each
 * other.
 */
import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Runtime from "effect/Runtime"
import * as ExitCode from "../ExitCode.ts"
import * as Syscalls from "../internal/ProcessSyscalls.ts"
import * as Terminal from "../Terminal.ts"

/** For the child: `FD` or `FD tty`, see {@link Parent}. */
const VARIABLE = "_PXAR_FUSE_PARENT"

/** Who started this process in the background. */
export interface Parent {
  /** Closing it without a word, as the end of this process does, means failure. */
  readonly descriptor: number
  /** Whether a person reads what the parent passes on. */
  readonly interactive: boolean
}

const readParent = (): Parent | undefined => {
  const match = /^(\d+)( tty)?$/.exec(process.env[VARIABLE] ?? "")
  // Not for those whom this process starts.
  delete process.env[VARIABLE]
  return match === null ? undefined : { descriptor: Number(match[1]), interactive: match[2] !== undefined }
}

/** The parent that waits for this process, if there is one. */
export const parent: Parent | undefined = readParent()

/** Tells the parent that this process is ready; `false` if the parent is gone. */
export const tellReady = ({ descriptor }: Parent): Effect.Effect<boolean> =>
  Effect.sync(() => {
    try {
      fs.writeSync(descriptor, "ready")
      fs.closeSync(descriptor)
      return true
    } catch {
      return false
    }
  })

/** This program cannot be started again. */
export class StartError extends Data.TaggedError("StartError")<{ readonly detail: string }> {
  override readonly [Runtime.errorExitCode] = ExitCode.MOUNT_FAILED
  override get message(): string {
    return `cannot go on in the background: ${this.detail}`
  }
}

/**
 * Runs the command line of this process again, in the background; `descriptors` are passed on, as far as they are open.
 * Ends when it is ready.
 */
export const start = (descriptors: ReadonlyArray<number>): Effect.Effect<void, ExitCode.Ended | StartError> =>
  Effect.acquireUseRelease(
    Effect.sync(() => launch(descriptors.filter(isOpen))),
    untilReady,
    ({ process: child }, exit) => (Exit.isSuccess(exit) ? Effect.sync(() => child.unref()) : end(child)),
  )

const isOpen = (descriptor: number): boolean => fs.existsSync(`/proc/self/fd/${descriptor}`)

interface Child {
  readonly process: ChildProcess
  readonly ready: () => boolean
}

const launch = (descriptors: ReadonlyArray<number>): Child => {
  // What this process has inherited itself might keep somebody waiting for as long as the mount lasts.
  Syscalls.closeOnExec(3)
  const own = Math.max(2, ...descriptors) + 1
  const stdio = Array.from({ length: own }, (_, descriptor) => (descriptors.includes(descriptor) ? descriptor : null))
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    detached: true,
    env: { ...process.env, [VARIABLE]: `${own}${Terminal.isInteractive() ? " tty" : ""}` },
    stdio: ["ignore", "ignore", "pipe", ...stdio.slice(3).map((descriptor) => descriptor ?? "ignore"), "pipe"],
  })
  let ready = false
  child.stderr?.pipe(process.stderr, { end: false })
  child.stdio[own]?.on("data", () => (ready = true))
  return { process: child, ready: () => ready }
}

/** Ends when all has been said: the child lets go of stderr when it is ready. */
const untilReady = ({ process: child, ready }: Child): Effect.Effect<void, ExitCode.Ended | StartError> =>
  Effect.callback((resume) => {
    const streams = child.stdio.filter((stream) => stream !== null && stream !== undefined)
    let open = streams.length
    const onClose = (): void => {
      open--
      if (open === 0 && ready()) resume(Effect.void)
    }
    for (const stream of streams) stream.on("close", onClose)
    child.on("error", (error) => resume(Effect.fail(new StartError({ detail: error.message }))))
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
