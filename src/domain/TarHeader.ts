/**
 * Headers of tar archives in the pax format (POSIX.1-2001), as GNU tar and libarchive write them. Pure.
 *
 * What fits into the ustar header of 512 bytes stands there; what does not stands in a pax header before it: names that
 * are long or not ASCII, large numbers, nanoseconds, extended attributes (`SCHILY.xattr.NAME`) and ACLs
 * (`SCHILY.acl.access`, `SCHILY.acl.default`). Nothing is rounded or cut.
 */
import * as Bytes from "./Bytes.ts"

/** Everything in tar is a whole number of blocks. */
export const BLOCK = 512

/** What follows a header, or what it stands for (`typeflag`). */
export type Kind = "File" | "HardLink" | "Symlink" | "CharacterDevice" | "BlockDevice" | "Directory" | "Fifo"

/** An entry. Names are bytes. */
export interface TarHeader {
  /** Without a slash at either end. */
  readonly path: Uint8Array
  readonly kind: Kind
  /** Permissions, set-id and sticky bits. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Bytes of the content of a file; 0 for all else. */
  readonly size: number
  readonly mtimeSeconds: bigint
  /** 0…999 999 999, added to the seconds also when those are negative. */
  readonly mtimeNanos: number
  /** Target of a link: for a hard link the path of an entry before. */
  readonly target?: Uint8Array | undefined
  readonly device?: { readonly major: bigint; readonly minor: bigint } | undefined
  readonly xattrs?: ReadonlyArray<{ readonly name: Uint8Array; readonly value: Uint8Array }> | undefined
  /** ACLs as text, see acl(5), with numbers for users and groups. */
  readonly accessAcl?: string | undefined
  readonly defaultAcl?: string | undefined
}

const flags: Readonly<Record<Kind, string>> = {
  File: "0",
  HardLink: "1",
  Symlink: "2",
  CharacterDevice: "3",
  BlockDevice: "4",
  Directory: "5",
  Fifo: "6",
}

/** Bytes of the names in a ustar header. */
const NAME = 100
/** What the numbers of a ustar header hold: 7 and 11 octal digits. */
const MAX_ID = 0o7777777
const MAX_SIZE = 0o77777777777

/** The header of an entry: one block, or as many as its pax header needs before it. */
export const encode = (header: TarHeader): Uint8Array => {
  const records = recordsOf(header)
  const main = block({ ...header, path: entryPath(header) }, flags[header.kind])
  if (records.length === 0) return main
  const content = Bytes.concat(records)
  const extended = block(
    {
      path: Bytes.concat([Bytes.fromText("PaxHeaders/"), header.path.subarray(header.path.lastIndexOf(SLASH) + 1)]),
      mode: 0o644,
      uid: 0,
      gid: 0,
      size: content.length,
      mtimeSeconds: 0n,
    },
    "x",
  )
  return Bytes.concat([extended, content, padding(content.length), main])
}

/** The zeros that fill the last block of a content of `size` bytes. */
export const padding = (size: number): Uint8Array => new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK)

/** What ends an archive after `size` bytes: two blocks of zeros, and as many as fill a record of 20 blocks. */
export const end = (size: number): Uint8Array => {
  const length = 2 * BLOCK
  return new Uint8Array(length + ((RECORD - ((size + length) % RECORD)) % RECORD))
}

const RECORD = 20 * BLOCK
const SLASH = 0x2f

/** Folders end with a slash, for readers that do not know their type. */
const entryPath = ({ kind, path }: TarHeader): Uint8Array =>
  kind === "Directory" ? Bytes.concat([path, Uint8Array.of(SLASH)]) : path

const isAscii = (bytes: Uint8Array): boolean => bytes.every((byte) => byte < 0x80)

const strict = new TextDecoder("utf-8", { fatal: true })

const isUtf8 = (bytes: Uint8Array): boolean => {
  try {
    strict.decode(bytes)
    return true
  } catch {
    return false
  }
}

const recordsOf = (header: TarHeader): ReadonlyArray<Uint8Array> => {
  const records: Array<Uint8Array> = []
  const add = (key: string | Uint8Array, value: Uint8Array | string): void =>
    void records.push(record(typeof key === "string" ? Bytes.fromText(key) : key, value))
  const addNumber = (key: string, value: number | bigint, most: number): void => {
    if (BigInt(value) > BigInt(most)) add(key, String(value))
  }
  const path = entryPath(header)
  const { accessAcl, defaultAcl, device, mtimeNanos, mtimeSeconds, target, xattrs } = header
  const names = target === undefined ? [path] : [path, target]
  // Names are UTF-8 otherwise: readers convert them, and fail where they are not.
  if (!names.every(isUtf8)) add("hdrcharset", "BINARY")
  if (path.length > NAME || !isAscii(path)) add("path", path)
  if (target !== undefined && (target.length > NAME || !isAscii(target))) add("linkpath", target)
  addNumber("size", header.size, MAX_SIZE)
  addNumber("uid", header.uid, MAX_ID)
  addNumber("gid", header.gid, MAX_ID)
  if (mtimeNanos !== 0 || mtimeSeconds < 0n || mtimeSeconds > BigInt(MAX_SIZE)) {
    add("mtime", decimalTime(mtimeSeconds, mtimeNanos))
  }
  if (device !== undefined) {
    addNumber("SCHILY.devmajor", device.major, MAX_ID)
    addNumber("SCHILY.devminor", device.minor, MAX_ID)
  }
  if (accessAcl !== undefined) add("SCHILY.acl.access", accessAcl)
  if (defaultAcl !== undefined) add("SCHILY.acl.default", defaultAcl)
  for (const { name, value } of xattrs ?? []) add(xattrKey(name), value)
  return records
}

/** A key cannot hold `=`; GNU tar writes it, and what it writes it with, as in a URL. */
const xattrKey = (name: Uint8Array): Uint8Array => {
  const parts = [Bytes.fromText("SCHILY.xattr.")]
  for (const byte of name) {
    parts.push(byte === 0x3d ? Bytes.fromText("%3D") : byte === 0x25 ? Bytes.fromText("%25") : Uint8Array.of(byte))
  }
  return Bytes.concat(parts)
}

/** `LENGTH KEY=VALUE\n`; the length counts itself. */
const record = (key: Uint8Array, value: Uint8Array | string): Uint8Array => {
  const content = Bytes.concat([
    Bytes.fromText(" "),
    key,
    Bytes.fromText("="),
    typeof value === "string" ? Bytes.fromText(value) : value,
    Bytes.fromText("\n"),
  ])
  let length = content.length + String(content.length).length
  if (content.length + String(length).length > length) length++
  return Bytes.concat([Bytes.fromText(String(length)), content])
}

/** Seconds with nine decimal places. Nanoseconds count forward, so half a second before the epoch is -1 and 500 million. */
const decimalTime = (seconds: bigint, nanos: number): string => {
  const total = seconds * 1_000_000_000n + BigInt(nanos)
  const [sign, size] = total < 0n ? ["-", -total] : ["", total]
  const fraction = String(size % 1_000_000_000n).padStart(9, "0")
  return `${sign}${size / 1_000_000_000n}${nanos === 0 ? "" : `.${fraction}`}`
}

type Fields = Pick<TarHeader, "path" | "mode" | "uid" | "gid" | "size" | "mtimeSeconds" | "target" | "device">

const block = (fields: Fields, typeflag: string): Uint8Array => {
  const bytes = new Uint8Array(BLOCK)
  const text = (at: number, value: string): void => bytes.set(Bytes.fromText(value), at)
  /** Octal digits with a NUL behind; what does not fit is in the pax header. */
  const octal = (at: number, digits: number, value: number | bigint, most: number): void => {
    const fits = value >= 0 && value <= most
    text(at, (fits ? value : 0).toString(8).padStart(digits, "0"))
  }
  bytes.set(fields.path.subarray(0, NAME), 0)
  octal(100, 7, fields.mode, MAX_ID)
  octal(108, 7, fields.uid, MAX_ID)
  octal(116, 7, fields.gid, MAX_ID)
  octal(124, 11, fields.size, MAX_SIZE)
  octal(136, 11, fields.mtimeSeconds, MAX_SIZE)
  text(156, typeflag)
  if (fields.target !== undefined) bytes.set(fields.target.subarray(0, NAME), 157)
  text(257, "ustar\u000000")
  octal(329, 7, fields.device?.major ?? 0, MAX_ID)
  octal(337, 7, fields.device?.minor ?? 0, MAX_ID)
  // The checksum is that of the header with spaces in its place.
  bytes.fill(0x20, 148, 156)
  const sum = bytes.reduce((total, byte) => total + byte, 0)
  text(148, `${sum.toString(8).padStart(6, "0")}\u0000 `)
  return bytes
}
