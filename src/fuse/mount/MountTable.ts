/**
 * The mount table of this process, from `/proc/self/mountinfo`.
 *
 * Paths are bytes, so names that are not UTF-8 compare right. Looking touches no file system but proc: it is safe for
 * the process that serves a mount, and for a mount that nobody serves. It says nothing about other mount namespaces.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { promisify } from "node:util"
import * as Effect from "effect/Effect"
import * as Bytes from "../../domain/Bytes.ts"
import * as DiskPath from "../../services/posix/DiskPath.ts"
import { codeOf, MountError } from "./MountError.ts"

/** One line, proc_pid_mountinfo(5). */
export interface Entry {
  readonly id: number
  readonly parent: number
  /** `major:minor` of the file system. */
  readonly device: string
  readonly mountPoint: Buffer
  readonly fsType: string
  /** As text for people: bytes that are not UTF-8 are replaced. */
  readonly source: string
  /** Of FUSE mounts: the user who mounted it. */
  readonly owner: number | undefined
}

/** The path of a mount point as this program passes paths on (see `DiskPath`). */
export const pathOf = ({ mountPoint }: Entry): string => DiskPath.fromNode(mountPoint)

/** Reads the text of mountinfo. Lines that do not follow proc_pid_mountinfo(5) are left out. */
export const parse = (text: Buffer): ReadonlyArray<Entry> =>
  text
    .toString("latin1")
    .split("\n")
    .flatMap((line) => {
      const fields = line.split(" ")
      const [id, parent, device = "", , mountPoint = ""] = fields
      // Behind the mount's options any number of optional fields, ended by a dash.
      const dash = fields.indexOf("-", 6)
      if (dash < 0) return []
      const [fsType = "", source = "", options = ""] = fields.slice(dash + 1)
      const owner = /(?:^|,)user_id=(\d+)(?:,|$)/.exec(options)?.[1]
      return [
        {
          id: Number(id),
          parent: Number(parent),
          device,
          mountPoint: decode(mountPoint),
          fsType: decode(fsType).toString(),
          source: decode(source).toString(),
          owner: owner === undefined ? undefined : Number(owner),
        },
      ]
    })

/** Undoes the kernel's `\ooo` for space, tab, newline, backslash and `#`. */
const decode = (field: string): Buffer =>
  Buffer.from(
    field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    "latin1",
  )

/**
 * The mount that a path lookup of `mountPoint` (absolute, without symbolic links) ends in, if that is exactly its
 * mount point: the topmost of a stack, and not one that a mount further up hides.
 */
export const topmost = (entries: ReadonlyArray<Entry>, mountPoint: string | Uint8Array): Entry | undefined => {
  const wanted = typeof mountPoint === "string" ? Buffer.from(Bytes.fromText(mountPoint)) : Buffer.from(mountPoint)
  const ids = new Set(entries.map((entry) => entry.id))
  let found: Entry | undefined
  while (true) {
    // As the kernel walks: from one mount into the child that is met first on the way. The first mount has a parent
    // that is not listed, or is its own.
    const next = entries
      .filter((entry) =>
        found === undefined
          ? !ids.has(entry.parent) || entry.parent === entry.id
          : entry.parent === found.id && entry.id !== found.id,
      )
      .filter((entry) => contains(entry.mountPoint, wanted))
      .reduce<Entry | undefined>(
        (first, entry) => (first && first.mountPoint.length < entry.mountPoint.length ? first : entry),
        undefined,
      )
    if (next === undefined) return found?.mountPoint.equals(wanted) ? found : undefined
    found = next
  }
}

const contains = (folder: Buffer, path: Buffer): boolean => {
  if (!path.subarray(0, folder.length).equals(folder)) return false
  return folder.length === path.length || folder.length === 1 || path[folder.length] === 0x2f
}

/** All mounts of this process's namespace. Fails with reason `Failed` if proc cannot be read. */
export const read: Effect.Effect<ReadonlyArray<Entry>, MountError> = Effect.try({
  try: () => parse(fs.readFileSync("/proc/self/mountinfo")),
  catch: (error) =>
    new MountError({
      reason: "Failed",
      detail:
        codeOf(error) === "ENOENT"
          ? "/proc is not mounted here, and without it mounts cannot be told from one another: mount -t proc proc /proc"
          : String(error),
    }),
})

/** What is mounted at `mountPoint` now, see {@link topmost}. Fails as {@link read}. */
export const find = (mountPoint: string | Uint8Array): Effect.Effect<Entry | undefined, MountError> =>
  Effect.map(read, (entries) => topmost(entries, mountPoint))

/** Links on the way to a mount point; as many as the kernel follows. */
const MAX_LINKS = 40

/**
 * What is mounted at a path as somebody has typed it, without entering that: of the path itself it is only asked whether
 * it is a symbolic link, and only where nothing is mounted. Fails as {@link read}.
 */
export const at = (mountPoint: string, links = MAX_LINKS): Effect.Effect<Entry | undefined, MountError> =>
  Effect.gen(function* () {
    const absolute = DiskPath.resolve(mountPoint)
    const above = path.dirname(absolute)
    const folder = yield* Effect.orElseSucceed(
      io(() => DiskPath.realpath(above)),
      () => above,
    )
    const entry = yield* find(path.join(folder, path.basename(absolute)))
    if (entry !== undefined || links === 0) return entry
    const target = yield* Effect.orElseSucceed(
      io(() => promisify(fs.readlink)(DiskPath.forNode(absolute), "buffer").then(DiskPath.fromNode)),
      () => undefined,
    )
    return target === undefined ? undefined : yield* at(path.resolve(folder, target), links - 1)
  })

const io = (ask: () => Promise<string>): Effect.Effect<string, string> => Effect.tryPromise({ try: ask, catch: String })
