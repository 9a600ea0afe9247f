/**
 * The keys that a command has: those of `--key-file`, or that in the place where the reference client keeps its own.
 */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as KeyRing from "../../services/keys/KeyRing.ts"
import * as Passphrase from "./Passphrase.ts"
import type { Keys } from "./RepositoryFlags.ts"

/** Bytes of a key file. */
const MAX_SIZE = 1024 * 1024

/** Where the reference client looks for a key, the first place first. */
const defaultPlaces = (env: NodeJS.ProcessEnv): ReadonlyArray<string> =>
  [
    env["XDG_CONFIG_HOME"] || path.join(os.homedir(), ".config"),
    ...(env["XDG_CONFIG_DIRS"] || "/etc/xdg").split(":"),
  ].map((folder) => path.join(folder, "proxmox-backup", "encryption-key.json"))

const placesOf = ({ keyFile }: Keys): ReadonlyArray<string> =>
  keyFile.length > 0 ? keyFile : defaultPlaces(process.env).filter(exists).slice(0, 1)

/** The keys at hand. */
export const open = (given: Keys): Effect.Effect<KeyRing.KeyRing, KeyRing.KeyError> =>
  Effect.suspend(() => {
    if (given.keyRing !== undefined) return Effect.succeed(given.keyRing)
    return Effect.flatMap(files(given), (files) => KeyRing.make(files, Passphrase.find(given)))
  })

/** The key files that `open` would read. */
export const files = (given: Keys): Effect.Effect<ReadonlyArray<KeyRing.File>, KeyRing.KeyError> =>
  Effect.suspend(() => Effect.forEach(placesOf(given), read))

/**
 * Asks at the terminal for the passphrase of protected keys, for a process that has none. What is wrong with the files is
 * told by whoever opens them.
 */
export const askAhead = (given: Keys): Effect.Effect<string | undefined> =>
  Effect.suspend(() => {
    if (Passphrase.isGiven(given)) return Effect.undefined
    return Effect.match(
      Effect.flatMap(open(given), (ring) => askFor(ring)),
      {
        onFailure: () => undefined,
        onSuccess: (passphrase) => passphrase,
      },
    )
  })

const askFor = ({ entries }: KeyRing.KeyRing) => {
  const locked = entries.find(({ isProtected }) => isProtected)
  return locked === undefined
    ? Effect.undefined
    : Effect.map(Passphrase.ask(locked.path, locked.hint), (found) =>
        found === undefined ? undefined : Redacted.value(found),
      )
}

const exists = (file: string): boolean => fs.existsSync(file)

/** Reads a key file, or the private key that unwraps one. */
export const read = (file: string): Effect.Effect<KeyRing.File, KeyRing.KeyError> =>
  Effect.try({
    try: () => {
      const { size } = fs.statSync(file)
      if (size > MAX_SIZE) throw new Error("it is too large for a key file")
      return { path: file, text: fs.readFileSync(file, "utf8") }
    },
    catch: (error) =>
      new KeyRing.KeyError({
        file,
        check: "Unreadable",
        detail: `cannot be read: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`,
      }),
  })
