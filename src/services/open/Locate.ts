/**
 * From what a user types to what is there: one table says what opens which kind of location. An opener is loaded when a
 * location of its kind is opened.
 */
import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Address from "../../domain/datastore/Address.ts"
import * as RepositoryString from "../../domain/datastore/RepositoryString.ts"
import * as DiskPath from "../posix/DiskPath.ts"
import type { BlobStore } from "../repository/BlobStore.ts"
import type { Access, Failure, Located, Opener } from "./Location.ts"

const exists = (path: string): boolean => fs.existsSync(DiskPath.forNode(path))

/** Reads an address. One without a location (`::host/elsa`) is of the repository that the environment names. */
export const parse = (text: string, { env }: Access): Effect.Effect<Address.Address, Address.AddressError> => {
  if (!text.startsWith("::") || exists(text)) return read(text)
  const place = env["PBS_REPOSITORY"]
  if (place === undefined || place === "") {
    return refuse(text, "names no repository; write one before the ::, or set PBS_REPOSITORY")
  }
  const isName = !exists(place) && Result.isSuccess(RepositoryString.parse(place))
  // A name alone is a datastore of a server on this machine.
  return read(`${isName && !place.includes(":") ? `${RepositoryString.defaults.host}:` : ""}${place}${text}`)
}

const read = (text: string): Effect.Effect<Address.Address, Address.AddressError> =>
  Effect.fromResult(Address.parse(text, { whole: exists(text), location: exists(Address.location(text)) }))

const refuse = (text: string, detail: string): Effect.Effect<never, Address.AddressError> =>
  Effect.fail(new Address.AddressError({ text, part: "location", detail }))

type Kind = "path" | Address.Scheme

const kindOf = (address: Address.Address): Kind =>
  address._tag === "Path" ? "path" : address._tag === "Server" ? "pbs" : address.scheme

/** What is not there yet, and what to do. */
const refused = (detail: string) => (): Promise<{ readonly open: Opener }> =>
  Promise.resolve({ open: (address) => refuse(Address.format(address), detail) })

/** What opens which kind of location. */
const openers: Readonly<Record<Kind, () => Promise<{ readonly open: Opener }>>> = {
  path: () => import("./OpenPath.ts"),
  https: () => import("./OpenHttps.ts"),
  s3: () => import("./OpenS3.ts"),
  pbs: () => import("./OpenServer.ts"),
  place: refused("places with a name cannot be used yet; write the path that is meant"),
}

/** Finds out what is at the location of an address. */
export const locate = (address: Address.Address, access: Access): Effect.Effect<Located, Failure, Scope.Scope> =>
  Effect.flatMap(Effect.promise(openers[kindOf(address)]), ({ open }) => open(address, access))

/** The blobs of a datastore: for those who take chunks from it and want no backup of it. */
export const store = Effect.fnUntraced(function* (
  text: string,
  access: Access,
): Effect.fn.Return<BlobStore, Failure, Scope.Scope> {
  const located = yield* Effect.flatMap(parse(text, access), (address) => locate(address, access))
  if (located._tag === "Datastore") return located.store
  return yield* refuse(text, "is no datastore whose chunks can be read one by one")
})
