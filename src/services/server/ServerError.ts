/**
 * What keeps a backup server from being read (server §4.4, §6.1, §6.3). None of it says anything about the bytes of a
 * backup.
 *
 * Texts of the server are shown, each as one line; secrets are in none of them.
 */
import * as Schema from "effect/Schema"
import type { ErrorId } from "../../domain/ErrorId.ts"
import * as PathText from "../../domain/PathText.ts"
import * as Bytes from "../../domain/Bytes.ts"
import { RepositoryError } from "../repository/RepositoryError.ts"

/** A backup server cannot be read, or not that of it which was asked for. */
export class ServerError extends Schema.TaggedError<ServerError>()("ServerError", {
  /** The server, or what was asked of it. */
  server: Schema.String,
  reason: Schema.Literals([
    /** No connection can be made. */
    "Unreachable",
    /** A certificate that nothing says is the right one. */
    "Certificate",
    /** Another certificate than the one that is pinned. */
    "Fingerprint",
    /** No password, or no secret of a token. */
    "Password",
    /** The server does not accept user, token, password or ticket. */
    "Login",
    /** A second factor is wanted, and nobody is there to give it. */
    "SecondFactor",
    "Permission",
    "NotFound",
    /** The datastore is in maintenance. */
    "Unavailable",
    /** The connection has ended, or nothing comes any more. */
    "Lost",
    /** Any other refusal. */
    "Refused",
    /** An answer that cannot be understood, or is too large. */
    "Answer",
  ]),
  /** What is wrong, and what can be done. */
  detail: Schema.String,
  /** Milliseconds that the server asks to be left alone for. */
  retryAfter: Schema.optionalKey(Schema.Finite),
}) {
  static readonly ids = {
    Unreachable: "PXF-SERVER-UNREACHABLE",
    Certificate: "PXF-SERVER-CERTIFICATE",
    Fingerprint: "PXF-SERVER-FINGERPRINT",
    Password: "PXF-SERVER-PASSWORD",
    Login: "PXF-SERVER-LOGIN",
    SecondFactor: "PXF-SERVER-SECOND-FACTOR",
    Permission: "PXF-SERVER-PERMISSION",
    NotFound: "PXF-SERVER-NOT-FOUND",
    Unavailable: "PXF-SERVER-UNAVAILABLE",
    Lost: "PXF-SERVER-LOST",
    Refused: "PXF-SERVER-REFUSED",
    Answer: "PXF-SERVER-ANSWER",
  } as const satisfies Record<string, ErrorId>
  /** See docs/errors.md. */
  get id(): ErrorId {
    return ServerError.ids[this.reason]
  }
  override get message(): string {
    return `${this.server}: ${this.detail}`
  }
  /** Whether trying again may help. */
  get isTransient(): boolean {
    return this.reason === "Lost" || this.reason === "Unreachable"
  }
}

/** Text of a server, on one line and not longer than a screen's. */
export const shown = (text: string): string => {
  const line = text.trim().replaceAll(/\s*\n\s*/g, "; ")
  return PathText.print(Bytes.fromText(line.length > 400 ? `${line.slice(0, 400)} …` : line))
}

/** The same as the error of a repository. */
export const toRepository = (error: ServerError): RepositoryError =>
  new RepositoryError({
    path: error.server,
    check: error.reason === "NotFound" ? "ArchiveNotFound" : "IO",
    detail: error.detail,
    ...(error.reason === "NotFound" ? {} : { below: error.id }),
  })

/** What an answer other than 200 says: of REST, of an upgrade, or in a tunnel. */
export const fromAnswer = (server: string, status: number, text: string, retryAfter?: number): ServerError => {
  const fail = (reason: ServerError["reason"], detail: string) =>
    new ServerError({ server, reason, detail, ...(retryAfter === undefined ? {} : { retryAfter }) })
  const said = shown(text)
  if (status === 401) {
    return fail(
      "Login",
      "the server does not accept the user or token, or what proves it: wrong password or secret, another realm, disabled or expired",
    )
  }
  if (status === 403 || /^no permissions on |^backup owner check failed/.test(text)) {
    const hint = "a token needs rights of its own beside its user's; the datastore may also not be there"
    return fail("Permission", `the server gives no right to this (${said}): ${hint}`)
  }
  if (/ is unavailable: /.test(text)) return fail("Unavailable", `the server says: ${said}`)
  if (text.startsWith("no such datastore ")) return fail("NotFound", `the server says: ${said}`)
  if (/^snapshot .* does not exist\.|^ENOENT\b|^File open failed: No such file/.test(text)) {
    return fail("NotFound", "there is no such backup or namespace, or it has just been pruned")
  }
  if (status === 429 || status === 502 || status === 503 || status === 504) {
    return fail("Lost", `the server answers ${status}${said === "" ? "" : `: ${said}`}`)
  }
  return fail("Refused", `the server answers ${status}${said === "" ? "" : `: ${said}`}`)
}
