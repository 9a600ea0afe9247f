/**
 * Immutable blobs under names: the folder of a datastore, a bucket, memory.
 *
 * Names are paths with slashes, relative to the store. A blob is read whole and never larger than the reader allows, a
 * folder is listed without its subfolders. A store knows nothing of what is in its blobs; retry, counting and faults are
 * wrappers around any store (`BlobStoreWrappers`). One suite of tests holds for all of them.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { ErrorId } from "../../domain/ErrorId.ts"

/** A blob or folder could not be had. That says nothing about its bytes: it is no damage. */
export class BlobError extends Schema.TaggedError<BlobError>()("BlobError", {
  /** Name of the store. */
  store: Schema.String,
  /** Name of the blob or folder within it. */
  blob: Schema.String,
  /** `TooLarge`: more bytes than the reader allows; `Failed`: anything else, as an I/O error. */
  reason: Schema.Literals(["NotFound", "Denied", "TooLarge", "Failed"]),
  detail: Schema.String,
  /** Whether trying again may help. */
  isTransient: Schema.Boolean,
}) {
  static readonly ids = {
    NotFound: "PXF-STORE-MISSING",
    Denied: "PXF-STORE-DENIED",
    TooLarge: "PXF-STORE-TOO-LARGE",
    Failed: "PXF-STORE-READ",
  } as const satisfies Record<string, ErrorId>
  /** See docs/errors.md. */
  get id(): ErrorId {
    return BlobError.ids[this.reason]
  }
  override get message(): string {
    return `${this.store}/${this.blob}: ${this.detail}`
  }
}

/** What a folder has under a name. */
export interface Item {
  readonly name: string
  readonly kind: "blob" | "folder"
}

/** A store of blobs. */
export interface BlobStore {
  /** For messages: a path or an address. */
  readonly name: string
  /**
   * What is in a folder, in any order; `""` is the store itself. A folder that is not there fails with `NotFound`, or is
   * empty where the store knows no folders.
   */
  readonly list: (folder: string) => Effect.Effect<ReadonlyArray<Item>, BlobError>
  /** A blob's bytes, which belong to the caller. Fails with `TooLarge` before more than `limit` bytes are taken. */
  readonly read: (blob: string, limit: number) => Effect.Effect<Uint8Array, BlobError>
  /**
   * Says that the bytes of a blob were found wrong: where they came from a cache, they are dropped from there. Answers
   * whether reading again may give other bytes. Absent where nothing is cached.
   */
  readonly forget?: ((blob: string) => Effect.Effect<boolean>) | undefined
  /** The store itself, for those who verify it. Absent where nothing is cached. */
  readonly uncached?: BlobStore | undefined
}

/** The digest, in hex, of a chunk by its place in a datastore (datastore §1.2); `undefined` for anything else. */
export const chunkDigestOf = (blob: string): string | undefined =>
  /^\.chunks\/[0-9a-f]{4}\/([0-9a-f]{64})$/.exec(blob)?.[1]

/** Whether names of a path can be followed: none is empty, `.` or `..`. */
export const isSafe = (path: string): boolean =>
  path.split("/").every((name) => name !== "" && name !== "." && name !== ".." && !name.includes("\0"))

/** A store in memory, of blobs under their names. */
export const fromRecord = (blobs: Readonly<Record<string, Uint8Array>>, name = "memory"): BlobStore =>
  fromMap(new Map(Object.entries(blobs)), name)

/** A store over a map of blobs by name, which may change. */
export const fromMap = (blobs: ReadonlyMap<string, Uint8Array>, name = "memory"): BlobStore => {
  const fail = (blob: string, reason: BlobError["reason"], detail: string) =>
    Effect.fail(new BlobError({ store: name, blob, reason, detail, isTransient: false }))
  return {
    name,
    list: (folder) =>
      Effect.suspend(() => {
        const prefix = folder === "" ? "" : `${folder}/`
        const items = new Map<string, Item>()
        for (const blob of blobs.keys()) {
          if (!blob.startsWith(prefix)) continue
          const [first, ...rest] = blob.slice(prefix.length).split("/")
          items.set(first as string, { name: first as string, kind: rest.length === 0 ? "blob" : "folder" })
        }
        return items.size === 0 && folder !== ""
          ? fail(folder, "NotFound", "no such folder")
          : Effect.succeed([...items.values()])
      }),
    read: (blob, limit) =>
      Effect.suspend(() => {
        const bytes = blobs.get(blob)
        if (bytes === undefined) return fail(blob, "NotFound", "no such file")
        if (bytes.length > limit) return fail(blob, "TooLarge", `has ${bytes.length} bytes, more than ${limit}`)
        return Effect.succeed(bytes.slice())
      }),
  }
}
