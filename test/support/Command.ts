/**
 * The command `pxar-fuse`, as a process of its own.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { Effect, type Scope } from "effect"
import * as MountTable from "../../src/fuse/mount/MountTable.ts"
import * as Processes from "./Processes.ts"

/** The compiled command. */
export const MAIN = path.join(import.meta.dirname, "../../dist/cli/main.js")

export interface Options extends Processes.Options {
  /** A command that starts the program, instead of starting it directly. */
  readonly wrapper?: ReadonlyArray<string>
}

/** The words that start the command. */
export const commandLine = (
  args: ReadonlyArray<string>,
  wrapper: ReadonlyArray<string> = [],
): readonly [string, ...Array<string>] => {
  const [command, ...rest] = [...wrapper, process.execPath, MAIN, ...args] as const
  return [command!, ...rest]
}

const split = (...words: Parameters<typeof commandLine>): readonly [string, ReadonlyArray<string>] => {
  const [command, ...rest] = commandLine(...words)
  return [command, rest]
}

/** Starts `pxar-fuse mount --foreground`, as the user of the test, and waits until it serves. */
export const mount = Effect.fnUntraced(function* (
  archive: string,
  mountPoint: string,
  args: ReadonlyArray<string> = [],
  { wrapper, ...options }: Options = {},
): Effect.fn.Return<Processes.Process, never, Scope.Scope> {
  const program = yield* Processes.start(
    ...split(["mount", "--foreground", archive, mountPoint, ...args], wrapper),
    options,
  )
  const mounted = Effect.orDie(MountTable.find(path.resolve(options.cwd ?? ".", mountPoint)))
  yield* Processes.eventually(`${mountPoint} to be mounted`, mounted, (entry) => entry !== undefined)
  // That is before it serves; the first answer comes after.
  yield* Effect.promise(() => fs.promises.lstat(path.resolve(options.cwd ?? ".", mountPoint)))
  return program
})

/** Starts `pxar-fuse`; the scope kills it. */
export const start = (args: ReadonlyArray<string>, { wrapper, ...options }: Options = {}) =>
  Processes.start(...split(args, wrapper), options)

/** Runs `pxar-fuse` to its end; dies if it does not end. */
export const run = (args: ReadonlyArray<string>, { wrapper, ...options }: Options = {}) =>
  Processes.run(...split(args, wrapper), options)

/** Writes a file of a test's own. */
export const write = Effect.fnUntraced(function* (name: string, bytes: Uint8Array | string, mode = 0o644) {
  const file = path.join(yield* Processes.temporaryFolder, name)
  yield* Effect.promise(() => fs.promises.writeFile(file, bytes, { mode }))
  return file
})

/** A mount that goes on in the background after its command has ended. */
export interface Background extends Processes.Ended {
  /** The process that serves. */
  readonly server: number
  /** Waits until that has ended. */
  readonly serverEnded: Effect.Effect<void>
}

/** Runs `pxar-fuse mount`, which must succeed; the scope ends what it leaves in the background. */
export const mountInBackground = Effect.fnUntraced(function* (
  archive: string,
  mountPoint: string,
  args: ReadonlyArray<string> = [],
  options: Options = {},
): Effect.fn.Return<Background, never, Scope.Scope> {
  const pidFile = path.join(yield* Processes.temporaryFolder, "server.pid")
  if (options.uid !== undefined) fs.chownSync(path.dirname(pidFile), options.uid, options.gid ?? options.uid)
  const ended = yield* run(["mount", archive, mountPoint, "--pid-file", pidFile, ...args], options)
  if (ended.code !== 0) return yield* Effect.die(new Error(`mount ended with ${ended.code}: ${ended.stderr}`))
  const server = Number(fs.readFileSync(pidFile, "utf8"))
  const serverEnded = Effect.asVoid(
    Processes.eventually(`process ${server} to end`, Processes.isAlive(server), (alive) => !alive),
  )
  yield* Effect.addFinalizer(() => Effect.andThen(Processes.signal(server, "SIGTERM"), serverEnded))
  return { ...ended, server, serverEnded }
})
