/**
 * Where a secret comes from: a flag that names a file or a command, a variable, or the same variable with `_FD`, `_FILE` or
 * `_CMD`, as of the reference client (server §2); then a credential of systemd, then the terminal, without echo. The first
 * that is given counts, even if it is wrong, and of it the first line.
 *
 * A secret is never printed, logged or handed to another program.
 */
import { execFile } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as ChildEnvironment from "../services/posix/ChildEnvironment.ts"

/** A secret. */
export type Secret = Redacted.Redacted<string>

/** Where to look for one. */
export interface Source {
  /** A file that a flag names. */
  readonly file?: string | undefined
  /** A command that a flag names, and the flag. */
  readonly command?: { readonly flag: string; readonly line: string } | undefined
  /** As `PBS_PASSWORD`. */
  readonly variable: string
  /** Name of a credential of systemd. */
  readonly credential?: string | undefined
}

/** A place that was named and that gives no secret; without what was read. A plain value: who asked says what it costs. */
export class Unreadable extends Data.TaggedClass("Unreadable")<{
  /** A file, a variable or a program. */
  readonly place: string
  /** What is wrong, of a secret of this kind: `passphrase`. */
  readonly detail: (kind: string) => string
}> {}

type Found = Effect.Effect<Secret | undefined, Unreadable>

const SUFFIXES = ["", "_FD", "_FILE", "_CMD"] as const

/** Whether something else than the terminal tells it. */
export const isGiven = ({ command, credential, file, variable }: Source): boolean =>
  file !== undefined ||
  command !== undefined ||
  SUFFIXES.some((suffix) => process.env[`${variable}${suffix}`] !== undefined) ||
  credentialFile(credential) !== undefined

/** Finds a secret; `undefined` if nothing but the terminal could tell it. */
export const find = ({ command, credential, file, variable }: Source): Found =>
  Effect.suspend((): Found => {
    const { env } = process
    if (file !== undefined) return fromFile(file)
    if (command !== undefined) return fromCommand(command.flag, command.line)
    const plain = env[variable]
    if (plain !== undefined) return Effect.succeed(firstLine(plain))
    const descriptor = env[`${variable}_FD`]
    if (descriptor !== undefined) return fromDescriptor(`${variable}_FD`, descriptor)
    const named = env[`${variable}_FILE`]
    if (named !== undefined) return fromFile(named)
    const line = env[`${variable}_CMD`]
    if (line !== undefined) return fromCommand(`${variable}_CMD`, line)
    const stored = credentialFile(credential)
    return stored === undefined ? Effect.undefined : read(stored, () => Redacted.make(fs.readFileSync(stored, "utf8")))
  })

const firstLine = (text: string): Secret => Redacted.make(text.split(/\r?\n/, 1)[0] as string)

/** The file of a credential that systemd has put there. */
const credentialFile = (name: string | undefined): string | undefined => {
  const folder = process.env["CREDENTIALS_DIRECTORY"]
  if (folder === undefined || name === undefined) return undefined
  const file = path.join(folder, name)
  return fs.existsSync(file) ? file : undefined
}

/** Why something could not be read, without what was read. */
const reason = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? "failed"

const read = (place: string, take: () => Secret): Found =>
  Effect.try({
    try: take,
    catch: (error) => new Unreadable({ place, detail: (kind) => `the ${kind} cannot be read: ${reason(error)}` }),
  })

const fromFile = (file: string): Found => read(file, () => firstLine(fs.readFileSync(file, "utf8")))

const fromDescriptor = (place: string, text: string): Found =>
  read(place, () => firstLine(fs.readFileSync(Number(text), "utf8")))

/** Words of a command as a shell splits them: at blanks, but not within quotes. */
const words = (command: string): ReadonlyArray<string> =>
  [...command.matchAll(/(?:"(?:\\.|[^"])*"|'[^']*'|\\.|[^\s"'\\])+/g)].map(([word]) =>
    word.replaceAll(/"((?:\\.|[^"])*)"|'([^']*)'|\\(.)/g, (_, double?: string, single?: string, escaped?: string) =>
      double !== undefined ? double.replaceAll(/\\(["\\$`])/g, "$1") : (single ?? escaped ?? ""),
    ),
  )

const fromCommand = (place: string, command: string): Found =>
  Effect.callback((resume) => {
    const [program, ...rest] = words(command)
    if (program === undefined) return resume(Effect.fail(new Unreadable({ place, detail: () => "is empty" })))
    const options = { timeout: 60_000, maxBuffer: 64 * 1024, env: ChildEnvironment.withoutSecrets() }
    const child = execFile(program, rest, options, (error, stdout) =>
      resume(
        error === null
          ? Effect.succeed(firstLine(stdout))
          : Effect.fail(
              new Unreadable({ place: program, detail: (kind) => `did not print a ${kind}: ${reason(error)}` }),
            ),
      ),
    )
    return Effect.sync(() => child.kill())
  })

/** Asks at the terminal; `undefined` where nobody is there, or nothing was typed. */
export const ask = (prompt: string): Effect.Effect<Secret | undefined> => {
  const { stderr, stdin } = process
  if (!stdin.isTTY || !stderr.isTTY) return Effect.undefined
  return Effect.callback((resume) => {
    let typed = ""
    const restore = (): void => {
      stdin.off("data", take)
      stdin.setRawMode(false)
      stdin.pause()
      stderr.write("\n")
    }
    const take = (data: Buffer): void => {
      for (const character of data.toString("utf8")) {
        if (character === "\r" || character === "\n" || character === "\u0004") {
          restore()
          return resume(Effect.succeed(typed === "" ? undefined : Redacted.make(typed)))
        }
        if (character === "\u0003") {
          restore()
          return resume(Effect.interrupt)
        }
        typed = character === "\u007f" || character === "\b" ? typed.slice(0, -1) : typed + character
      }
    }
    // Before anybody can see that it is time to type.
    stdin.setRawMode(true)
    stderr.write(`${prompt}: `)
    stdin.on("data", take)
    stdin.resume()
    return Effect.sync(restore)
  })
}
