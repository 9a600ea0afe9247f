/**
 * A file with the id of this process, for as long as the scope lives.
 *
 * It replaces what is there, and removes only what it wrote. It is not a lock. Who else may write to its folder can neither
 * have another file overwritten nor another removed (see `HeldFolder`).
 */
import { randomBytes } from "node:crypto"
import * as fs from "node:fs/promises"
import * as path from "node:path"
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

const content = (): string => `${process.pid}\n`

/** In one step: whoever waits for the file finds all of it. */
const write = (file: string): Effect.Effect<Identity, PidFileError> =>
  Effect.scoped(
    Effect.flatMap(HeldFolder.of(file), (held) =>
      Effect.tryPromise({
        try: async () => {
          const temporary = `${held}.${randomBytes(8).toString("hex")}`
          const created = await fs.open(DiskPath.forNode(temporary), "wx", 0o644)
          try {
            await created.writeFile(content())
            const { dev, ino } = await created.stat()
            await fs.rename(DiskPath.forNode(temporary), DiskPath.forNode(held))
            return { device: dev, inode: ino }
          } catch (error) {
            await fs.unlink(DiskPath.forNode(temporary)).catch(() => {})
            throw error
          } finally {
            await created.close()
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
          const { dev, ino } = await fs.lstat(DiskPath.forNode(held))
          if (dev !== device || ino !== inode) return
          // Another process may have written its own id into this very file.
          if ((await fs.readFile(DiskPath.forNode(held), "utf8")) === content()) await fs.unlink(DiskPath.forNode(held))
        },
        catch: ErrorMessage.of,
      }),
    ),
  ).pipe(Effect.ignore({ log: "Warn", message: `${PathText.safe(file)} is left behind` }))
