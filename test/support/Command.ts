/**
 * The command `pxar-fuse mount`, as a process of its own.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { Effect, type Scope } from "effect"
import * as MountTable from "../../src/fuse/MountTable.ts"
import * as Processes from "./Processes.ts"

const MAIN = path.join(import.meta.dirname, "../../dist/cli/main.js")

export interface Options extends Processes.Options {
  /** A command that starts the program, instead of starting it directly. */
  readonly wrapper?: ReadonlyArray<string>
}

const commandLine = (args: ReadonlyArray<string>, wrapper: ReadonlyArray<string> = []) => {
  const [command, ...rest] = [...wrapper, process.execPath, MAIN, ...args] as const
  return [command!, rest] as const
}

/** Starts `pxar-fuse mount`, as the user of the test, and waits until it serves. */
export const mount = Effect.fnUntraced(function* (
  archive: string,
  mountPoint: string,
  args: ReadonlyArray<string> = [],
  { wrapper, ...options }: Options = {},
): Effect.fn.Return<Processes.Process, never, Scope.Scope> {
  const program = yield* Processes.start(...commandLine(["mount", archive, mountPoint, ...args], wrapper), options)
  const mounted = Effect.orDie(MountTable.find(path.resolve(options.cwd ?? ".", mountPoint)))
  yield* Processes.eventually(`${mountPoint} to be mounted`, mounted, (entry) => entry !== undefined)
  // That is before it serves; the first answer comes after.
  yield* Effect.promise(() => fs.promises.lstat(path.resolve(options.cwd ?? ".", mountPoint)))
  return program
})

/** Starts `pxar-fuse`; the scope kills it. */
export const start = (args: ReadonlyArray<string>, { wrapper, ...options }: Options = {}) =>
  Processes.start(...commandLine(args, wrapper), options)

/** Runs `pxar-fuse` to its end; dies if it does not end. */
export const run = (args: ReadonlyArray<string>, { wrapper, ...options }: Options = {}) =>
  Processes.run(...commandLine(args, wrapper), options)

/** Writes a file of a test's own. */
export const write = Effect.fnUntraced(function* (name: string, bytes: Uint8Array | string, mode = 0o644) {
  const file = path.join(yield* Processes.temporaryFolder, name)
  yield* Effect.promise(() => fs.promises.writeFile(file, bytes, { mode }))
  return file
})
