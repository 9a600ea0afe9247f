/**
 * Who may ask: whoever has the secret of the process, its token or a password.
 *
 * A page trades the secret for a session, whose id is in a cookie that scripts cannot read; programs show the secret with
 * each request (Bearer or Basic). Secrets are compared in constant time. After many wrong ones nobody is heard for a while,
 * so that guessing a password takes years.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto"
import * as Redacted from "effect/Redacted"

/** Whether a request may go on. */
export type Verdict = "granted" | "denied" | "busy"

export interface Access {
  /** The name of the cookie: it has the port, because cookies are shared by all ports of a host. */
  readonly cookie: string
  /** A session for whoever knows the secret. */
  readonly login: (secret: string) => { readonly verdict: Verdict; readonly session: string | undefined }
  /** Ends a session. */
  readonly logout: (session: string) => void
  readonly hasSession: (session: string | undefined) => boolean
  /** Judges an `Authorization` header. */
  readonly authorize: (header: string | undefined) => Verdict
}

/** Sessions that are kept; the oldest goes. */
const MAX_SESSIONS = 256

/** Wrong secrets in a window of time after which all are refused until it ends. */
const MAX_WRONG = 20
const WINDOW = 60_000

/** A secret that nobody can guess. */
export const makeToken = (): string => randomBytes(32).toString("base64url")

const digest = (text: string): Buffer => createHash("sha256").update(text).digest()

/** `now` in milliseconds. */
export const make = (secret: Redacted.Redacted<string>, port: number, isSecure: boolean, now: () => number): Access => {
  const expected = digest(Redacted.value(secret))
  const sessions = new Set<string>()
  let windowEnds = 0
  let wrong = 0

  const judge = (given: string): Verdict => {
    if (now() > windowEnds) {
      windowEnds = now() + WINDOW
      wrong = 0
    }
    if (wrong >= MAX_WRONG) return "busy"
    if (timingSafeEqual(digest(given), expected)) return "granted"
    wrong++
    return "denied"
  }

  return {
    // A browser takes such a name only with Secure, from this very host, for all of it.
    cookie: isSecure ? `__Host-pxar-fuse-${port}` : `pxar-fuse-${port}`,
    login: (given) => {
      const verdict = judge(given)
      if (verdict !== "granted") return { verdict, session: undefined }
      const session = makeToken()
      sessions.add(session)
      const [oldest] = sessions
      if (sessions.size > MAX_SESSIONS && oldest !== undefined) sessions.delete(oldest)
      return { verdict, session }
    },
    logout: (session) => void sessions.delete(session),
    hasSession: (session) => session !== undefined && sessions.has(session),
    authorize: (header) => {
      const given = header === undefined ? undefined : secretOf(header)
      return given === undefined ? "denied" : judge(given)
    },
  }
}

/** The token of Bearer, or the password of Basic, whatever the user is called. */
const secretOf = (header: string): string | undefined => {
  const [, scheme = "", value = ""] = /^([A-Za-z]+) +(\S+)$/.exec(header) ?? []
  if (/^bearer$/i.test(scheme)) return value
  if (!/^basic$/i.test(scheme)) return undefined
  const pair = Buffer.from(value, "base64").toString("utf8")
  const colon = pair.indexOf(":")
  return colon < 0 ? undefined : pair.slice(colon + 1)
}
