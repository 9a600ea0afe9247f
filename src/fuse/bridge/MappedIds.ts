/**
 * ACLs in a user namespace (an unprivileged container): entries that name a user or group whom the namespace does not map
 * are left out.
 *
 * The kernel takes an ACL with such an entry for malformed, and every access to the file then ends with EINVAL. Nobody in the
 * namespace can be whom the entry names, so that it decides nothing there. Owners need nothing: the kernel shows those that
 * are not mapped as `nobody`.
 */
import * as Effect from "effect/Effect"
import * as Bytes from "../../domain/Bytes.ts"
import * as PathText from "../../domain/PathText.ts"
import * as XattrList from "../../domain/pxar/XattrList.ts"
import * as AtOnce from "../../services/AtOnce.ts"
import type * as Bridge from "./Bridge.ts"

/** Ids that mean somebody: from `first` on, `count` of them. */
export interface Range {
  readonly first: number
  readonly count: number
}

/** What a namespace maps. */
export interface Maps {
  readonly users: ReadonlyArray<Range>
  readonly groups: ReadonlyArray<Range>
}

/** Reads the text of `/proc/PID/uid_map`, user_namespaces(7). */
export const parse = (text: string): ReadonlyArray<Range> =>
  text.split("\n").flatMap((line) => {
    const [first, , count] = line.trim().split(/\s+/).map(Number)
    return first === undefined || count === undefined || Number.isNaN(count) ? [] : [{ first, count }]
  })

const NOBODY = 0xffff_ffff

/** Outside of all namespaces. */
export const EVERYBODY: ReadonlyArray<Range> = [{ first: 0, count: NOBODY }]

/** Whether every id means somebody, as outside of all namespaces. */
export const isComplete = ({ groups, users }: Maps): boolean =>
  [users, groups].every((ranges) => ranges.some(({ count, first }) => first === 0 && count === NOBODY))

/** The same bridge with ACLs that the kernel takes; the first that is not whole is logged. */
export const make = (bridge: Bridge.Bridge, maps: Maps): Bridge.Bridge => {
  let told = false
  return {
    ...bridge,
    getxattr: (id, name) => {
      const value = bridge.getxattr(id, name)
      if (!isAcl(name)) return value
      return AtOnce.flatMap(value, (acl) => {
        const mapped = withoutUnmapped(acl, maps)
        if (mapped === acl || told) return Effect.succeed(mapped)
        told = true
        return Effect.as(
          Effect.flatMap(bridge.pathOf(id), (path) =>
            Effect.logWarning(
              `${PathText.print(path)}: its ACL names ids that do not exist in this user namespace; those entries, of other files too, are not shown`,
            ),
          ),
          mapped,
        )
      })
    },
  }
}

const isAcl = (name: Uint8Array): boolean =>
  Bytes.equals(name, XattrList.ACL_ACCESS) || Bytes.equals(name, XattrList.ACL_DEFAULT)

/** The layout of `system.posix_acl_*`: a version, then entries of tag, permissions and id (`posix_acl_xattr.h`). */
const VERSION_SIZE = 4
const ENTRY_SIZE = 8
const TAG_USER = 2
const TAG_GROUP = 8

/** The value without the entries that name nobody; the same one if there are none. */
const withoutUnmapped = (acl: Uint8Array, { groups, users }: Maps): Uint8Array => {
  const view = Bytes.dataView(acl)
  const kept = [acl.subarray(0, VERSION_SIZE)]
  let all = true
  for (let at = VERSION_SIZE; at + ENTRY_SIZE <= acl.length; at += ENTRY_SIZE) {
    const tag = view.getUint16(at, true)
    const id = view.getUint32(at + 4, true)
    const isMapped = tag === TAG_USER ? contains(users, id) : tag === TAG_GROUP ? contains(groups, id) : true
    if (isMapped) kept.push(acl.subarray(at, at + ENTRY_SIZE))
    else all = false
  }
  return all ? acl : Bytes.concat(kept)
}

const contains = (ranges: ReadonlyArray<Range>, id: number): boolean =>
  ranges.some(({ count, first }) => id >= first && id - first < count)
