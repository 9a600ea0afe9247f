/**
 * Calls of a server's API as somebody who has logged in (server §4.4, §5): what they answer, or why they are refused.
 */
import * as Effect from "effect/Effect"
import type { Login } from "./Login.ts"
import type { Outage } from "./Outage.ts"
import type { Answer, Query, Request, Rest } from "./Rest.ts"
import { fromAnswer, ServerError } from "./ServerError.ts"

/** Calls of an API. */
export interface Api {
  readonly server: string
  /** The `data` of an answer. */
  readonly data: (path: string, query?: Query) => Effect.Effect<unknown, ServerError>
  /** An answer that is no JSON: a file. */
  readonly bytes: (path: string, query: Query, limit: number) => Effect.Effect<Uint8Array, ServerError>
  /** Does something with headers that prove who asks; once more with others where the server refuses these. */
  readonly authorized: <A>(
    use: (headers: Readonly<Record<string, string>>) => Effect.Effect<A, ServerError>,
  ) => Effect.Effect<A, ServerError>
}

/** Calls as this user or token. */
export const make = (rest: Rest, login: Login, outage: Outage): Api => {
  const authorized: Api["authorized"] = (use) =>
    Effect.flatMap(login.headers, (headers) =>
      Effect.catch(use(headers), (error) =>
        error.reason === "Login"
          ? Effect.flatMap(login.refused(headers), (again) =>
              again ? Effect.flatMap(login.headers, use) : Effect.fail(error),
            )
          : Effect.fail(error),
      ),
    )

  const call = (request: Request): Effect.Effect<Answer, ServerError> =>
    outage.endure(
      authorized((headers) =>
        Effect.flatMap(rest.send({ ...request, headers }), (answer) =>
          answer.status === 200
            ? Effect.succeed(answer)
            : Effect.fail(
                fromAnswer(
                  `${rest.server}/${request.path}`,
                  answer.status,
                  answer.body.toString("utf8"),
                  answer.retryAfter,
                ),
              ),
        ),
      ),
    )

  return {
    server: rest.server,
    authorized,
    bytes: (path, query, limit) =>
      // Not a view of memory that others share.
      Effect.map(call({ path, query, limit }), ({ body }) => new Uint8Array(body)),
    data: (path, query) =>
      Effect.flatMap(call({ path, query }), ({ body }) =>
        Effect.try({
          try: () => (JSON.parse(body.toString("utf8")) as { readonly data: unknown }).data,
          catch: () =>
            new ServerError({
              server: `${rest.server}/${path}`,
              reason: "Answer",
              detail: "the answer is not JSON: is this a backup server?",
            }),
        }),
      ),
  }
}
