/**
 * What is in a datastore of a backup server: `pbs://AUTH-ID@HOST:PORT/DATASTORE`, or as the reference client writes it.
 */
import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Address from "../../domain/datastore/Address.ts"
import * as Fingerprint from "../../domain/datastore/Fingerprint.ts"
import type * as Reference from "../../domain/datastore/Reference.ts"
import * as RepositoryString from "../../domain/datastore/RepositoryString.ts"
import { OpenError } from "../bytes/FileSource.ts"
import * as RateLimit from "../http/RateLimit.ts"
import type { BlobStore } from "../blobs/BlobStore.ts"
import type { Endpoint } from "../server/Connection.ts"
import * as ServerRepository from "../server/ServerRepository.ts"
import * as FarPlace from "./FarPlace.ts"
import type { Access, Failure, Located, OpenedRepository, RepositoryOptions, ServerAccess } from "./Location.ts"

/** The server of an address, and how it is reached and known again. */
export interface Reached {
  readonly repository: RepositoryString.RepositoryString
  readonly access: ServerAccess
  readonly endpoint: Endpoint
}

/** Finds out what is needed to ask a server. It is asked nothing yet. */
export const reach = Effect.fnUntraced(function* (
  address: Address.Address,
  options: Access,
): Effect.fn.Return<Reached, Failure> {
  const repository = yield* repositoryOf(address)
  const access: ServerAccess = options.server === undefined ? NOBODY : yield* options.server(repository)
  const fingerprint = access.fingerprint === undefined ? undefined : Fingerprint.parse(access.fingerprint)
  if (access.fingerprint !== undefined && fingerprint === undefined) {
    return yield* wrong(address, "the fingerprint that is pinned is not 64 hexadecimal digits")
  }
  const caFile = options.network?.caFile
  const endpoint: Endpoint = {
    host: repository.host,
    port: repository.port,
    fingerprint,
    authorities: caFile === undefined ? [] : [yield* readAuthorities(caFile)],
    proxy: yield* proxyOf(address, options.env["ALL_PROXY"]),
  }
  return { repository, access, endpoint }
})

/** Finds the server of an address. It is asked nothing yet. */
export const open = (address: Address.Address): Effect.Effect<Located, Failure> =>
  Effect.as(repositoryOf(address), {
    _tag: "Backups",
    open: (options, copies) => connect(address, options, copies),
  })

const wrong = (address: Address.Address, detail: string): Address.AddressError =>
  new Address.AddressError({ text: Address.format(address), part: "location", detail })

const repositoryOf = (
  address: Address.Address,
): Effect.Effect<RepositoryString.RepositoryString, Address.AddressError> => {
  if (address._tag === "Server") return Effect.succeed(address.repository)
  const parsed = RepositoryString.parseUrl(address._tag === "Remote" ? address.location : "")
  return Result.isSuccess(parsed) ? Effect.succeed(parsed.success) : Effect.fail(wrong(address, parsed.failure))
}

const connect = Effect.fnUntraced(function* (
  address: Address.Address,
  options: RepositoryOptions,
  copies: ReadonlyArray<BlobStore>,
): Effect.fn.Return<OpenedRepository, Failure, Scope.Scope> {
  const { access, endpoint, repository } = yield* reach(address, options)
  const { cache, over } = yield* FarPlace.make(options, true)
  const opened = yield* ServerRepository.open({
    ...options,
    keys: yield* options.keys,
    endpoint,
    identity: { ...access, authId: repository.authId },
    datastore: repository.datastore,
    outage: options.network?.timeout,
    first: firstOf(address.reference),
    copies: copies.map(over),
    over: (store) => over(paced(store, options.network?.rate)),
    cache,
  })
  return { repository: opened, cache }
})

/** A store from which no more than so many bytes come in a second, on average. */
const paced = (store: BlobStore, rate: number | undefined): BlobStore => {
  if (rate === undefined) return store
  const limit = RateLimit.make(rate)
  return {
    ...store,
    read: (blob, most) =>
      Effect.tap(store.read(blob, most), (bytes) => Effect.sleep(limit.take(bytes.length, performance.now()))),
  }
}

/** What is read first of what an address means. */
const firstOf = (reference: Reference.Reference | undefined): ServerRepository.First | undefined => {
  if (reference?.type === undefined || reference.id === undefined) return undefined
  const { id, namespace, time, type } = reference
  return { group: { namespace, type, id }, isRead: time !== undefined }
}

const NOBODY: ServerAccess = { secret: Effect.undefined }

const readAuthorities = (file: string): Effect.Effect<string, OpenError> =>
  Effect.try({
    try: () => fs.readFileSync(file, "utf8"),
    catch: (error) => {
      const code = (error as NodeJS.ErrnoException).code ?? "EIO"
      return new OpenError({ path: file, code, detail: "the certificates of authorities cannot be read" })
    },
  })

/** The proxy that the reference client would use, too: `[http://]HOST[:PORT]` (server §2). */
const proxyOf = (
  address: Address.Address,
  text: string | undefined,
): Effect.Effect<Endpoint["proxy"], Address.AddressError> => {
  if (text === undefined || text === "") return Effect.undefined
  const match = /^(?:http:\/\/)?(\[[0-9a-fA-F:.]+\]|[^:/@]+)(?::(\d{1,5}))?\/?$/.exec(text)
  const port = Number(match?.[2] ?? 1080)
  return match?.[1] === undefined || port > 0xffff
    ? Effect.fail(wrong(address, "ALL_PROXY is no [http://]HOST[:PORT], the only kind of proxy that can be used here"))
    : Effect.succeed({ host: match[1], port })
}
