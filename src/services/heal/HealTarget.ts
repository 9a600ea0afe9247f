/**
 * Where healing writes: the folder of a datastore, and in it only files that are missing or damaged.
 *
 * A file is written under a temporary name in its folder (servers and readers ignore such names, datastore §1.2), with the
 * owner and mode of its neighbours, and on the disk before it gets its own name. Whenever the machine stops there is what was
 * there before, or the whole file. What became good meanwhile is left as it is. Nothing else is touched.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Errno from "../../domain/Errno.ts"
import type { ErrorId } from "../../domain/ErrorId.ts"
import * as DiskPath from "../posix/DiskPath.ts"
import * as Libc from "../posix/Libc.ts"
import * as RenameSyscalls from "../posix/RenameSyscalls.ts"
import type { BlobStore } from "../blobs/BlobStore.ts"
import * as FolderBlobStore from "../blobs/FolderBlobStore.ts"

/** A file could not be written into the datastore. What was there is as it was. */
export class HealError extends Schema.TaggedError<HealError>()("HealError", {
  /** Path of the file or folder. */
  path: Schema.String,
  /** As Node names it: `ENOSPC`. */
  code: Schema.String,
  detail: Schema.String,
}) {
  static readonly ids = { Busy: "PXF-HEAL-BUSY", Write: "PXF-HEAL-WRITE" } as const satisfies Record<string, ErrorId>
  /** See docs/errors.md. */
  get id(): ErrorId {
    return this.code === "EBUSY" ? HealError.ids.Busy : HealError.ids.Write
  }
  override get message(): string {
    return `${this.path}: ${this.detail}`
  }
}

/** A datastore that can be written to. */
export interface HealTarget {
  readonly store: BlobStore
  /**
   * Writes a file in place of one that is missing or damaged. `isGood` is asked again before the file gets its name: what
   * is good then stays, and `false` is returned. The folder of a backup must be there.
   */
  readonly write: (blob: string, bytes: Uint8Array, isGood: Effect.Effect<boolean>) => Effect.Effect<boolean, HealError>
}

/** Behind the name of a file that is being written. */
export const TEMPORARY = ".tmp_healed"

const LOCK_EXCLUSIVE_NOW = 2 | 4

/** Opens the datastore in a folder for writing, for as long as the scope lasts. One at a time may. */
export const open = Effect.fnUntraced(function* (root: string): Effect.fn.Return<HealTarget, HealError, Scope.Scope> {
  const chunks = path.join(root, ".chunks")
  yield* Effect.acquireRelease(
    attempt(chunks, async () => {
      const handle = await fs.promises.open(DiskPath.forNode(chunks), fs.constants.O_RDONLY | fs.constants.O_DIRECTORY)
      // File systems without locks let everybody in.
      if (Libc.flock(handle.fd, LOCK_EXCLUSIVE_NOW) !== -Errno.code.EAGAIN) return handle
      await handle.close()
      throw new HealError({ path: root, code: "EBUSY", detail: "is being healed by another process; wait for its end" })
    }),
    (handle) => Effect.promise(() => handle.close()),
  )
  return { store: FolderBlobStore.make(root), write: (blob, bytes, isGood) => write(root, blob, bytes, isGood) }
})

const write = Effect.fnUntraced(function* (
  root: string,
  blob: string,
  bytes: Uint8Array,
  isGood: Effect.Effect<boolean>,
): Effect.fn.Return<boolean, HealError> {
  const file = path.join(root, blob)
  const folder = path.dirname(file)
  const temporary = file + TEMPORARY
  const remove = Effect.promise(() =>
    fs.promises.rm(DiskPath.forNode(temporary), { force: true }).catch(() => undefined),
  )
  return yield* Effect.onError(
    Effect.gen(function* () {
      const before = yield* attempt(folder, async () => {
        await makeChunkFolder(root, folder)
        const before = await statusOf(file)
        await writeTemporary(temporary, bytes, await modelFor(file, before))
        return before
      })
      if (yield* isGood) {
        yield* remove
        return false
      }
      return yield* attempt(file, async () => {
        await rename(temporary, file, before === undefined)
        await sync(folder)
        return true
      })
    }),
    () => remove,
  )
})

/** A folder of chunks may be missing like a chunk. Any other stays missing: there is no such backup. */
const makeChunkFolder = async (root: string, folder: string): Promise<void> => {
  const chunks = path.join(root, ".chunks")
  if (path.dirname(folder) !== chunks || (await statusOf(folder)) !== undefined) return
  const { gid, mode, uid } = await fs.promises.stat(DiskPath.forNode(chunks))
  await fs.promises.mkdir(DiskPath.forNode(folder), { mode: mode & 0o7777 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error
  })
  await fs.promises.chown(DiskPath.forNode(folder), uid, gid)
  await sync(chunks)
}

/** Whose a file is, and who may read it. */
interface Model {
  readonly uid: number
  readonly gid: number
  readonly mode: number
}

/** As the damaged file was, or a neighbour is, or as the folder would have it. */
const modelFor = async (file: string, before: fs.Stats | undefined): Promise<Model> => {
  if (before !== undefined) return before
  const folder = path.dirname(file)
  for (const name of await fs.promises.readdir(DiskPath.forNode(folder))) {
    if (!/^[0-9a-f]{64}$|\.(?:didx|fidx|blob)$/.test(name)) continue
    const neighbour = await statusOf(path.join(folder, name))
    if (neighbour?.isFile() === true) return neighbour
  }
  const { gid, mode, uid } = await fs.promises.stat(DiskPath.forNode(folder))
  return { gid, uid, mode: (mode & 0o444) | 0o200 }
}

const statusOf = (file: string): Promise<fs.Stats | undefined> =>
  fs.promises.lstat(DiskPath.forNode(file)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined
    throw error
  })

const writeTemporary = async (temporary: string, bytes: Uint8Array, model: Model): Promise<void> => {
  const at = DiskPath.forNode(temporary)
  // Of a run that was ended: nobody else is here.
  await fs.promises.rm(at, { force: true })
  const handle = await fs.promises.open(at, "wx", 0o600)
  try {
    await handle.writeFile(bytes)
    const { gid, uid } = await handle.stat()
    if (uid !== model.uid || gid !== model.gid) await handle.chown(model.uid, model.gid)
    await handle.chmod(model.mode & 0o7777)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Gives a file its name; one that was missing takes nobody's place. */
const rename = async (temporary: string, file: string, wasMissing: boolean): Promise<void> => {
  if (wasMissing) {
    const result = RenameSyscalls.renameNoReplace(Buffer.from(`${temporary}\0`), Buffer.from(`${file}\0`))
    if (result === 0) return
    if (result === -Errno.code.EEXIST) {
      throw Object.assign(new Error("somebody else is writing it; run heal again"), { code: "EEXIST" })
    }
    // File systems that cannot do this, and kernels.
    if (result !== -Errno.code.EINVAL && result !== -Errno.ENOSYS) {
      throw Object.assign(new Error(`could not be renamed (errno ${-result})`), { code: "EIO" })
    }
  }
  await fs.promises.rename(DiskPath.forNode(temporary), DiskPath.forNode(file))
}

const sync = async (folder: string): Promise<void> => {
  const handle = await fs.promises.open(DiskPath.forNode(folder), fs.constants.O_RDONLY | fs.constants.O_DIRECTORY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const attempt = <A>(at: string, use: () => Promise<A>): Effect.Effect<A, HealError> =>
  Effect.uninterruptible(Effect.tryPromise({ try: use, catch: (error) => fromNode(at, error) }))

const fromNode = (at: string, error: unknown): HealError => {
  if (error instanceof HealError) return error
  const { code = "EIO", message } = error as NodeJS.ErrnoException
  const what =
    {
      ENOSPC: "the disk is full; make room, then run heal again",
      EDQUOT: "the quota is used up; raise it, then run heal again",
      EROFS: "the file system is read-only; mount it for writing",
      EACCES: "may not be written to; heal as root, or as the user `backup`",
      EPERM: "may not be given the owner of its neighbours; heal as root, or as the user `backup`",
    }[code] ?? message
  return new HealError({ path: at, code, detail: `${what}; what was there is as it was` })
}
