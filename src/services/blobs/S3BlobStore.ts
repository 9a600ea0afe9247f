/**
 * A bucket, or what is below a prefix in it, as a store of blobs.
 *
 * A server that keeps a datastore in a bucket has the groups below `.cnt` (bucket §1): there the store shows them where
 * a folder has them. A fetch that failed says nothing of the bytes: it is `Denied` or `Failed`, never a missing blob.
 */
import * as Effect from "effect/Effect"
import type { HttpError } from "../http/HttpError.ts"
import * as S3Answers from "../s3/S3Answers.ts"
import type { S3Client } from "../s3/S3Client.ts"
import * as BlobStore from "./BlobStore.ts"

/** Where a server has groups and namespaces. */
const CONTENT = ".cnt"
const CHUNKS = ".chunks"

/**
 * Opens what is below the prefix. Where chunks or groups do not appear they are asked for by themselves: some services leave
 * out of a listing the folders that have nothing but folders in them. With such a one folders are told from the keys below.
 */
export const open = Effect.fnUntraced(function* (
  client: S3Client,
): Effect.fn.Return<BlobStore.BlobStore, BlobStore.BlobError> {
  const { name, prefix } = client.place
  const root = prefix === "" ? "" : `${prefix}/`
  const fail = (error: HttpError) => fromHttp(name, "", error)
  const { folders } = yield* Effect.mapError(client.list(root), fail)
  const isHidden = (folder: string, isDelimited: boolean) =>
    folders.includes(folder)
      ? Effect.succeed(false)
      : Effect.mapError(client.has(`${root}${folder}/`, isDelimited), fail)
  const hidden = yield* Effect.all(
    // Chunks are many.
    { chunks: isHidden(CHUNKS, true), content: isHidden(CONTENT, false) },
    { concurrency: 2 },
  )
  const store = make(client, root, hidden.chunks || hidden.content ? client.listAll : client.list)
  if (!hidden.content && !folders.includes(CONTENT)) return store
  return withContent(store, hidden.chunks || folders.includes(CHUNKS))
})

const make = (client: S3Client, root: string, list: S3Client["list"]): BlobStore.BlobStore => {
  const { name } = client.place
  const fail = (blob: string) => (error: HttpError) => fromHttp(name, blob, error)
  return {
    name,
    list: (folder) =>
      folder !== "" && !BlobStore.isSafe(folder)
        ? Effect.fail(unsafe(name, folder))
        : Effect.flatMap(
            Effect.mapError(list(folder === "" ? root : `${root}${folder}/`), fail(folder)),
            ({ folders, objects }) => {
              const items = [...objects.map(item("blob")), ...folders.map(item("folder"))].filter(isName)
              return items.length === 0 && folder !== "" ? Effect.fail(missing(name, folder)) : Effect.succeed(items)
            },
          ),
    read: (blob, limit) =>
      BlobStore.isSafe(blob)
        ? Effect.mapError(
            Effect.flatMap(client.request(`${root}${blob}`, { limit }), (response) =>
              response.status === 200 ? Effect.succeed(response.body) : Effect.fail(S3Answers.failure(response)),
            ),
            fail(blob),
          )
        : Effect.fail(unsafe(name, blob)),
  }
}

const item =
  (kind: BlobStore.Item["kind"]) =>
  (name: string): BlobStore.Item => ({ name, kind })

/** Keys may be anything; what cannot be a name of a file is none of a datastore. */
const isName = ({ name }: BlobStore.Item): boolean => BlobStore.isSafe(name) && !name.includes("/")

/** A store in which a server has put a datastore, as a folder has it. */
const withContent = (store: BlobStore.BlobStore, hasChunks: boolean): BlobStore.BlobStore => {
  const placed = (path: string): string => (path.startsWith(".") ? path : `${CONTENT}/${path}`)
  const named = <A>(path: string, effect: Effect.Effect<A, BlobStore.BlobError>) =>
    Effect.mapError(effect, (error) => new BlobStore.BlobError({ ...error, blob: path }))
  return {
    name: store.name,
    list: (folder) =>
      folder === ""
        ? Effect.map(store.list(CONTENT), (items) => [
            ...items,
            ...(hasChunks ? [{ name: CHUNKS, kind: "folder" as const }] : []),
          ])
        : named(folder, store.list(placed(folder))),
    read: (blob, limit) => named(blob, store.read(placed(blob), limit)),
  }
}

const missing = (store: string, blob: string) =>
  new BlobStore.BlobError({ store, blob, reason: "NotFound", detail: "no such folder", isTransient: false })

const unsafe = (store: string, blob: string) =>
  new BlobStore.BlobError({ store, blob, reason: "Denied", detail: "leads out of the folder", isTransient: false })

/** A failed request, as a failure of the store. */
export const fromHttp = (store: string, blob: string, error: HttpError): BlobStore.BlobError => {
  const { detail, isTransient, reason } = error
  const same = reason === "NotFound" || reason === "Denied" || reason === "TooLarge"
  return new BlobStore.BlobError({ store, blob, reason: same ? reason : "Failed", detail, isTransient })
}
