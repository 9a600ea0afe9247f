/**
 * Where the passphrase of a key file comes from: the flags, the variables of the reference client
 * (`PBS_ENCRYPTION_PASSWORD`, then with `_FD`, `_FILE`, `_CMD`), or the terminal, without echo. The first that is given
 * counts, and of it the first line.
 *
 * It is never printed, logged or handed to another program.
 */
import { execFile } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { type FindPassphrase, KeyError } from "../../services/repository/KeyRing.ts"
import type { Keys } from "./RepositoryFlags.ts"

const VARIABLE = "PBS_ENCRYPTION_PASSWORD"

type Found = Effect.Effect<Redacted.Redacted<string> | undefined, KeyError>

const firstLine = (text: string): Redacted.Redacted<string> => Redacted.make(text.split(/\r?\n/, 1)[0] as string)

/** Finds the passphrase of a key file; `undefined` if there is none and nobody to ask. */
export const find = (given: Keys): FindPassphrase => {
  // It may be read when the process has gone to another folder.
  const passwordFile = given.keyPasswordFile === undefined ? undefined : path.resolve(given.keyPasswordFile)
  return (keyFile, hint): Found => {
    const { env } = process
    if (given.keyPassphrase !== undefined) return Effect.succeed(Redacted.make(given.keyPassphrase))
    if (passwordFile !== undefined) return fromFile(passwordFile)
    if (given.keyPasswordCommand !== undefined) return fromCommand(given.keyPasswordCommand)
    const plain = env[VARIABLE]
    if (plain !== undefined) return Effect.succeed(firstLine(plain))
    const descriptor = env[`${VARIABLE}_FD`]
    if (descriptor !== undefined) return fromDescriptor(descriptor)
    const file = env[`${VARIABLE}_FILE`]
    if (file !== undefined) return fromFile(file)
    const command = env[`${VARIABLE}_CMD`]
    return command === undefined ? ask(keyFile, hint) : fromCommand(command)
  }
}

/** Whether something else than the terminal tells passphrases. */
export const isGiven = (given: Keys): boolean =>
  [given.keyPassphrase, given.keyPasswordFile, given.keyPasswordCommand].some((way) => way !== undefined) ||
  ["", "_FD", "_FILE", "_CMD"].some((suffix) => process.env[`${VARIABLE}${suffix}`] !== undefined)

const unreadable = (file: string, detail: string): KeyError => new KeyError({ file, check: "Unreadable", detail })

/** Why something could not be read, without what was read. */
const reason = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? "failed"

const fromFile = (file: string): Found =>
  Effect.try({
    try: () => firstLine(fs.readFileSync(file, "utf8")),
    catch: (error) => unreadable(file, `the passphrase cannot be read: ${reason(error)}`),
  })

const fromDescriptor = (text: string): Found =>
  Effect.try({
    try: () => firstLine(fs.readFileSync(Number(text), "utf8")),
    catch: (error) => unreadable(`${VARIABLE}_FD`, `the passphrase cannot be read: ${reason(error)}`),
  })

/** Words of a command as a shell splits them: at blanks, but not within quotes. */
const words = (command: string): ReadonlyArray<string> =>
  [...command.matchAll(/(?:"(?:\\.|[^"])*"|'[^']*'|\\.|[^\s"'\\])+/g)].map(([word]) =>
    word.replaceAll(/"((?:\\.|[^"])*)"|'([^']*)'|\\(.)/g, (_, double?: string, single?: string, escaped?: string) =>
      double !== undefined ? double.replaceAll(/\\(["\\$`])/g, "$1") : (single ?? escaped ?? ""),
    ),
  )

const fromCommand = (command: string): Found =>
  Effect.callback((resume) => {
    const [program, ...rest] = words(command)
    if (program === undefined) return resume(Effect.fail(unreadable("--key-password-command", "is empty")))
    const options = { timeout: 60_000, maxBuffer: 64 * 1024 }
    const child = execFile(program, rest, options, (error, stdout) =>
      resume(
        error === null
          ? Effect.succeed(firstLine(stdout))
          : Effect.fail(unreadable(program, `did not print a passphrase: ${reason(error)}`)),
      ),
    )
    return Effect.sync(() => child.kill())
  })

/** Asks at the terminal; nobody is there where stdin or stderr is none. */
export const ask = (keyFile: string, hint: string | undefined): Found => {
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
    stderr.write(`Passphrase of ${keyFile}${hint === undefined ? "" : ` (hint: ${hint})`}: `)
    stdin.on("data", take)
    stdin.resume()
    return Effect.sync(restore)
  })
}
