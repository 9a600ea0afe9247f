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
import type { BlobStore } from "../blobs/BlobStore.ts"
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

/** What opens which kind of location. */
const openers: Readonly<Record<Exclude<Kind, "place">, () => Promise<{ readonly open: Opener }>>> = {
  path: () => import("./OpenPath.ts"),
  https: () => import("./OpenHttps.ts"),
  s3: () => import("./OpenS3.ts"),
  pbs: () => import("./OpenServer.ts"),
}

/** Finds out what is at the location of an address. */
export const locate = (address: Address.Address, access: Access): Effect.Effect<Located, Failure, Scope.Scope> => {
  const kind = kindOf(address)
  return kind === "place"
    ? inPlace(address, access)
    : Effect.flatMap(Effect.promise(openers[kind]), ({ open }) => open(address, access))
}

/** The same for a place with a name, which stands for another address. */
const inPlace = Effect.fnUntraced(function* (
  address: Address.Address,
  access: Access,
): Effect.fn.Return<Located, Failure, Scope.Scope> {
  const Places = yield* Effect.promise(() => import("./Places.ts"))
  const place = yield* Places.find((address as Extract<Address.Address, { _tag: "Remote" }>).location, access)
  const meant = yield* read(place.address)
  if (meant.reference !== undefined) return yield* refuse(Address.format(address), "the address of a place has no ::")
  const kind = kindOf(meant)
  if (kind === "place") return yield* refuse(Address.format(address), "a place cannot stand for a place")
  const { open } = yield* Effect.promise(openers[kind])
  const located = yield* open({ ...meant, reference: address.reference }, place.access)
  if (located._tag !== "Backups") return located
  return { ...located, open: (options, copies) => located.open({ ...options, ...place.access }, copies) }
})

/** The blobs of a datastore: for those who take chunks from it and want no backup of it. */
export const store = Effect.fnUntraced(function* (
  text: string,
  access: Access,
): Effect.fn.Return<BlobStore, Failure, Scope.Scope> {
  const located = yield* Effect.flatMap(parse(text, access), (address) => locate(address, access))
  if (located._tag === "Datastore") return located.store
  return yield* refuse(text, "is no datastore whose chunks can be read one by one")
})
