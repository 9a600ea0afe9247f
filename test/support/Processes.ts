/**
 * Other processes, and folders that they use, as scoped resources: when the scope closes the process has ended and the
 * folder is gone, with whatever is mounted in it.
 *
 * Nothing here waits synchronously, and nothing waits for ever.
 */
import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { Duration, Effect, type Scope } from "effect"
import * as MountTable from "../../src/fuse/mount/MountTable.ts"

/** How long anything here waits before it is an error. */
export const LIMIT: Duration.Duration = Duration.seconds(20)

export interface Options {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** Run as another user, without supplementary groups. */
  readonly uid?: number
  readonly gid?: number
  /** A descriptor to pass on as 3. */
  readonly descriptor?: number
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: Buffer
  readonly stderr: string
}

export interface Process {
  readonly pid: number
  readonly kill: (signal: NodeJS.Signals) => Effect.Effect<void>
  /** Waits for the process to end; dies after `LIMIT`. */
  readonly ended: Effect.Effect<Ended>
  readonly stdout: () => Buffer
  readonly stderr: () => string
  /** Closes the reading end of its stderr, as a pager does that is left. */
  readonly closeStderr: Effect.Effect<void>
}

/** Starts a program; the scope kills it. */
export const start = (
  command: string,
  args: ReadonlyArray<string>,
  { descriptor, ...options }: Options = {},
): Effect.Effect<Process, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<ChildProcess>((resume) => {
        const child = spawn(command, args, {
          ...options,
          stdio: ["ignore", "pipe", "pipe", ...(descriptor === undefined ? [] : [descriptor])],
        })
        child.on("error", (error) => resume(Effect.die(error)))
        child.on("spawn", () => resume(Effect.succeed(child)))
      }),
      kill,
    ),
    (child) => {
      const output: Array<Buffer> = []
      let stderr = ""
      child.stdout!.on("data", (bytes: Buffer) => output.push(bytes))
      child.stderr!.setEncoding("utf8").on("data", (text: string) => (stderr += text))
      const closed = new Promise<void>((resolve) => void child.on("close", () => resolve()))
      const what = [command, ...args].join(" ")
      return {
        pid: child.pid!,
        kill: (signal) => Effect.sync(() => void child.kill(signal)),
        ended: Effect.promise(() => closed).pipe(
          Effect.map(() => ({
            code: child.exitCode,
            signal: child.signalCode,
            stdout: Buffer.concat(output),
            stderr,
          })),
          within(() => `the end of: ${what} (stderr so far: ${stderr})`),
        ),
        stdout: () => Buffer.concat(output),
        stderr: () => stderr,
        closeStderr: Effect.sync(() => void child.stderr!.destroy()),
      }
    },
  )

/** Runs a program to its end. */
export const run = (command: string, args: ReadonlyArray<string>, options: Options = {}): Effect.Effect<Ended> =>
  Effect.scoped(Effect.flatMap(start(command, args, options), (child) => child.ended))

/**
 * Ends a child at once and waits until it is gone. One that the kernel does not let go, because it waits for a mount, is
 * given up after some seconds: it ends with the mount.
 */
export const kill = (child: ChildProcess): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
    child.on("exit", () => resume(Effect.void)).kill("SIGKILL")
  }).pipe(Effect.timeoutOption("5 seconds"), Effect.asVoid)

/** Whether a process, perhaps not a child of this one, is there and has not ended. */
export const isAlive = (pid: number): Effect.Effect<boolean> =>
  Effect.sync(() => {
    try {
      return !/^State:\s+[ZX]/m.test(fs.readFileSync(`/proc/${pid}/status`, "latin1"))
    } catch {
      return false
    }
  })

/** Signals a process that a test has started by way of another; it may have ended. */
export const signal = (pid: number, name: NodeJS.Signals): Effect.Effect<void> =>
  Effect.ignore(Effect.try({ try: () => process.kill(pid, name), catch: String }))

/** Dies when an effect takes longer than `LIMIT`. */
export const within =
  (what: () => string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.timeoutOrElse(effect, {
      duration: LIMIT,
      orElse: () => Effect.die(new Error(`waited in vain for ${what()}`)),
    })

/** Asks again and again until the answer is right, and gives that. Dies with the last wrong one after `LIMIT`. */
export const eventually = <A, E, R>(
  what: string,
  ask: Effect.Effect<A, E, R>,
  isRight: (answer: A) => boolean,
): Effect.Effect<A, E, R> => {
  let last: A | undefined
  const turn: Effect.Effect<A, E, R> = Effect.flatMap(ask, (answer) => {
    last = answer
    return isRight(answer) ? Effect.succeed(answer) : Effect.andThen(Effect.sleep("10 millis"), turn)
  })
  return turn.pipe(within(() => `${what}; the last answer was ${String(last)}`))
}

/** What is mounted at or below a folder. Looks at proc only. */
export const mountsBelow = (folder: string): Effect.Effect<ReadonlyArray<string>> =>
  Effect.map(
    Effect.promise(() => fs.promises.readFile("/proc/self/mountinfo")),
    (text) =>
      MountTable.parse(text)
        .map((entry) => entry.mountPoint.toString())
        .filter((mountPoint) => mountPoint === folder || mountPoint.startsWith(`${folder}/`)),
  )

/** A new folder that everybody may enter, without symbolic links in its path. */
export const temporaryFolder: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.promise(async () => {
    const folder = await fs.promises.mkdtemp(path.join(await fs.promises.realpath(os.tmpdir()), "pxar-fuse-"))
    await fs.promises.chmod(folder, 0o755)
    return folder
  }),
  Effect.fnUntraced(function* (folder) {
    for (const mountPoint of (yield* mountsBelow(folder)).toReversed()) yield* unmountLazily(mountPoint)
    const left = yield* mountsBelow(folder)
    // Never delete through a mount.
    if (left.length > 0) return yield* Effect.die(new Error(`still mounted: ${left.join(", ")}`))
    yield* Effect.promise(() => fs.promises.rm(folder, { recursive: true, force: true }))
  }),
)

/** An empty folder to mount on; `owner` as user and group. */
export const mountPoint = Effect.fnUntraced(function* (
  name = "mnt",
  owner?: number,
): Effect.fn.Return<string, never, Scope.Scope> {
  const folder = path.join(yield* temporaryFolder, name)
  yield* Effect.promise(async () => {
    await fs.promises.mkdir(folder)
    if (owner !== undefined) await fs.promises.chown(folder, owner, owner)
  })
  return folder
})

const unmountLazily = (mountPoint: string): Effect.Effect<Ended> =>
  process.geteuid?.() === 0 ? run("umount", ["-l", mountPoint]) : run("fusermount3", ["-u", "-z", mountPoint])
