/**
 * Answers about the process: sessions and keys.
 */
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import type { WebContext } from "../WebContext.ts"
import { Api } from "./Api.ts"
import * as ApiError from "./ApiError.ts"
import { WebRefusal } from "../WebRefusal.ts"

export const layer = (context: WebContext) =>
  HttpApiBuilder.group(Api, "system", (handlers) =>
    Effect.succeed(
      handlers.handleAll({
        health: () => Effect.succeed({ status: "ok" as const }),
        server: () =>
          Effect.sync(() => ({
            version: context.version,
            repositories: context.served.map(({ address, backups, id }) => ({
              id,
              address,
              // One backup has no others beside it.
              kind:
                backups === undefined || backups.root.time !== undefined
                  ? ("archive" as const)
                  : ("datastore" as const),
            })),
            ...(context.restore !== undefined && { restore: context.restore }),
            keys: context.keys.list(),
          })),
        login: ({ payload }) =>
          Effect.gen(function* () {
            const { access, isSecure } = context
            const { session, verdict } = access.login(payload.secret)
            if (verdict === "busy") {
              return yield* new ApiError.Busy({
                id: WebRefusal.ids.Busy,
                message: "too many wrong passwords: wait a minute",
              })
            }
            if (session === undefined) {
              return yield* new ApiError.Forbidden({
                id: WebRefusal.ids.Access,
                message: "that is not the token or password",
              })
            }
            return HttpServerResponse.empty({ status: 204 }).pipe(
              HttpServerResponse.setCookieUnsafe(access.cookie, session, {
                httpOnly: true,
                sameSite: "strict",
                path: "/",
                secure: isSecure,
              }),
            )
          }),
        logout: () =>
          Effect.map(HttpServerRequest.HttpServerRequest, ({ cookies }) => {
            const { access } = context
            access.logout(cookies[access.cookie] ?? "")
            return HttpServerResponse.empty({ status: 204 }).pipe(
              HttpServerResponse.setCookieUnsafe(access.cookie, "", { httpOnly: true, path: "/", maxAge: 0 }),
            )
          }),
        unlock: ({ payload }) =>
          context.keys.unlock(payload.passphrase, payload.key_file).pipe(
            Effect.tap(() => context.reopen),
            Effect.map((unlocked) => ({ unlocked })),
            Effect.mapError(({ id, message }) => new ApiError.BadRequest({ id, message })),
          ),
      }),
    ),
  )
