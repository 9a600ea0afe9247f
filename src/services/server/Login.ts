/**
 * What proves to a server who asks (server §4): the secret of a token, or a ticket that is got for a password and renewed
 * long before it expires.
 *
 * Secrets leave only as headers of requests and in the body of a login. A second factor is asked for where a ticket is
 * first got; a renewal wants none, so that a ticket is kept alive even while nobody asks for anything.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { Answer, Rest } from "./Rest.ts"
import { fromAnswer, ServerError } from "./ServerError.ts"

/** Who asks, and how that is proved. */
export interface Identity {
  /** `USER@REALM`, or `USER@REALM!TOKEN`. */
  readonly authId: string
  /** Password, or secret of a token; asked for once. `undefined` if there is none and nobody to ask. */
  readonly secret: Effect.Effect<Redacted.Redacted<string> | undefined, ServerError>
  /** Asks for a second factor: a code of an app, or a recovery key. `undefined` if there is nobody to ask. */
  readonly secondFactor?:
    | ((kinds: ReadonlyArray<string>) => Effect.Effect<Redacted.Redacted<string> | undefined>)
    | undefined
  /** A ticket that was got before, by another process of the same command. */
  readonly ticket?: Ticket | undefined
}

/** A ticket. Both texts prove who has them. */
export interface Ticket {
  readonly ticket: Redacted.Redacted<string>
  readonly csrf: Redacted.Redacted<string>
}

/** Proofs for the requests of one user or token. */
export interface Login {
  readonly authId: string
  /** Headers of a request. */
  readonly headers: Effect.Effect<Readonly<Record<string, string>>, ServerError>
  /** Says that the server has refused these headers; whether there are others to try. */
  readonly refused: (headers: Readonly<Record<string, string>>) => Effect.Effect<boolean>
  /** The ticket in use; `undefined` for a token. */
  readonly ticket: () => Ticket | undefined
}

/** As long as the reference client waits (server §4.2). */
const RENEWAL = "15 minutes"

/** Proofs of a token or of a user. A ticket is renewed until the scope closes. */
export const make = (rest: Rest, identity: Identity): Effect.Effect<Login, never, Scope.Scope> =>
  identity.authId.includes("!") ? Effect.succeed(ofToken(rest, identity)) : ofUser(rest, identity)

const ofToken = (rest: Rest, { authId, secret }: Identity): Login => ({
  authId,
  headers: Effect.flatMap(secret, (found) =>
    found === undefined
      ? Effect.fail(noSecret(rest, `the secret of the token ${authId} is needed`))
      : Effect.succeed({ authorization: `PBSAPIToken ${authId}:${escaped(Redacted.value(found))}` }),
  ),
  refused: () => Effect.succeed(false),
  ticket: () => undefined,
})

const noSecret = ({ server }: Rest, what: string): ServerError =>
  new ServerError({ server, reason: "Password", detail: `${what}: set PBS_PASSWORD, or give --password-file` })

/** The server decodes the secret of a token (server §4.1). */
const escaped = (secret: string): string => secret.replaceAll(/[^\x21-\x24\x26-\x7e]/gu, encodeURIComponent)

const ofUser = Effect.fnUntraced(function* (
  rest: Rest,
  identity: Identity,
): Effect.fn.Return<Login, never, Scope.Scope> {
  const { authId } = identity
  let current: Ticket | undefined = identity.ticket
  const one = yield* Semaphore.make(1)

  const ask = (body: Readonly<Record<string, string>>): Effect.Effect<Answer, ServerError> =>
    rest.send({ method: "POST", path: "access/ticket", body, limit: 64 * 1024 })

  const login = Effect.gen(function* () {
    const password = yield* identity.secret
    if (password === undefined) return yield* noSecret(rest, `the password of ${authId} is needed`)
    const first = yield* read(rest, yield* ask({ username: authId, password: Redacted.value(password) }))
    const challenge = challengeOf(Redacted.value(first.ticket))
    return challenge === undefined ? first : yield* answer(first.ticket, challenge)
  })

  const answer = Effect.fnUntraced(function* (
    partial: Redacted.Redacted<string>,
    kinds: ReadonlyArray<string>,
  ): Effect.fn.Return<Ticket, ServerError> {
    const given = yield* identity.secondFactor?.(kinds) ?? Effect.undefined
    if (given === undefined) {
      return yield* new ServerError({
        server: rest.server,
        reason: "SecondFactor",
        detail: `${authId} has a second factor (${kinds.join(", ")}), which is asked for at a terminal only; use a token, which needs none`,
      })
    }
    const code = Redacted.value(given).trim()
    const kind = /^\d{6,8}$/.test(code) ? "totp" : "recovery"
    const body = { username: authId, password: `${kind}:${code}`, "tfa-challenge": Redacted.value(partial) }
    return yield* read(rest, yield* ask(body))
  })

  const renew = Effect.suspend(() => {
    const old = current
    if (old === undefined) return Effect.void
    return Effect.match(
      Effect.flatMap(ask({ username: authId, password: Redacted.value(old.ticket) }), (found) => read(rest, found)),
      {
        onSuccess: (ticket) => {
          if (current === old) current = ticket
        },
        // It may still be good; when it is not, the next request says so.
        onFailure: () => {},
      },
    )
  })
  yield* Effect.forkScoped(Effect.repeat(Effect.delay(renew, RENEWAL), Schedule.forever))

  return {
    authId,
    ticket: () => current,
    headers: one.withPermit(
      Effect.suspend(() =>
        current !== undefined
          ? Effect.succeed(headersOf(current))
          : Effect.map(login, (ticket) => {
              current = ticket
              return headersOf(ticket)
            }),
      ),
    ),
    refused: (headers) =>
      Effect.sync(() => {
        if (current !== undefined && headersOf(current)["cookie"] === headers["cookie"]) current = undefined
        return true
      }),
  }
})

/** A ticket may have signs in it that a cookie may not (server §4.1). */
const headersOf = ({ csrf, ticket }: Ticket): Readonly<Record<string, string>> => ({
  cookie: `PBSAuthCookie=${Redacted.value(ticket).replaceAll(/[^A-Za-z0-9:@/+=!._~,[\]-]/gu, encodeURIComponent)}`,
  csrfpreventiontoken: Redacted.value(csrf),
})

/** The kinds of second factor that a partial ticket asks for; `undefined` for a whole ticket (server §4.3). */
const challengeOf = (ticket: string): ReadonlyArray<string> | undefined => {
  const field = ticket.split(":")[1] ?? ""
  if (!field.startsWith("!tfa!")) return undefined
  try {
    const challenge = JSON.parse(decodeURIComponent(field.slice(5))) as Readonly<Record<string, unknown>>
    return Object.keys(challenge).filter((kind) => challenge[kind] !== false && challenge[kind] !== null)
  } catch {
    return ["unknown"]
  }
}

const read = (rest: Rest, { body, status }: Answer): Effect.Effect<Ticket, ServerError> =>
  Effect.suspend(() => {
    const text = body.toString("utf8")
    if (status !== 200) return Effect.fail(fromAnswer(rest.server, status, text))
    const data = dataOf(text)
    const { CSRFPreventionToken: csrf, ticket } = data ?? {}
    return typeof ticket === "string" && typeof csrf === "string"
      ? Effect.succeed({ ticket: Redacted.make(ticket), csrf: Redacted.make(csrf) })
      : Effect.fail(
          new ServerError({ server: rest.server, reason: "Answer", detail: "its answer to a login has no ticket" }),
        )
  })

const dataOf = (text: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    return (JSON.parse(text) as { readonly data?: Readonly<Record<string, unknown>> }).data
  } catch {
    return undefined
  }
}
