/**
 * What `fuse-native` can carry of a golden view, written from docs/fuse-native.md: the oracle of its table.
 */
import type * as Golden from "./Golden.ts"
import * as Wire from "./Wire.ts"
import * as MountedTree from "./MountedTree.ts"

const utf8 = new TextDecoder("utf-8", { fatal: true })

/** A link target passes. */
export const isUtf8 = (bytes: Uint8Array): boolean => {
  try {
    return utf8.decode(bytes) !== undefined
  } catch {
    return false
  }
}

/** A name passes. */
export const isText = (bytes: Uint8Array): boolean => isUtf8(bytes) && !utf8.decode(bytes).includes("\ufffd")

const MILLION = 1_000_000n

/** Nanoseconds of the nearest time that there is: whole milliseconds from 1970 on. */
const time = ({ mtimeNanos, mtimeSeconds }: Golden.View): bigint => {
  const nanos = mtimeSeconds * MountedTree.BILLION + BigInt(mtimeNanos)
  return nanos < 0n ? 0n : nanos - (nanos % MILLION)
}

/** The lower 32 bits of the number of a node. */
export const inode = (node: bigint): bigint => BigInt.asUintN(32, Wire.inodeOf(node))

/** What is shown of an entry; `undefined` for one whose path cannot be expressed. */
export const expected = (view: Golden.View): MountedTree.Seen | undefined => {
  if (!isText(view.path)) return undefined
  const nanos = time(view)
  return {
    ...MountedTree.expected(view),
    ino: view.hardlink ? MountedTree.LINK : inode(view.ino),
    mtimeSeconds: nanos / MountedTree.BILLION,
    mtimeNanos: Number(nanos % MountedTree.BILLION),
    atime: nanos,
    ctime: nanos,
    target: view.target !== undefined && isUtf8(view.target) ? view.target : undefined,
    xattrs: Object.fromEntries(Object.entries(view.xattrs).filter(([name]) => isText(Buffer.from(name, "hex")))),
  }
}
