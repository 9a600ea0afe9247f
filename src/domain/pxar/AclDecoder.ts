/**
 * Reads `system.posix_acl_access` and `system.posix_acl_default` into the ACL items that an archive stores (§2.7): the
 * inverse of `PosixAcl`.
 *
 * Values come from a file system, so they can be anything: what is no ACL (§8.4) is `undefined`, nothing is guessed.
 */
import * as Bytes from "../Bytes.ts"
import type { AclEntry, Attributes } from "./Entry.ts"
import { NO_PERMISSIONS } from "./Entry.ts"
import * as PosixAcl from "./PosixAcl.ts"

/** The items of an access ACL. */
export type Access = Pick<Attributes, "aclUsers" | "aclGroups" | "aclGroupObj">

/** The items of a default ACL. */
export type Default = Pick<Attributes, "aclDefault" | "aclDefaultUsers" | "aclDefaultGroups">

/**
 * `system.posix_acl_access`. With a mask the group bits of the mode are that mask, so the owning group's own
 * permissions are kept as `aclGroupObj`; without one the ACL is the mode (§8.2).
 */
export const access = (value: Uint8Array): Access | undefined => {
  const acl = parse(value)
  if (acl === undefined) return undefined
  return {
    aclUsers: acl.users,
    aclGroups: acl.groups,
    aclGroupObj: acl.objects.has(PosixAcl.MASK) ? acl.objects.get(PosixAcl.GROUP_OBJ) : undefined,
  }
}

/** `system.posix_acl_default` (§8.3). An absent entry, usually the mask, is `NO_PERMISSIONS`. */
const defaultAcl = (value: Uint8Array): Default | undefined => {
  const acl = parse(value)
  if (acl === undefined) return undefined
  const permissions = (tag: number): bigint => acl.objects.get(tag) ?? NO_PERMISSIONS
  return {
    aclDefault:
      acl.objects.size === 0
        ? undefined
        : {
            userObj: permissions(PosixAcl.USER_OBJ),
            groupObj: permissions(PosixAcl.GROUP_OBJ),
            other: permissions(PosixAcl.OTHER),
            mask: permissions(PosixAcl.MASK),
          },
    aclDefaultUsers: acl.users,
    aclDefaultGroups: acl.groups,
  }
}
export { defaultAcl as default_ }

interface Parsed {
  /** Permissions by tag, of the tags that have no id. */
  readonly objects: ReadonlyMap<number, bigint>
  /** Ascending by id (§6.3). */
  readonly users: ReadonlyArray<AclEntry>
  readonly groups: ReadonlyArray<AclEntry>
}

const HEADER_SIZE = 4
const ENTRY_SIZE = 8

const parse = (value: Uint8Array): Parsed | undefined => {
  if (value.length < HEADER_SIZE || (value.length - HEADER_SIZE) % ENTRY_SIZE !== 0) return undefined
  const view = Bytes.dataView(value)
  if (view.getUint32(0, true) !== PosixAcl.VERSION) return undefined
  const objects = new Map<number, bigint>()
  const users: Array<AclEntry> = []
  const groups: Array<AclEntry> = []
  for (let at = HEADER_SIZE; at < value.length; at += ENTRY_SIZE) {
    const tag = view.getUint16(at, true)
    const permissions = BigInt(view.getUint16(at + 2, true))
    const entry: AclEntry = { id: BigInt(view.getUint32(at + 4, true)), permissions }
    if (permissions > 7n) return undefined
    switch (tag) {
      case PosixAcl.USER:
        users.push(entry)
        break
      case PosixAcl.GROUP:
        groups.push(entry)
        break
      case PosixAcl.USER_OBJ:
      case PosixAcl.GROUP_OBJ:
      case PosixAcl.MASK:
      case PosixAcl.OTHER:
        objects.set(tag, permissions)
        break
      default:
        return undefined
    }
  }
  return { objects, users: users.sort(byId), groups: groups.sort(byId) }
}

const byId = (a: AclEntry, b: AclEntry): number => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
