/**
 * The chunks that a backup's tunnels give, as a store of blobs: `.chunks/xxxx/DIGEST`, each of an index that was downloaded
 * through them (server §6.3). It lists nothing.
 */
import * as Effect from "effect/Effect"
import { BlobError, type BlobStore } from "../blobs/BlobStore.ts"
import { fromAnswer, shown } from "./ServerError.ts"
import type { BackupTunnels } from "./Tunnels.ts"

/** The store; `name` is that of the repository. */
export const make = (name: string, tunnels: BackupTunnels): BlobStore => {
  const fail = (blob: string, reason: BlobError["reason"], detail: string, isTransient = false) =>
    Effect.fail(new BlobError({ store: name, blob, reason, detail, isTransient }))
  return {
    name,
    list: (folder) => fail(folder, "Denied", "a server lists no chunks"),
    read: (blob, limit) =>
      Effect.matchEffect(tunnels.chunk(blob.slice(blob.lastIndexOf("/") + 1), limit), {
        onSuccess: ({ body, status }) => {
          if (status === 200) return Effect.succeed(body)
          const text = Buffer.from(body).toString("utf8")
          if (status === 400 && /^reading file .* failed: No such file|^could not fetch object/.test(text)) {
            return fail(blob, "NotFound", "no such chunk on the server")
          }
          if (status === 400 && /Permission denied/.test(text)) {
            return fail(blob, "Denied", `the server itself may not read it (${shown(text)})`)
          }
          const { detail, isTransient } = fromAnswer(name, status, text)
          return fail(blob, "Failed", status === 401 ? shown(text) : detail, isTransient)
        },
        onFailure: (error) =>
          fail(blob, error.reason === "Answer" ? "TooLarge" : "Failed", error.detail, error.isTransient),
      }),
  }
}
