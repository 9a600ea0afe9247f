/**
 * Replies to the kernel, taken apart: the counterpart of `KernelRequest`, and as independent of the session.
 *
 * What does not have the lengths that its headers say is an `Error` that is thrown.
 */

/** A reply. */
export interface Reply {
  /** The number of the request. */
  readonly unique: bigint
  /** 0, or a positive errno; the body is then empty. */
  readonly errno: number
  readonly body: Buffer
}

/** `struct fuse_out_header` (16 bytes) and what follows it. */
export const parseReply = (bytes: Uint8Array): Reply => {
  const message = Buffer.from(bytes)
  if (message.length < 16 || message.readUInt32LE(0) !== message.length) {
    throw new Error(`a reply of ${message.length} bytes whose header says otherwise`)
  }
  return { unique: message.readBigUInt64LE(8), errno: 0 - message.readInt32LE(4), body: message.subarray(16) }
}

/** What the kernel is told of a node. */
export interface Attributes {
  readonly ino: bigint
  readonly size: bigint
  readonly mtimeSeconds: bigint
  readonly mtimeNanos: number
  readonly mode: number
  readonly nlink: number
  readonly uid: number
  readonly gid: number
}

/** `struct fuse_attr` (88 bytes) at `at`. */
const attributesAt = (body: Buffer, at: number): Attributes => ({
  ino: body.readBigUInt64LE(at),
  size: body.readBigUInt64LE(at + 8),
  mtimeSeconds: body.readBigInt64LE(at + 32),
  mtimeNanos: body.readUInt32LE(at + 52),
  mode: body.readUInt32LE(at + 60),
  nlink: body.readUInt32LE(at + 64),
  uid: body.readUInt32LE(at + 68),
  gid: body.readUInt32LE(at + 72),
})

/** `struct fuse_attr_out` (104 bytes): the body of a reply to GETATTR. */
export const parseAttributes = (body: Buffer): Attributes => attributesAt(body, 16)

/** `struct fuse_entry_out` (128 bytes): the body of a reply to LOOKUP. `node` is 0 if there is no such name. */
export const parseEntry = (body: Buffer): { readonly node: bigint; readonly attributes: Attributes } => ({
  node: body.readBigUInt64LE(0),
  attributes: attributesAt(body, 40),
})

/** An entry of a listing. */
export interface Dirent {
  /** Of the entry before the name: 0 where no reference is counted. READDIRPLUS only. */
  readonly node: bigint
  readonly ino: bigint
  /** The offset from which a listing goes on after this entry. */
  readonly next: bigint
  /** `DT_*` */
  readonly type: number
  /** A byte a character (Latin-1). */
  readonly name: string
}

/** The entries of a READDIR body, or with `plus` of a READDIRPLUS body. */
export const parseDirents = (body: Buffer, plus = false): ReadonlyArray<Dirent> => {
  const entries: Array<Dirent> = []
  for (let at = 0; at < body.length;) {
    const base = plus ? at + 128 : at
    const length = body.readUInt32LE(base + 16)
    entries.push({
      node: plus ? body.readBigUInt64LE(at) : 0n,
      ino: body.readBigUInt64LE(base),
      next: body.readBigUInt64LE(base + 8),
      type: body.readUInt32LE(base + 20),
      name: body.toString("latin1", base + 24, base + 24 + length),
    })
    at = base + 24 + Math.ceil(length / 8) * 8
    if (at > body.length) throw new Error("an entry that is longer than the listing")
  }
  return entries
}
