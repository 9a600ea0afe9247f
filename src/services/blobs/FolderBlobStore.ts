/**
 * A folder of this machine as a store of blobs. Nothing is ever written into it.
 *
 * Files are opened, read and closed on threads, so that a slow disk holds up what waits for it and nothing else. A file
 * that is replaced while it is read is read as it was: the descriptor is of one file.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as OwnMemory from "../bytes/OwnMemory.ts"
import * as DiskPath from "../posix/DiskPath.ts"
import * as BlobStore from "./BlobStore.ts"

/** The store in the folder at `root`. */
export const make = (root: string): BlobStore.BlobStore => {
  const fail = (blob: string, error: unknown) => fromNode(root, blob, error)
  const located = <A>(
    blob: string,
    use: (file: string | Buffer) => Promise<A>,
  ): Effect.Effect<A, BlobStore.BlobError> =>
    blob === "" || BlobStore.isSafe(blob)
      ? Effect.tryPromise({
          try: () => use(DiskPath.forNode(path.join(root, blob))),
          catch: (error) => fail(blob, error),
        })
      : Effect.fail(
          new BlobStore.BlobError({
            store: root,
            blob,
            reason: "Denied",
            detail: "leads out of the folder",
            isTransient: false,
          }),
        )
  return {
    name: root,
    list: (folder) =>
      located(folder, async (at) =>
        (await fs.promises.readdir(at, { withFileTypes: true })).map((item) => ({
          name: item.name,
          kind: item.isDirectory() ? "folder" : "blob",
        })),
      ),
    read: (blob, limit) => located(blob, (at) => readFile(root, blob, at, limit)),
  }
}

const readFile = async (store: string, blob: string, file: string | Buffer, limit: number): Promise<Uint8Array> => {
  // A pipe in place of a file must not hold anybody up.
  const handle = await fs.promises.open(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK)
  try {
    const status = await handle.stat()
    const wrong = (reason: BlobStore.BlobError["reason"], detail: string) =>
      new BlobStore.BlobError({ store, blob, reason, detail, isTransient: false })
    if (!status.isFile()) throw wrong("Failed", status.isDirectory() ? "is a folder" : "is not a regular file")
    if (status.size > limit) throw wrong("TooLarge", `has ${status.size} bytes, more than ${limit}`)
    const bytes = OwnMemory.allocate(status.size)
    let done = 0
    while (done < bytes.length) {
      const { bytesRead } = await handle.read(bytes, done, bytes.length - done, done)
      if (bytesRead === 0) return bytes.subarray(0, done)
      done += bytesRead
    }
    return bytes
  } finally {
    await handle.close()
  }
}

const fromNode = (store: string, blob: string, error: unknown): BlobStore.BlobError => {
  if (error instanceof BlobStore.BlobError) return error
  const code = (error as NodeJS.ErrnoException).code ?? "EIO"
  const reason = code === "ENOENT" || code === "ENOTDIR" ? "NotFound" : isDenied(code) ? "Denied" : "Failed"
  const detail =
    reason === "NotFound"
      ? "no such file or folder"
      : reason === "Denied"
        ? "permission denied: a datastore's files belong to the user `backup`, read them as that user or as root"
        : (error as Error).message.replace(/^[A-Z]+: /, "").replace(/, (?:open|stat|scandir|read|close)\b.*$/, "")
  return new BlobStore.BlobError({ store, blob, reason, detail, isTransient: code === "EIO" || code === "EMFILE" })
}

const isDenied = (code: string): boolean => code === "EACCES" || code === "EPERM"
