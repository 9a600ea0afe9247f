/**
 * The extended attributes that a file system shows for an entry (§8.1), and their list as `listxattr(2)` wants it.
 */
import * as Bytes from "../Bytes.ts"
import * as Work from "../Work.ts"
import type { Entry, Finding, Xattr } from "./Entry.ts"
import { noAttributes } from "./Entry.ts"
import * as PosixAcl from "./PosixAcl.ts"

/** The longest name of an attribute that Linux takes, in bytes (§8.6). */
export const MAX_NAME = 255
/** The longest list of names, in bytes (§8.6). */
export const MAX_LIST = 65_536

/** File capabilities. */
export const CAPABILITY: Uint8Array = Bytes.fromText("security.capability")
/** The access ACL (§8.2). */
export const ACL_ACCESS: Uint8Array = Bytes.fromText("system.posix_acl_access")
/** The default ACL (§8.3). */
export const ACL_DEFAULT: Uint8Array = Bytes.fromText("system.posix_acl_default")

const XFS_ACL = Bytes.fromText("trusted.SGI_ACL_")

/** Whether this is a name under which XFS shows an ACL a second time: neither stored, nor compared, nor restored. */
export const isXfsAcl = (name: Uint8Array): boolean => Bytes.equals(name.subarray(0, XFS_ACL.length), XFS_ACL)

/** What is shown, and what had to be left out. */
export interface XattrList {
  /** In list order, each name once. */
  readonly xattrs: ReadonlyArray<Xattr>
  readonly findings: ReadonlyArray<Finding>
}

const empty: XattrList = { xattrs: [], findings: [] }

/** An entry with more attribute items than this has its list made once, not once a question. */
export const MANY = 64

/** Such lists, for as long as somebody has the entry: what a value is made into, and nothing that changes. */
const made = new WeakMap<Entry, Made>()

/** A list, and its attributes by name (`Bytes.toKey`). */
interface Made extends XattrList {
  readonly byName: ReadonlyMap<string, Xattr>
}

/** The attributes of an entry. Of equal names the first in list order wins (E6). */
export const fromEntry = (entry: Entry): XattrList => (entry.attributes === noAttributes ? empty : listOf(entry))

const listOf = (entry: Entry): Made => {
  const known = made.get(entry)
  if (known !== undefined) return known
  const list = Work.finish(makeList(entry))
  if (itemsOf(entry) > MANY) made.set(entry, list)
  return list
}

/** Number of attribute items of an entry. */
export const itemsOf = ({
  attributes: { aclDefaultGroups, aclDefaultUsers, aclGroups, aclUsers, xattrs },
}: Entry): number =>
  xattrs.length + aclUsers.length + aclGroups.length + aclDefaultUsers.length + aclDefaultGroups.length

/** Whether the list of an entry takes a while to make, and has not been made: to be made with `make` where others wait. */
export const takesLong = (entry: Entry): boolean => itemsOf(entry) > PIECE && !made.has(entry)

/** Makes the list of an entry, in pieces; it is kept for as long as somebody has the entry. */
export function* make(entry: Entry): Generator<void, void> {
  made.set(entry, yield* makeList(entry))
}

/** Attributes of a piece. */
const PIECE = 1024

function* makeList(entry: Entry): Work.Work<Made> {
  const { attributes } = entry
  const all: Array<Xattr> = [...attributes.xattrs]
  if (attributes.fcaps !== undefined) all.push({ name: CAPABILITY, value: attributes.fcaps })
  const access = PosixAcl.access(entry)
  if (access.value !== undefined) all.push({ name: ACL_ACCESS, value: access.value })
  const defaults = PosixAcl.default_(entry)
  if (defaults.value !== undefined) all.push({ name: ACL_DEFAULT, value: defaults.value })

  const findings = [...access.findings, ...defaults.findings]
  const byName = new Map<string, Xattr>()
  let seen = 0
  for (const xattr of all) {
    if (++seen % PIECE === 0) yield
    const key = Bytes.toKey(xattr.name)
    if (byName.has(key)) {
      findings.push({ check: "E6", offset: entry.start, detail: "second extended attribute of one name ignored" })
    } else {
      byName.set(key, xattr)
    }
  }
  return { xattrs: [...byName.values()], findings, byName }
}

/** The value of the attribute `name`, or `undefined`. */
export const get = (entry: Entry, name: Uint8Array): Uint8Array | undefined =>
  entry.attributes === noAttributes ? undefined : listOf(entry).byName.get(Bytes.toKey(name))?.value

/**
 * The names as `join` puts them together. Names longer than `MAX_NAME`, which nobody could query, and names that would
 * make the list exceed `MAX_LIST` are left out (§8.6).
 */
export const names = ({ xattrs }: XattrList): Uint8Array => {
  const kept: Array<Uint8Array> = []
  let size = 0
  for (const { name } of xattrs) {
    if (name.length > MAX_NAME || size + name.length + 1 > MAX_LIST) continue
    kept.push(name)
    size += name.length + 1
  }
  return join(kept)
}

/** Names one after the other, each with a NUL. */
export const join = (names: ReadonlyArray<Uint8Array>): Uint8Array => {
  const list = new Uint8Array(names.reduce((size, name) => size + name.length + 1, 0))
  let at = 0
  for (const name of names) {
    list.set(name, at)
    at += name.length + 1
  }
  return list
}

/** The names in what `join` gives, without their NULs, in the memory of `list`. */
export const split = (list: Uint8Array): ReadonlyArray<Uint8Array> => {
  const names: Array<Uint8Array> = []
  for (let from = 0, end = list.indexOf(0); end >= 0; from = end + 1, end = list.indexOf(0, from)) {
    names.push(list.subarray(from, end))
  }
  return names
}
