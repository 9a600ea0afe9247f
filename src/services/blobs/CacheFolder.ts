/**
 * The files of a disk cache: `chunks/ab/abcd…` by digest, and `fresh/` for what is being written.
 *
 * Plain promises over files; `DiskCache` says what is kept and when. Whatever else is in the folder is left alone.
 */
import * as crypto from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"

/** Files and their bytes. */
export interface Amount {
  readonly chunks: number
  readonly bytes: number
}

/** Nothing. */
export const none: Amount = { chunks: 0, bytes: 0 }

/** What was left behind by a process that was killed while it wrote, in milliseconds since it was written. */
const ABANDONED = 3_600_000

const chunksIn = (folder: string): string => path.join(folder, "chunks")
const placeOf = (folder: string, digest: string): string => path.join(chunksIn(folder), digest.slice(0, 2), digest)

/** Makes the folder, for this user alone. Fails if it is somebody else's, or others can write to it. */
export const create = async (folder: string): Promise<void> => {
  await fs.promises.mkdir(path.dirname(folder), { recursive: true })
  await fs.promises.mkdir(folder, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error
  })
  const { mode, uid } = await fs.promises.stat(folder)
  if (uid !== process.geteuid?.()) throw new Error("the folder belongs to another user")
  if ((mode & 0o022) !== 0) throw new Error("others can write to the folder (chmod go-w it, or name another)")
  for (const name of ["chunks", "fresh"]) {
    await fs.promises.mkdir(path.join(folder, name), { mode: 0o700, recursive: true })
  }
}

/** An entry's bytes, of at most `limit`; `undefined` if there is none that can be used. It is marked as used. */
export const read = async (
  folder: string,
  digest: string,
  limit: number,
  touchAfter: number,
): Promise<Uint8Array | undefined> => {
  let handle: fs.promises.FileHandle | undefined
  try {
    handle = await fs.promises.open(placeOf(folder, digest), fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW)
    const { mtimeMs, size } = await handle.stat()
    if (size === 0 || size > limit) return undefined
    const bytes = new Uint8Array(size)
    let done = 0
    while (done < size) {
      const { bytesRead } = await handle.read(bytes, done, size - done, done)
      if (bytesRead === 0) return undefined
      done += bytesRead
    }
    const now = Date.now()
    if (now - mtimeMs > touchAfter) await handle.utimes(now / 1000, now / 1000)
    return bytes
  } catch {
    // Whatever is wrong with a copy, there is the original.
    return undefined
  } finally {
    await handle?.close()
  }
}

/** Writes an entry: all of it, or nothing that anybody sees. */
export const write = async (folder: string, digest: string, bytes: Uint8Array): Promise<void> => {
  const fresh = path.join(folder, "fresh", `${digest}-${process.pid}-${crypto.randomBytes(6).toString("hex")}`)
  const place = placeOf(folder, digest)
  try {
    await fs.promises.writeFile(fresh, bytes, { mode: 0o600, flag: "wx" })
    await fs.promises.mkdir(path.dirname(place), { mode: 0o700, recursive: true })
    await fs.promises.rename(fresh, place)
  } catch (error) {
    await fs.promises.rm(fresh, { force: true })
    throw error
  }
}

/** Deletes an entry; says whether it was there. */
export const remove = async (folder: string, digest: string): Promise<boolean> => {
  try {
    await fs.promises.unlink(placeOf(folder, digest))
    return true
  } catch {
    return false
  }
}

interface Entry {
  readonly path: string
  readonly size: number
  readonly used: number
}

const entries = async (folder: string): Promise<Array<Entry>> => {
  const found: Array<Entry> = []
  for (const part of await names(chunksIn(folder))) {
    if (!/^[0-9a-f]{2}$/.test(part)) continue
    for (const name of await names(path.join(chunksIn(folder), part))) {
      if (!/^[0-9a-f]{64}$/.test(name)) continue
      const place = path.join(chunksIn(folder), part, name)
      // Another process may have deleted it.
      const stats = await fs.promises.lstat(place).catch(() => undefined)
      if (stats?.isFile() === true) found.push({ path: place, size: stats.size, used: stats.mtimeMs })
    }
  }
  return found
}

const names = (folder: string): Promise<ReadonlyArray<string>> =>
  fs.promises.readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return []
    throw error
  })

/** What is there. */
export const info = async (folder: string): Promise<Amount> => sum(await entries(folder))

const sum = (all: ReadonlyArray<Entry>): Amount => ({
  chunks: all.length,
  bytes: all.reduce((bytes, { size }) => bytes + size, 0),
})

/**
 * Deletes what was used longest ago until at most `limit` bytes are there, and a twentieth less where anything has to be
 * deleted, so that not every chunk needs it; and what was never finished. Says what was deleted.
 */
export const prune = async (folder: string, limit: number): Promise<Amount> => {
  for (const name of await names(path.join(folder, "fresh"))) {
    const place = path.join(folder, "fresh", name)
    const stats = await fs.promises.lstat(place).catch(() => undefined)
    if (stats !== undefined && Date.now() - stats.mtimeMs > ABANDONED) await fs.promises.rm(place, { force: true })
  }
  const all = (await entries(folder)).toSorted((a, b) => a.used - b.used)
  let { bytes } = sum(all)
  if (bytes <= limit) return none
  const deleted: Array<Entry> = []
  for (const entry of all) {
    if (bytes <= limit - limit / 20) break
    await fs.promises.rm(entry.path, { force: true })
    bytes -= entry.size
    deleted.push(entry)
  }
  return sum(deleted)
}
