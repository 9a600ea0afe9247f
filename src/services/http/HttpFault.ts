/**
 * What went wrong on the way of a request, told by the error of the connection, and which of it may pass.
 */
import type * as HttpError from "./HttpError.ts"
import { HttpError as Failed, permanent, shown } from "./HttpError.ts"

/** Errors of a connection that may be another one's luck: what breaks, what is busy, what is being restarted. */
const passing: Readonly<Record<string, string>> = {
  EAI_AGAIN: "the name of the server cannot be looked up now",
  ECONNABORTED: "the connection was broken off",
  ECONNREFUSED: "nothing listens there",
  ECONNRESET: "the connection was reset",
  EHOSTUNREACH: "the server cannot be reached",
  ENETDOWN: "the network is down",
  ENETUNREACH: "the network cannot be reached",
  EPIPE: "the connection was closed",
  ETIMEDOUT: "the server does not answer",
  ERR_STREAM_PREMATURE_CLOSE: "the answer ended early",
  UND_ERR_BODY_TIMEOUT: "the answer stopped in the middle",
  UND_ERR_CONNECT_TIMEOUT: "the server does not answer",
  UND_ERR_HEADERS_TIMEOUT: "the server does not answer",
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: "the answer ended early",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "the answer ended early",
  UND_ERR_SOCKET: "the connection was closed",
}

/** Statuses that may pass: too slow, too many, overloaded, being restarted. */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504])

/** Whether trying again may change a status. */
export const mayPass = (status: number): boolean => PASSING.has(status)

/** The answer of a server that may be in a better state later. */
export const busy = (url: URL, status: number, retryAfter: number | undefined): HttpError.HttpError =>
  new Failed({
    url: shown(url),
    reason: "Failed",
    detail: `the server answers ${status}${status === 429 ? ", too many requests" : ""}`,
    isTransient: true,
    ...(retryAfter === undefined ? {} : { retryAfter }),
  })

/** A body that ended before its length. */
export const truncated = (url: URL, got: number, length: number): HttpError.HttpError =>
  new Failed({
    url: shown(url),
    reason: "Failed",
    detail: `the answer ended after ${got} of ${length} bytes`,
    isTransient: true,
  })

/** What an error of the connection means. */
export const fromConnection = (url: URL, error: unknown): HttpError.HttpError => {
  if (error instanceof Failed) return error
  const { code, message } = rootOf(error)
  const detail = passing[code]
  if (detail !== undefined) return new Failed({ url: shown(url), reason: "Failed", detail, isTransient: true })
  if (code === "ENOTFOUND") return permanent(url, "Failed", `there is no server ${url.hostname}`)
  if (isCertificate(code)) {
    const hint = "if it is signed by an authority of your own, give its certificate with --ca-file"
    return permanent(url, "Denied", `the certificate of the server is not trusted (${message}); ${hint}`)
  }
  if (code === "EPROTO" || code.startsWith("ERR_SSL_")) {
    return permanent(url, "Failed", "no encryption could be agreed on with the server: does it speak https there?")
  }
  return permanent(url, "Failed", message === "" ? code : message)
}

/** The first cause that has a code; connecting to several addresses fails with all of them. */
const rootOf = (error: unknown): { readonly code: string; readonly message: string } => {
  const { cause, code, errors, message } = error as {
    readonly code?: unknown
    readonly message?: string
    readonly cause?: unknown
    readonly errors?: ReadonlyArray<unknown>
  }
  if (typeof code === "string") return { code, message: message ?? "" }
  const inner = cause ?? errors?.[0]
  return inner === undefined ? { code: "unknown", message: message ?? String(error) } : rootOf(inner)
}

const isCertificate = (code: string): boolean =>
  /^(?:CERT_|ERR_TLS_CERT|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|HOSTNAME_MISMATCH|INVALID_CA)/.test(code)
