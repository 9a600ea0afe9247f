/**
 * Says what is left of a datastore that has lost its backups or its chunks, and what can be done with it.
 */
import * as Effect from "effect/Effect"
import type { BlobError } from "../../services/blobs/BlobStore.ts"
import * as FolderBlobStore from "../../services/blobs/FolderBlobStore.ts"
import * as Remains from "../../services/repository/Remains.ts"
import type { InRepository } from "../OpenAddress.ts"
import * as Terminal from "../Terminal.ts"

/** Looks at the datastore in which `count` backups were found; says nothing of one that is whole, or elsewhere. */
export const say = Effect.fnUntraced(function* (
  { folder, reference }: Pick<InRepository, "folder" | "reference">,
  count: number,
): Effect.fn.Return<void, BlobError> {
  if (folder === undefined || reference.type !== undefined || reference.namespace.length > 0) return
  const { chunks, folders } = yield* Remains.chunks(FolderBlobStore.make(folder))
  if (count === 0 && chunks > 0) {
    const many = chunks > 10_000 ? `about ${chunks}` : String(chunks)
    const what = "an index that was saved elsewhere is opened by list X.pxar.didx --chunks"
    yield* Terminal.say(
      `${folder}: there are no backups, but ${many} chunks in ${folders} folders: ${what} ${folder}`,
      "Warn",
    )
  }
  if (count > 0 && folders === 0) {
    yield* Terminal.say(`${folder}: there are backups, but no chunks; if these are elsewhere: --chunks ADDRESS`, "Warn")
  }
})
