/**
 * Why something could not be had over HTTP. It says nothing about the bytes that are there: it is no damage.
 */
import * as Schema from "effect/Schema"
import type { ErrorId } from "../../domain/ErrorId.ts"

/** A request failed, for good or after all tries. */
export class HttpError extends Schema.TaggedError<HttpError>()("HttpError", {
  /** Without what may be secret in it (see `shown`). */
  url: Schema.String,
  /**
   * `NoRanges`: the server sends files only whole; `Changed`: what was open is another file now; `Encoded`: compressed on
   * the way, though that was refused; `TooLarge`: more than the reader allows; `Failed`: anything else.
   */
  reason: Schema.Literals(["NotFound", "Denied", "NoRanges", "Changed", "Encoded", "TooLarge", "Failed"]),
  detail: Schema.String,
  /** Whether trying again later may help. */
  isTransient: Schema.Boolean,
  /** Milliseconds that the server asks to be left alone for. */
  retryAfter: Schema.optionalKey(Schema.Finite),
}) {
  static readonly ids = {
    NotFound: "PXF-HTTP-MISSING",
    Denied: "PXF-HTTP-DENIED",
    NoRanges: "PXF-HTTP-NO-RANGES",
    Changed: "PXF-HTTP-CHANGED",
    Encoded: "PXF-HTTP-ENCODED",
    TooLarge: "PXF-HTTP-TOO-LARGE",
    Failed: "PXF-HTTP-FAILED",
  } as const satisfies Record<string, ErrorId>
  /** See docs/errors.md. */
  get id(): ErrorId {
    return HttpError.ids[this.reason]
  }
  override get message(): string {
    return `${this.url}: ${this.detail}`
  }
}

/** A URL for messages: without user, password and query, which may be secret. */
export const shown = (url: string | URL): string => {
  const { host, pathname, protocol } = new URL(url)
  return `${protocol}//${host}${pathname}`
}

/** A failure that trying again does not change. */
export const permanent = (url: string | URL, reason: HttpError["reason"], detail: string): HttpError =>
  new HttpError({ url: shown(url), reason, detail, isTransient: false })

/** What a status says in general; services with error codes of their own say it better. */
export const fromStatus = (url: string | URL, status: number): HttpError => {
  if (status === 404 || status === 410) return permanent(url, "NotFound", "is not there")
  if (status === 401 || status === 403) return permanent(url, "Denied", `the server does not allow it (${status})`)
  if (status === 407) return permanent(url, "Denied", "the proxy wants a user and a password (407)")
  return permanent(url, "Failed", `the server answers ${status}`)
}
