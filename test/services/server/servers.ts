/** Repositories of the double of a backup server, for tests of this room. */
import { Effect, Redacted } from "effect"
import * as ChunkCache from "../../../src/services/bytes/ChunkCache.ts"
import * as KeyRing from "../../../src/services/keys/KeyRing.ts"
import type * as Connection from "../../../src/services/server/Connection.ts"
import type * as Login from "../../../src/services/server/Login.ts"
import * as ServerRepository from "../../../src/services/server/ServerRepository.ts"
import * as BackupServer from "../../support/BackupServer.ts"

export const token: Login.Identity = {
  authId: BackupServer.TOKEN,
  secret: Effect.succeed(Redacted.make(BackupServer.SECRET)),
}

export const user = ({ id, password }: { readonly id: string; readonly password: string }): Login.Identity => ({
  authId: id,
  secret: Effect.succeed(Redacted.make(password)),
})

export const endpoint = ({ fingerprint, port }: BackupServer.BackupServer): Connection.Endpoint => ({
  host: "127.0.0.1",
  port,
  fingerprint,
})

/** Opens the datastore of a server, with its token unless told otherwise. */
export const open = Effect.fnUntraced(function* (
  server: BackupServer.BackupServer,
  options: Partial<ServerRepository.Options> & { readonly capacity?: number } = {},
) {
  const { capacity, ...others } = options
  return yield* ServerRepository.open({
    endpoint: endpoint(server),
    identity: token,
    datastore: BackupServer.DATASTORE,
    keys: KeyRing.empty,
    cache: yield* ChunkCache.make(capacity),
    ...others,
  })
})
