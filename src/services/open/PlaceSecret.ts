/**
 * A secret of a place: never in the file of places itself, but in a file of its own, printed by a command, or in a variable.
 * Of all of them the first line counts.
 */
import { execFile } from "node:child_process"
import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as ChildEnvironment from "../posix/ChildEnvironment.ts"

/** Where a secret is. */
export const PlaceSecret = Schema.Union([
  Schema.Struct({ file: Schema.String }),
  /** Run by a shell. */
  Schema.Struct({ command: Schema.String }),
  Schema.Struct({ env: Schema.String }),
])

export type PlaceSecret = typeof PlaceSecret.Type

/** Milliseconds that a command has. */
const PATIENCE = 60_000

const firstLine = (text: string): Redacted.Redacted<string> => Redacted.make(text.split(/\r?\n/, 1)[0] as string)

/** Reads a secret. The failure says what is wrong, without anything that was read. */
export const read = (
  secret: PlaceSecret,
  env: Readonly<Record<string, string | undefined>>,
): Effect.Effect<Redacted.Redacted<string>, string> => {
  if ("env" in secret) {
    const value = env[secret.env]
    ChildEnvironment.withhold(secret.env)
    return value === undefined || value === ""
      ? Effect.fail(`the variable ${secret.env} is not set`)
      : Effect.succeed(firstLine(value))
  }
  if ("file" in secret) {
    return Effect.try({
      try: () => firstLine(fs.readFileSync(secret.file, "utf8")),
      catch: (error) => `${secret.file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? "failed"}`,
    })
  }
  return Effect.callback((resume) => {
    const options = { timeout: PATIENCE, maxBuffer: 64 * 1024, env: ChildEnvironment.withoutSecrets() }
    const child = execFile("/bin/sh", ["-c", secret.command], options, (error, stdout) =>
      resume(error === null ? Effect.succeed(firstLine(stdout)) : Effect.fail("the command of the secret has failed")),
    )
    return Effect.sync(() => child.kill())
  })
}
