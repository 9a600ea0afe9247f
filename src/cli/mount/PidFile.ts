/**
 * A file with the id of this process, for as long as the scope lives.
 *
 * It replaces what is there, and removes only what it wrote. It is not a lock. Who else may write to its folder can neither
 * have another file overwritten nor another removed (see `HeldFolder`).
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { promisify } from "node:util"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import * as PathText from "../../domain/PathText.ts"
import * as DiskPath from "../../services/posix/DiskPath.ts"
import * as ErrorMessage from "../ErrorMessage.ts"
import * as ExitCode from "../ExitCode.ts"
import * as HeldFolder from "./HeldFolder.ts"

export class PidFileError extends Data.TaggedError("PidFileError")<{ readonly detail: string }> {
  static readonly ids = { Any: "PXF-MOUNT-PID-FILE" }
  /** See docs/errors.md. */
  get id(): string {
    return PidFileError.ids.Any
  }
  override readonly [Runtime.errorExitCode] = ExitCode.TARGET
  override get message(): string {
    return `cannot write the process id: ${this.detail}`
  }
}

/** What tells one file from all others. */
interface Identity {
  readonly device: number
  readonly inode: number
}

export const make = (file: string): Effect.Effect<void, PidFileError, Scope.Scope> =>
  Effect.suspend(() => {
    const absolute = DiskPath.resolve(file)
    return Effect.asVoid(Effect.acquireRelease(write(absolute), (identity) => remove(absolute, identity)))
  })

// Of `fs.promises` and `node:crypto` nothing else is used by a mount, and loading them takes 5 ms of CPU.
const open = promisify(fs.open)
const close = promisify(fs.close)
const fstat = promisify(fs.fstat)
const lstat = promisify(fs.lstat)
const readFile = promisify(fs.readFile)
const rename = promisify(fs.rename)
const unlink = promisify(fs.unlink)
const writeFile = promisify(fs.writeFile)

/** A name that nobody else has; whoever guesses it can only have the file refused, as it is created and not opened. */
const besides = (file: string): string => `${file}.${Math.random().toString(36).slice(2)}`

const content = (): string => `${process.pid}\n`

/** In one step: whoever waits for the file finds all of it. */
const write = (file: string): Effect.Effect<Identity, PidFileError> =>
  Effect.scoped(
    Effect.flatMap(HeldFolder.of(file), (held) =>
      Effect.tryPromise({
        try: async () => {
          const temporary = besides(held)
          const created = await open(DiskPath.forNode(temporary), "wx", 0o644)
          try {
            await writeFile(created, content())
            const { dev, ino } = await fstat(created)
            await rename(DiskPath.forNode(temporary), DiskPath.forNode(held))
            return { device: dev, inode: ino }
          } catch (error) {
            await unlink(DiskPath.forNode(temporary)).catch(() => {})
            throw error
          } finally {
            await close(created)
          }
        },
        catch: (error) => ErrorMessage.of(error).replaceAll(/\/proc\/self\/fd\/\d+/g, path.dirname(file)),
      }),
    ),
  ).pipe(Effect.mapError((detail) => new PidFileError({ detail })))

const remove = (file: string, { device, inode }: Identity): Effect.Effect<void> =>
  Effect.scoped(
    Effect.flatMap(HeldFolder.of(file), (held) =>
      Effect.tryPromise({
        try: async () => {
          const { dev, ino } = await lstat(DiskPath.forNode(held))
          if (dev !== device || ino !== inode) return
          // Another process may have written its own id into this very file.
          if ((await readFile(DiskPath.forNode(held), "utf8")) === content()) await unlink(DiskPath.forNode(held))
        },
        catch: ErrorMessage.of,
      }),
    ),
  ).pipe(Effect.ignore({ log: "Warn", message: `${PathText.safe(file)} is left behind` }))
