/**
 * What is needed for a backup server besides its address: flags, the variables of the reference client and its files
 * (server §2), and the terminal for a password and a second factor.
 */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { RepositoryString } from "../../domain/datastore/RepositoryString.ts"
import type { Failure, ServerAccess } from "../../services/open/Location.ts"
import { ServerError, toRepository } from "../../services/server/ServerError.ts"
import type { Where } from "../repository/RepositoryFlags.ts"
import * as Secret from "../Secret.ts"

/** Finds it for a server. */
export const find = Effect.fnUntraced(function* (
  given: Where,
  { authId, host, port }: RepositoryString,
): Effect.fn.Return<ServerAccess, Failure> {
  const fail = ({ detail, place }: Secret.Unreadable) =>
    new ServerError({ server: place, reason: "Password", detail: detail("password") })
  const source: Secret.Source = {
    file: given.passwordFile,
    variable: "PBS_PASSWORD",
    credential: "proxmox-backup-client.password",
  }
  const kind = authId.includes("!") ? "Secret of the token" : "Password of"
  const secret = yield* Effect.cached(
    given.serverPassword !== undefined
      ? Effect.succeed(Redacted.make(given.serverPassword))
      : Secret.isGiven(source)
        ? Effect.mapError(Secret.find(source), fail)
        : Secret.ask(`${kind} ${authId} at ${host}`),
  )
  const pinned = yield* Effect.mapError(fingerprint(given), (found) => toRepository(fail(found)))
  return {
    fingerprint: pinned ?? remembered(host),
    secret,
    secondFactor: (kinds) =>
      Secret.ask(`Second factor of ${authId} at ${host}:${port} (${kinds.map(wordFor).join(", or ")})`),
    ticket:
      given.serverTicket === undefined
        ? undefined
        : { ticket: Redacted.make(given.serverTicket.ticket), csrf: Redacted.make(given.serverTicket.csrf) },
  }
})

const wordFor = (kind: string): string =>
  kind === "totp" ? "code of the app" : kind === "recovery" ? "a recovery key" : `${kind}: not possible here`

const fingerprint = (given: Where): Effect.Effect<string | undefined, Secret.Unreadable> =>
  given.fingerprint !== undefined
    ? Effect.succeed(given.fingerprint)
    : Effect.map(
        Secret.find({ variable: "PBS_FINGERPRINT", credential: "proxmox-backup-client.fingerprint" }),
        (found) => (found === undefined || Redacted.value(found) === "" ? undefined : Redacted.value(found)),
      )

/** What the reference client was told about this host: a line is `HOST FINGERPRINT`. */
const remembered = (host: string): string | undefined => {
  const config = process.env["XDG_CONFIG_HOME"] || path.join(os.homedir(), ".config")
  const file = path.join(config, "proxmox-backup", "fingerprints")
  if (!fs.existsSync(file)) return undefined
  const lines = fs.readFileSync(file, "utf8").split("\n")
  return lines.map((line) => line.trim().split(/\s+/)).find(([name]) => name === host)?.[1]
}
