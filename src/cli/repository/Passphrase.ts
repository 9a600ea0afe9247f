/**
 * Where the passphrase of a key file comes from: the flags, `PBS_ENCRYPTION_PASSWORD` (see `Secret`), or the terminal.
 */
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { type FindPassphrase, KeyError } from "../../services/keys/KeyRing.ts"
import * as Secret from "../Secret.ts"
import type { Keys } from "./RepositoryFlags.ts"

const sourceOf = ({ keyPasswordCommand, keyPasswordFile }: Keys): Secret.Source => ({
  // It may be read when the process has gone to another folder.
  file: keyPasswordFile === undefined ? undefined : path.resolve(keyPasswordFile),
  command: keyPasswordCommand === undefined ? undefined : { flag: "--key-password-command", line: keyPasswordCommand },
  variable: "PBS_ENCRYPTION_PASSWORD",
  credential: "proxmox-backup-client.encryption-password",
})

/** Finds the passphrase of a key file; `undefined` if there is none and nobody to ask. */
export const find = (given: Keys): FindPassphrase => {
  const source = sourceOf(given)
  return (keyFile, hint) => {
    if (given.keyPassphrase !== undefined) return Effect.succeed(Redacted.make(given.keyPassphrase))
    if (!Secret.isGiven(source)) return ask(keyFile, hint)
    return Effect.mapError(
      Secret.find(source),
      ({ detail, place }) => new KeyError({ file: place, check: "Unreadable", detail: detail("passphrase") }),
    )
  }
}

/** Whether something else than the terminal tells passphrases. */
export const isGiven = (given: Keys): boolean => given.keyPassphrase !== undefined || Secret.isGiven(sourceOf(given))

/** Asks at the terminal; nobody is there where stdin or stderr is none. */
export const ask = (keyFile: string, hint: string | undefined): Effect.Effect<Secret.Secret | undefined> =>
  Secret.ask(`Passphrase of ${keyFile}${hint === undefined ? "" : ` (hint: ${hint})`}`)
