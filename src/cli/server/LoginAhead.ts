/**
 * Logs in to a backup server for a process that has no terminal to ask at and none of this one's descriptors: it is told
 * the password, and the ticket that a user has got for it, so that nobody is asked twice.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Connection from "../../services/server/Connection.ts"
import * as Locate from "../../services/open/Locate.ts"
import type { Failure } from "../../services/open/Location.ts"
import * as OpenServer from "../../services/open/OpenServer.ts"
import * as Login from "../../services/server/Login.ts"
import * as Rest from "../../services/server/Rest.ts"
import { toRepository } from "../../services/server/ServerError.ts"
import type * as ExitCode from "../ExitCode.ts"
import * as NetworkOptions from "../repository/NetworkOptions.ts"
import type { Where } from "../repository/RepositoryFlags.ts"
import * as Environment from "./Environment.ts"
import * as ServerAccess from "./ServerAccess.ts"

/** What is found out for the server of an address; nothing for any other address. */
export const of = Effect.fnUntraced(function* (
  text: string,
  given: Where,
): Effect.fn.Return<Pick<Where, "serverPassword" | "serverTicket">, Failure | ExitCode.Usage> {
  const env = text.startsWith("::") ? yield* Environment.complete(process.env) : process.env
  const address = yield* Locate.parse(text, { env })
  const isServer = address._tag === "Server" || (address._tag === "Remote" && address.scheme === "pbs")
  if (!isServer) return {}
  const { access, endpoint, repository } = yield* OpenServer.reach(address, {
    env,
    ...NetworkOptions.access(given),
    server: (found) => ServerAccess.find(given, found),
  })
  const password = yield* Effect.mapError(access.secret, toRepository)
  if (password === undefined) return {}
  const serverPassword = Redacted.value(password)
  if (repository.authId.includes("!")) return { serverPassword }
  const ticket = yield* Effect.scoped(ticketOf(endpoint, { ...access, authId: repository.authId }))
  return ticket === undefined
    ? { serverPassword }
    : {
        serverPassword,
        serverTicket: { ticket: Redacted.value(ticket.ticket), csrf: Redacted.value(ticket.csrf) },
      }
})

const ticketOf = Effect.fnUntraced(function* (endpoint: Connection.Endpoint, identity: Login.Identity) {
  const rest = yield* Rest.make({ connector: Connection.make(endpoint) })
  const login = yield* Login.make(rest, identity)
  yield* Effect.mapError(login.headers, toRepository)
  return login.ticket()
})
