/**
 * What is at a web address: an archive file, which is read by ranges, or below a URL that ends with a slash a datastore, or
 * a folder of archives.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Address from "../../domain/datastore/Address.ts"
import * as HttpSource from "../bytes/HttpSource.ts"
import * as HttpClient from "../http/HttpClient.ts"
import { shown } from "../http/HttpError.ts"
import * as HttpBlobStore from "../blobs/HttpBlobStore.ts"
import type { Access, Failure, Located } from "./Location.ts"
import * as RemoteArchive from "./RemoteArchive.ts"

/** Looks at a web address. Nothing is asked of the server before something is opened. */
export const open = Effect.fnUntraced(function* (
  address: Address.Address,
  access: Access,
): Effect.fn.Return<Located, Failure, Scope.Scope> {
  const { location, reference } = address as Extract<Address.Address, { _tag: "Remote" }>
  const url = URL.canParse(location) ? new URL(location) : undefined
  if (url === undefined || url.hostname === "")
    return yield* wrong(location, "is no web address: it looks like https://host/path/root.pxar")
  if (url.username !== "" || url.password !== "") {
    const detail =
      "a password in an address can be read by everybody on this machine: put it into a place (docs/places.md)"
    return yield* wrong(shown(url), detail)
  }
  const plain = yield* HttpClient.make({ ...access.network, env: access.env })
  const client = access.authorization === undefined ? plain : authorized(plain, access.authorization)
  const isFolder = url.pathname.endsWith("/")
  if (reference !== undefined && !isFolder) {
    return yield* wrong(location, "is a file; a datastore on a web server has an address that ends with a slash")
  }
  const openFile = (path: string) => {
    const file = path.includes("://") ? new URL(path) : Object.assign(new URL(url), { pathname: path })
    return HttpSource.open({
      name: shown(file),
      request: (request) => client.request({ ...request, url: file.href }),
    })
  }
  const archive = (path: string) => RemoteArchive.make(path, openFile, (payload) => /^https?:\/\//.test(payload))
  if (!isFolder) return archive(url.pathname)
  return {
    _tag: "Datastore",
    store: HttpBlobStore.make(client, url.href),
    folder: undefined,
    archiveIn: (name) => archive(url.pathname + encodeURIComponent(name)),
  }
})

/** Tells the server who asks, and no other that it leads to. */
const authorized = (
  client: HttpClient.HttpClient,
  authorization: Redacted.Redacted<string>,
): HttpClient.HttpClient => ({
  request: (request) =>
    client.request({
      ...request,
      sign: (_, __, headers) => Promise.resolve({ ...headers, authorization: Redacted.value(authorization) }),
    }),
})

const wrong = (text: string, detail: string): Effect.Effect<never, Address.AddressError> =>
  Effect.fail(new Address.AddressError({ text, part: "location", detail }))
