/**
 * A file tree as system calls show it, in the shape of a golden view.
 *
 * It blocks. Never use it on a mount that this very process serves.
 */
import * as crypto from "node:crypto"
import * as fs from "node:fs"
import { assert } from "@effect/vitest"
import type * as Golden from "./Golden.ts"
import * as Syscalls from "./Syscalls.ts"
import * as Wire from "./Wire.ts"

/** Everything of a view but which of two names is the hard link: that cannot be seen. */
export interface Seen extends Omit<Golden.View, "hardlink"> {
  /** Access and change time, in nanoseconds since the epoch. */
  readonly atime: bigint
  readonly ctime: bigint
  /** Absent for block devices: recent kernels show that of the device that is there by this number. */
  readonly blockSize: number | undefined
}

export const BILLION = 1_000_000_000n
export const SLASH = Buffer.from("/")

const kinds = new Map<number, Golden.Kind>([
  [0o01, "fifo"],
  [0o02, "chardev"],
  [0o04, "directory"],
  [0o06, "blockdev"],
  [0o10, "file"],
  [0o12, "symlink"],
  [0o14, "socket"],
])

/**
 * In place of a hard link's inode number: each name is a file of its own, whose number is that of the name's place, which
 * golden data do not tell.
 */
export const LINK = 0n

/** What a mount must show for a line of a golden view. */
export const expected = (view: Golden.View): Seen => {
  const time = view.mtimeSeconds * BILLION + BigInt(view.mtimeNanos)
  return {
    path: view.path,
    kind: view.kind,
    ino: view.hardlink ? LINK : Wire.inodeOf(view.ino),
    mode: view.mode,
    nlink: view.nlink,
    uid: view.uid,
    gid: view.gid,
    size: view.size,
    blocks: view.blocks,
    rdev: view.rdev,
    mtimeSeconds: view.mtimeSeconds,
    mtimeNanos: view.mtimeNanos,
    target: view.target,
    sha256: view.sha256,
    xattrs: view.xattrs,
    atime: time,
    ctime: time,
    blockSize: view.kind === "blockdev" ? undefined : 4096,
  }
}

/** The tree below `root`, depth first in the order of the listings, beginning with the root itself as `/`. */
export const read = (root: string): Array<Seen> => {
  const base = Buffer.from(root)
  const found: Array<Seen> = []
  const visit = (path: Buffer): void => {
    const full = Buffer.concat([base, path])
    const entry = see(full, path)
    found.push(entry)
    if (entry.kind !== "directory") return
    for (const { name } of list(full)) visit(Buffer.concat(path.length === 1 ? [path, name] : [path, SLASH, name]))
  }
  visit(SLASH)
  return found
}

/** The names in a directory, without `.` and `..`. */
export const list = (path: Buffer): Array<Syscalls.Dirent> =>
  Syscalls.listDirectory(path).filter(({ name }) => !isDots(name))

export const isDots = (name: Buffer): boolean => name.equals(Buffer.from(".")) || name.equals(Buffer.from(".."))

/** One file; `path` is what it is called. */
export const see = (full: Buffer, path: Buffer): Seen => {
  const stat = fs.lstatSync(full, { bigint: true })
  const mode = Number(stat.mode)
  const kind = kinds.get(mode >> 12)
  if (kind === undefined) throw new Error(`${path}: mode 0${mode.toString(8)} has no file type`)
  // Rounded down: times before 1970 have nanoseconds that count forward, too.
  const nanos = ((stat.mtimeNs % BILLION) + BILLION) % BILLION
  return {
    path,
    kind,
    // Node reads 64 bits as signed.
    ino: BigInt.asUintN(64, stat.ino),
    mode,
    nlink: Number(stat.nlink),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    size: Number(stat.size),
    blocks: Number(stat.blocks),
    rdev: kind === "chardev" || kind === "blockdev" ? devices(stat.rdev) : undefined,
    mtimeSeconds: (stat.mtimeNs - nanos) / BILLION,
    mtimeNanos: Number(nanos),
    atime: stat.atimeNs,
    ctime: stat.ctimeNs,
    blockSize: kind === "blockdev" ? undefined : Number(stat.blksize),
    target: kind === "symlink" ? targetOf(full) : undefined,
    sha256: kind === "file" ? crypto.createHash("sha256").update(fs.readFileSync(full)).digest("hex") : undefined,
    xattrs: Syscalls.xattrs(full),
  }
}

/** The target of a symbolic link; `undefined` for one that the mount says it cannot express (EILSEQ). */
const targetOf = (link: Buffer): Buffer | undefined => {
  try {
    return fs.readlinkSync(link, { encoding: "buffer" })
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EILSEQ") return undefined
    throw error
  }
}

/** `major(3)` and `minor(3)` of a device number. */
const devices = (rdev: bigint): [major: number, minor: number] => [
  Number(((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n)),
  Number((rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n)),
]

/** What a mount shows of a golden view, by path; the numbers of hard links must be odd and nobody else's, and become `LINK`. */
export const comparable = (seen: ReadonlyArray<Seen>, view: ReadonlyArray<Golden.View>): ReadonlyArray<Seen> => {
  const links = new Set(view.filter(({ hardlink }) => hardlink).map(({ path }) => path.toString("latin1")))
  return byPath(
    seen.map((entry) => {
      if (!links.has(entry.path.toString("latin1"))) return entry
      assert.strictEqual(entry.ino & 1n, 1n, String(entry.path))
      assert.lengthOf(
        seen.filter(({ ino }) => ino === entry.ino),
        1,
        String(entry.path),
      )
      return Object.assign({}, entry, { ino: LINK })
    }),
  )
}

/** By path: listings are in the order of the archive, golden data in that of the tables. */
export const byPath = <E extends { readonly path: Buffer }>(entries: ReadonlyArray<E>): ReadonlyArray<E> =>
  entries.toSorted((a, b) => Buffer.compare(a.path, b.path))
