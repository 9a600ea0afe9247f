/**
 * Starts this program once more, in a session of its own, to serve a mount: without Effect, so that the process that only
 * waits for it need not load that. See `Background` for what the two owe each other.
 */
import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import type { Socket } from "node:net"
import * as os from "node:os"
import * as ChildEnvironment from "../../services/posix/ChildEnvironment.ts"
import * as Parent from "./Parent.ts"
import type { Settings } from "./Settings.ts"

/** How the wait for a mount has ended. */
export type Outcome =
  | { readonly _tag: "Ready" }
  /** The child has ended before, and has said why. */
  | { readonly _tag: "Ended"; readonly code: number }
  | { readonly _tag: "NotStarted"; readonly detail: string }

export interface Launched {
  readonly outcome: Promise<Outcome>
  /** Lets go of a child that is ready. */
  readonly leave: () => void
  /** Tells the child to end, and waits until it has. */
  readonly end: () => Promise<void>
}

/** Starts a mount by its settings. Open descriptors of these are passed on. */
export const launch = (settings: Settings, descriptors: ReadonlyArray<number>): Launched => {
  const passed = descriptors.filter(isOpen)
  const own = Math.max(2, ...passed) + 1
  const stdio = Array.from({ length: own }, (_, descriptor) => (passed.includes(descriptor) ? descriptor : null))
  const words = `${own}${process.stderr.isTTY === true ? " tty" : ""}${settings.serve === undefined ? "" : " page"}`
  // The words are for those who look at the list of processes.
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    detached: true,
    env: { ...ChildEnvironment.withoutSecrets(), [Parent.VARIABLE]: words },
    stdio: ["ignore", "ignore", "pipe", ...stdio.slice(3).map((descriptor) => descriptor ?? "ignore"), "pipe"],
  })
  let isReady = false
  // With too many files open there is no child and, whatever the type says, nothing in this place.
  const stdioOfChild: Partial<ChildProcess["stdio"]> = child.stdio ?? []
  child.stderr?.pipe(process.stderr, { end: false })
  const socket = stdioOfChild[own] as Socket | undefined
  socket?.on("data", () => (isReady = true))
  // Then the child has ended, or could not be started: that is told by itself.
  socket?.on("error", () => {})
  socket?.end(JSON.stringify({ ...settings, secrets: ChildEnvironment.secretsOf() }))
  const streams = stdioOfChild.filter((stream) => stream !== null && stream !== undefined)
  const outcome = new Promise<Outcome>((resolve) => {
    // All has been said when the child lets go of stderr, which it does when it is ready.
    let open = streams.length
    const onClose = (): void => {
      open--
      if (open === 0 && isReady) resolve({ _tag: "Ready" })
    }
    for (const stream of streams) stream.on("close", onClose)
    child.on("error", (error: NodeJS.ErrnoException) => {
      const detail = error.code === "EMFILE" ? "too many open files, see `ulimit -n`" : error.message
      resolve({ _tag: "NotStarted", detail })
    })
    child.on("close", (code, signal) => {
      if (!isReady) resolve({ _tag: "Ended", code: code ?? 128 + os.constants.signals[signal ?? "SIGKILL"] })
    })
  })
  return { outcome, leave: () => child.unref(), end: () => end(child) }
}

const isOpen = (descriptor: number): boolean => {
  try {
    fs.fstatSync(descriptor)
    return true
  } catch {
    return false
  }
}

const end = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return resolve()
    child.on("exit", () => resolve())
    child.kill("SIGTERM")
  })

/**
 * Whether this process has inherited descriptors, which might keep somebody waiting for as long as the mount lasts. Without
 * `/proc` there is no telling.
 */
export const mayHaveInherited = (): boolean =>
  !fs.existsSync(DESCRIPTORS) || fs.readdirSync(DESCRIPTORS).some(isInherited)

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
