/**
 * Who may come in to the double of a backup server (see `BackupServer`): tokens with their secrets, users with passwords
 * and second factors, tickets that expire, and who may read which datastore. By docs/server.md §4, nothing real.
 */
import * as crypto from "node:crypto"
import { Refusal } from "./BackupServerStore.ts"

export interface User {
  readonly password: string
  /** Codes of a second factor, each good once; none if there is no second factor. */
  readonly totp?: Array<string>
}

export interface Access {
  /** By `USER@REALM!TOKEN`. */
  readonly tokens: Readonly<Record<string, string>>
  /** By `USER@REALM`. */
  readonly users: Readonly<Record<string, User>>
  /** Who has a role on the datastore. */
  readonly acl: ReadonlySet<string>
  /** Seconds for which a ticket is good. */
  readonly ticketLifetime: number
}

const KEY = "the key of the double"
const sign = (text: string): string => crypto.createHmac("sha256", KEY).update(text).digest("base64").replace(/=+$/, "")

const hexTime = (): string =>
  Math.floor(Date.now() / 1000)
    .toString(16)
    .toUpperCase()
    .padStart(8, "0")

const ticketOf = (subject: string, stamp = hexTime()): string =>
  `PBS:${subject}:${stamp}::${sign(`${subject}:${stamp}`)}`

/** The user whose a ticket is, if it is good. */
const ownerOf = (ticket: string, lifetime: number): string | undefined => {
  const match = /^PBS:(.+):([0-9A-F]{8})::(.+)$/.exec(ticket)
  if (match === null) return undefined
  const [, subject, stamp, signature] = match as unknown as [string, string, string, string]
  if (signature !== sign(`${subject}:${stamp}`)) return undefined
  return Date.now() / 1000 - Number.parseInt(stamp, 16) > lifetime ? undefined : subject
}

/** Who sends a request, by its headers; `undefined` if that is nobody. */
export const whoIs = (access: Access, headers: NodeJS.Dict<string | Array<string>>): string | undefined => {
  const token = /^PBSAPIToken[ =](.+!.+?):(.+)$/.exec(String(headers["authorization"] ?? ""))
  if (token !== null) {
    const [, id, secret] = token as unknown as [string, string, string]
    return access.tokens[id] !== undefined && access.tokens[id] === decodeURIComponent(secret) ? id : undefined
  }
  const cookies = String(headers["cookie"] ?? "")
  const cookie =
    /(?:^|;\s*)__Host-PBSAuthCookie=([^;]+)/.exec(cookies) ?? /(?:^|;\s*)PBSAuthCookie=([^;]+)/.exec(cookies)
  if (cookie === null) return undefined
  const owner = ownerOf(decodeURIComponent(cookie[1] as string), access.ticketLifetime)
  return owner?.startsWith("!tfa!") === true ? undefined : owner
}

/** `POST access/ticket`. Throws a `Refusal`. */
export const login = (access: Access, body: Readonly<Record<string, unknown>>): object => {
  for (const key of Object.keys(body)) {
    if (!["username", "password", "tfa-challenge", "http-only"].includes(key)) {
      throw new Refusal(400, `parameter verification failed - '${key}': schema does not allow additional properties`)
    }
  }
  const { password, username } = body as { readonly username?: string; readonly password?: string }
  if (typeof username !== "string" || !/^[^\s:/]+@[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(username)) {
    throw new Refusal(400, "parameter verification failed - 'username': value does not match the regex pattern")
  }
  if (typeof password !== "string") throw new Refusal(400, "no password provided")
  const user = access.users[username]
  const wrong = new Refusal(401, "permission check failed.")
  if (user === undefined) throw wrong
  const full = () => ({
    CSRFPreventionToken: `${hexTime()}:${sign(username)}`,
    ticket: ticketOf(username),
    username,
  })
  const challenge = body["tfa-challenge"]
  if (typeof challenge === "string") {
    const subject = ownerOf(challenge, 600)
    const at = password.startsWith("totp:") ? (user.totp ?? []).indexOf(password.slice(5)) : -1
    if (subject?.startsWith("!tfa!") !== true || at < 0) throw wrong
    user.totp!.splice(at, 1)
    return full()
  }
  if (ownerOf(password, access.ticketLifetime) === username) return full()
  if (password !== user.password) throw wrong
  if (user.totp === undefined) return full()
  const partial = `!tfa!${JSON.stringify({ totp: true, recovery: [0, 1] }).replaceAll(":", "%3A")}`
  return { CSRFPreventionToken: "invalid", ticket: ticketOf(partial), username }
}
