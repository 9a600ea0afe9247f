/**
 * Where the index of a repository is: a file in `index` below the folder of caches, for this user alone. Names of files are
 * in it, so a folder that others can read or that belongs to somebody else is refused.
 */
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { ErrorId } from "../../domain/ErrorId.ts"

/** The index cannot be used. */
export class IndexError extends Schema.TaggedError<IndexError>()("IndexError", {
  path: Schema.String,
  detail: Schema.String,
  /**
   * `NoSqlite`: this Node has no SQLite with what is needed. `Damaged`: the file is none of an index, or not sound. `Failed`:
   * it cannot be used otherwise, or the archive's bytes cannot be had.
   */
  reason: Schema.Literals(["NoSqlite", "Damaged", "Failed"]),
}) {
  static readonly ids = {
    NoSqlite: "PXF-INDEX-NO-SQLITE",
    Damaged: "PXF-INDEX-DAMAGED",
    Failed: "PXF-INDEX-FAILED",
  } as const satisfies Record<string, ErrorId>
  /** See docs/errors.md. */
  get id(): ErrorId {
    return IndexError.ids[this.reason]
  }
  override get message(): string {
    return `${this.path}: ${this.detail}`
  }
}

/** What SQLite has beside the file while it is open. */
const COMPANIONS = ["", "-wal", "-shm", "-journal"]

/** The file of a repository, which is known by a name or an absolute path, in a folder of caches. */
export const inFolder = (folder: string, repository: string): string => {
  const id = createHash("sha256").update(repository).digest("hex").slice(0, 32)
  return path.join(folder, "index", `${id}.sqlite`)
}

/** That something about the file is not as it must be. */
export const failed = (file: string, detail: string): IndexError =>
  new IndexError({ path: file, detail, reason: "Failed" })

const attempt = <A>(file: string, use: () => Promise<A>): Effect.Effect<A, IndexError> =>
  Effect.tryPromise({ try: use, catch: (error) => failed(file, (error as Error).message) })

/** Makes the folder, and the file if it is not there. Links are not followed, and nobody else may read either. */
export const create = (file: string): Effect.Effect<void, IndexError> =>
  attempt(file, async () => {
    const folder = path.dirname(file)
    await fs.promises.mkdir(folder, { recursive: true, mode: 0o700 })
    await check(folder)
    const flags = fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_NOFOLLOW
    await (await fs.promises.open(file, flags, 0o600)).close()
    await check(file)
  })

/** Whether the file is there. Fails if others could have written to it. */
export const exists = (file: string): Effect.Effect<boolean, IndexError> =>
  attempt(file, async () => {
    if (!fs.existsSync(file)) return false
    await check(path.dirname(file))
    await check(file)
    return true
  })

const check = async (place: string): Promise<void> => {
  const { mode, uid } = await fs.promises.lstat(place)
  if (uid !== process.geteuid?.()) throw new Error(`${place} belongs to another user`)
  if ((mode & 0o077) !== 0) throw new Error(`others may read or write ${place} (chmod go= it)`)
}

/** Bytes on disk. */
export const size = (file: string): Effect.Effect<number, IndexError> =>
  attempt(file, async () => {
    let sum = 0
    for (const suffix of COMPANIONS) {
      sum += (await fs.promises.stat(file + suffix).catch(() => undefined))?.size ?? 0
    }
    return sum
  })

/** Deletes the index. A process that has it open goes on with what it has. */
export const drop = (file: string): Effect.Effect<void, IndexError> =>
  attempt(file, async () => {
    for (const suffix of COMPANIONS.toReversed()) await fs.promises.rm(file + suffix, { force: true })
  })
