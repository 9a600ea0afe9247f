/**
 * A file with the id of this process, for as long as the scope lives.
 *
 * It replaces what is there, and removes only what it wrote. It is not a lock.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import * as ErrorMessage from "../ErrorMessage.ts"
import * as ExitCode from "../ExitCode.ts"

export class PidFileError extends Data.TaggedError("PidFileError")<{ readonly detail: string }> {
  override readonly [Runtime.errorExitCode] = ExitCode.TARGET
  override get message(): string {
    return `cannot write the process id: ${this.detail}`
  }
}

const content = `${process.pid}\n`

export const make = (file: string): Effect.Effect<void, PidFileError, Scope.Scope> =>
  Effect.suspend(() => {
    const absolute = path.resolve(file)
    return Effect.asVoid(Effect.acquireRelease(write(absolute), () => remove(absolute)))
  })

/** In one step: whoever waits for the file finds all of it. */
const write = (file: string): Effect.Effect<void, PidFileError> =>
  Effect.try({
    try: () => {
      const temporary = `${file}.${process.pid}`
      fs.writeFileSync(temporary, content)
      fs.renameSync(temporary, file)
    },
    catch: (error) => new PidFileError({ detail: ErrorMessage.of(error) }),
  })

const remove = (file: string): Effect.Effect<void> =>
  Effect.ignore(
    Effect.try({
      try: () => {
        if (fs.readFileSync(file, "utf8") === content) fs.rmSync(file)
      },
      catch: String,
    }),
    { log: "Warn", message: `${file} is left behind` },
  )
