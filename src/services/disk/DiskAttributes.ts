/**
 * The metadata of an open entry: status, chattr flags, project quota id, extended attributes, ACLs and capabilities,
 * read as the reference reads them (§2.5–§2.8, §5, §8).
 *
 * Attributes exist for files and directories only, in the order in which the file system lists them. One that cannot be
 * read is a warning; a file system that has none of a sort is not.
 */
import { getSystemErrorMessage } from "node:util"
import * as Errno from "../../domain/Errno.ts"
import * as AclDecoder from "../../domain/pxar/AclDecoder.ts"
import * as Bytes from "../../domain/Bytes.ts"
import type { Attributes, Xattr } from "../../domain/pxar/Entry.ts"
import { noAttributes, S_IFDIR, S_IFMT } from "../../domain/pxar/Entry.ts"
import type { Metadata } from "../../domain/pxar/EntryEncoder.ts"
import * as FeatureFlags from "../../domain/pxar/FeatureFlags.ts"
import * as ItemType from "../../domain/pxar/ItemType.ts"
import * as PathText from "../../domain/PathText.ts"
import * as XattrList from "../../domain/pxar/XattrList.ts"
import * as Syscalls from "../posix/ReadSyscalls.ts"
import { type Kind, DiskWarning } from "./DiskWarning.ts"

export interface Source {
  readonly status: Syscalls.Status
  /** -1 for what is neither file nor directory. */
  readonly fd: number
  /** What its file system can keep (§5). */
  readonly features: bigint
}

/** Which attributes to read; all by default. */
export interface Options {
  readonly xattrs?: boolean | undefined
  readonly acls?: boolean | undefined
  readonly fcaps?: boolean | undefined
}

/** Reads the metadata of `source`; `path` is asked for when a warning needs it. */
export const read = (
  source: Source,
  path: () => Uint8Array,
  options: Options,
): { readonly metadata: Metadata; readonly warnings: ReadonlyArray<DiskWarning> } => {
  const { fd, features, status } = source
  let warnings: Array<DiskWarning> | undefined
  const warn: Warn = (detail) => {
    const kind: Kind = "Attribute"
    ;(warnings ??= []).push(new DiskWarning({ kind, path: path(), detail }))
  }
  const metadata: Metadata = {
    mode: status.mode,
    flags: fd < 0 ? 0n : readFlags(fd, features, warn),
    uid: status.uid,
    gid: status.gid,
    mtimeSeconds: status.mtimeSeconds,
    mtimeNanos: status.mtimeNanos,
    attributes: fd < 0 ? noAttributes : readAttributes(source, options, warn),
  }
  return { metadata, warnings: warnings ?? noWarnings }
}

const noWarnings: ReadonlyArray<DiskWarning> = []

type Warn = (detail: string) => void

const { EBADF, EINVAL, ENOTTY, ENOSYS, ENODATA, EOPNOTSUPP } = Errno.code

/** Whether a call failed because the file system, or the kernel, has no such thing. */
const isUnsupported = (errno: number): boolean =>
  errno === -ENOTTY || errno === -EOPNOTSUPP || errno === -ENOSYS || errno === -EINVAL || errno === -EBADF

const readFlags = (fd: number, features: bigint, warn: Warn): bigint => {
  if ((features & FeatureFlags.CHATTR) === 0n) return 0n
  const bits = Syscalls.getFlags(fd)
  if (bits >= 0) return FeatureFlags.fromChattr(bits) & features
  if (!isUnsupported(bits)) warn(`cannot read file flags: ${getSystemErrorMessage(bits)}`)
  return 0n
}

type Found = { -readonly [K in keyof Attributes]: Attributes[K] } & { xattrs: Array<Xattr> }

const readAttributes = (source: Source, options: Options, warn: Warn): Attributes => {
  const { fd, features } = source
  let found: Found | undefined
  const attributes = (): Found => (found ??= { ...noAttributes, xattrs: [] })

  if ((features & FeatureFlags.QUOTA_PROJID) !== 0n) {
    const id = Syscalls.getProjectId(fd)
    if (id > 0) attributes().quotaProjectId = BigInt(id)
    else if (id < 0 && !isUnsupported(id)) warn(`cannot read project id: ${getSystemErrorMessage(id)}`)
  }
  const { acls = true, fcaps = true, xattrs = true } = options
  if (!acls && !fcaps && !xattrs) return found ?? noAttributes
  const names = Syscalls.listXattrs(fd)
  if (typeof names === "number") {
    if (!isUnsupported(names)) warn(`cannot list extended attributes: ${getSystemErrorMessage(names)}`)
    return found ?? noAttributes
  }
  for (let start = 0; start < names.length;) {
    const end = names.indexOf(0, start)
    const name = names.subarray(start, end)
    const sort = sortOf(name)
    start = end + 1
    if (sort === undefined || !{ acls, fcaps, xattrs }[sort]) continue
    const value = Syscalls.getXattr(fd, names.subarray(end - name.length, end + 1))
    if (typeof value !== "number") store(attributes(), source, sort, name, value, warn)
    // Gone since it was listed: as if it had never been.
    else if (value !== -ENODATA) warn(`cannot read ${PathText.print(name)}: ${getSystemErrorMessage(value)}`)
  }
  return found ?? noAttributes
}

const USER = Bytes.fromText("user.")
const TRUSTED = Bytes.fromText("trusted.")
const NTACL = Bytes.fromText("security.NTACL")
const ACL = Bytes.fromText("system.posix_acl_")

const startsWith = (name: Uint8Array, prefix: Uint8Array): boolean =>
  name.length >= prefix.length && Bytes.equals(name.subarray(0, prefix.length), prefix)

/** Where an attribute goes; `undefined` for those that archives do not keep (§2.5). */
const sortOf = (name: Uint8Array): "xattrs" | "acls" | "fcaps" | undefined => {
  if (XattrList.isXfsAcl(name)) return undefined
  if (startsWith(name, USER) || startsWith(name, TRUSTED) || Bytes.equals(name, NTACL)) return "xattrs"
  if (Bytes.equals(name, XattrList.CAPABILITY)) return "fcaps"
  return startsWith(name, ACL) ? "acls" : undefined
}

const store = (
  found: Found,
  { status }: Source,
  sort: "xattrs" | "acls" | "fcaps",
  name: Uint8Array,
  value: Uint8Array,
  warn: Warn,
): void => {
  if (sort === "xattrs") {
    if (name.length + 1 + value.length > ItemType.XATTR.maxContent) {
      return warn(`${PathText.print(name)} does not fit into an archive: ${value.length} bytes`)
    }
    return void found.xattrs.push({ name, value })
  }
  if (sort === "fcaps") {
    found.fcaps = value
    return
  }
  const isDefault = Bytes.equals(name, XattrList.ACL_DEFAULT)
  if (isDefault && (status.mode & S_IFMT) !== S_IFDIR) return
  const acl = isDefault ? AclDecoder.default_(value) : AclDecoder.access(value)
  if (acl === undefined) warn(`${PathText.print(name)} is no ACL of a kind that archives keep`)
  else Object.assign(found, acl)
}
