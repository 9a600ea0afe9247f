/**
 * POSIX ACLs in the layout of the `system.posix_acl_*` attributes (§8.2–§8.4).
 */
import * as Bytes from "../Bytes.ts"
import type { AclEntry, Entry, Finding } from "./Entry.ts"
import { NO_PERMISSIONS } from "./Entry.ts"

/** Tags of §8.4, which are also their order. */
export const USER_OBJ = 0x01
export const USER = 0x02
export const GROUP_OBJ = 0x04
export const GROUP = 0x08
export const MASK = 0x10
export const OTHER = 0x20

/** The id of entries that have none. */
export const NO_ID = 0xffff_ffff

/** Version of the layout. */
export const VERSION = 2

/** One entry of an ACL. */
export interface AclItem {
  readonly tag: number
  readonly permissions: number
  readonly id: number
}

/** The value of an attribute, nothing if the entry has no such ACL, or why it cannot be shown (E8). */
export type Acl = { readonly value: Uint8Array | undefined; readonly findings: ReadonlyArray<Finding> }

const none: Acl = { value: undefined, findings: [] }

/** `system.posix_acl_access` (§8.2). */
export const access = (entry: Entry): Acl => {
  const { aclGroupObj, aclGroups, aclUsers } = entry.attributes
  if (aclUsers.length === 0 && aclGroups.length === 0 && aclGroupObj === undefined) return none
  if (entry.body._tag === "Symlink") return none
  const groupBits = BigInt((entry.mode >> 3) & 7)
  return build(
    entry,
    "access",
    [
      [USER_OBJ, BigInt((entry.mode >> 6) & 7)],
      [GROUP_OBJ, aclGroupObj ?? groupBits],
      [MASK, groupBits],
      [OTHER, BigInt(entry.mode & 7)],
    ],
    aclUsers,
    aclGroups,
  )
}

/** `system.posix_acl_default` (§8.3). */
const defaultAcl = (entry: Entry): Acl => {
  const { aclDefault, aclDefaultGroups, aclDefaultUsers } = entry.attributes
  if (aclDefault === undefined) {
    if (aclDefaultUsers.length === 0 && aclDefaultGroups.length === 0) return none
    return { value: undefined, findings: [finding(entry, "default ACL entries without ACL_DEFAULT ignored")] }
  }
  if (entry.body._tag !== "Directory") {
    return { value: undefined, findings: [finding(entry, "default ACL of something that is no directory ignored")] }
  }
  const { groupObj, other, userObj } = aclDefault
  let mask = aclDefault.mask
  if (mask === NO_PERMISSIONS && aclDefaultUsers.length + aclDefaultGroups.length > 0) {
    mask = [...aclDefaultUsers, ...aclDefaultGroups].reduce((all, item) => all | item.permissions, groupObj)
  }
  return build(
    entry,
    "default",
    [
      [USER_OBJ, userObj],
      [GROUP_OBJ, groupObj],
      ...(mask === NO_PERMISSIONS ? [] : [[MASK, mask] as const]),
      [OTHER, other],
    ],
    aclDefaultUsers,
    aclDefaultGroups,
  )
}
export { defaultAcl as default_ }

const finding = (entry: Entry, detail: string): Finding => ({ check: "E8", offset: entry.start, detail })

/** So many entries go into a value of the longest size that Linux takes, 64 KiB (xattr(7)). */
const MAX_ITEMS = 8191

const build = (
  entry: Entry,
  which: string,
  objects: ReadonlyArray<readonly [tag: number, permissions: bigint]>,
  users: ReadonlyArray<AclEntry>,
  groups: ReadonlyArray<AclEntry>,
): Acl => {
  if (objects.length + users.length + groups.length > MAX_ITEMS) {
    const detail = `${which} ACL of more than ${MAX_ITEMS} entries, which no file system takes, not shown`
    return { value: undefined, findings: [finding(entry, detail)] }
  }
  const named = [
    ...users.map((user) => [USER, user.permissions, user.id] as const),
    ...groups.map((group) => [GROUP, group.permissions, group.id] as const),
  ]
  const all = [...objects.map(([tag, permissions]) => [tag, permissions, BigInt(NO_ID)] as const), ...named]
  const bad = all.find(
    ([tag, permissions, id]) => permissions > 7n || ((tag & (USER | GROUP)) !== 0 && id > 0xffff_fffen),
  )
  if (bad !== undefined) {
    return { value: undefined, findings: [finding(entry, `${which} ACL with impossible permissions or id not shown`)] }
  }
  const seen = new Set<string>()
  const items: Array<AclItem> = []
  for (const [tag, permissions, id] of all) {
    const key = `${tag}:${id}`
    if (seen.has(key)) continue
    seen.add(key)
    items.push({ tag, permissions: Number(permissions), id: Number(id) })
  }
  return { value: encode(items), findings: [] }
}

/** Encodes an ACL in the mandatory order: tags as in §8.4, ids ascending. */
export const encode = (items: ReadonlyArray<AclItem>): Uint8Array => {
  const bytes = new Uint8Array(4 + 8 * items.length)
  const view = Bytes.dataView(bytes)
  view.setUint32(0, VERSION, true)
  for (const [index, item] of [...items].sort((a, b) => a.tag - b.tag || a.id - b.id).entries()) {
    view.setUint16(4 + 8 * index, item.tag, true)
    view.setUint16(6 + 8 * index, item.permissions, true)
    view.setUint32(8 + 8 * index, item.id, true)
  }
  return bytes
}

/** The entries of an ACL that `encode` made. */
export const decode = (value: Uint8Array): ReadonlyArray<AclItem> => {
  const view = Bytes.dataView(value)
  return Array.from({ length: Math.floor((value.length - 4) / 8) }, (_, index) => ({
    tag: view.getUint16(4 + 8 * index, true),
    permissions: view.getUint16(6 + 8 * index, true),
    id: view.getUint32(8 + 8 * index, true),
  }))
}
