/**
 * The item types of §1.4, each with the content sizes it may have (§1.5).
 *
 * Types are objects, compared by identity. Their 64-bit values are the SipHash-2-4 of the label, which the tests verify.
 */
export interface ItemType {
  readonly name: string
  /** `__PROXMOX_FORMAT_` + label + `__` hashes to `value`. */
  readonly label: string
  readonly value: bigint
  /** Halves of `value`, for comparing without `bigint`. */
  readonly low: number
  readonly high: number
  /** Permitted content sizes in bytes, without the header; both inclusive. */
  readonly minContent: number
  readonly maxContent: number
  /** Whether it belongs between an ENTRY and the item that ends the entry (§1.6). */
  readonly isAttribute: boolean
}

const ANY = Number.MAX_SAFE_INTEGER - 16
/** By the lower half as a signed number, which V8 keeps without allocating. */
const byLow = new Map<number, ItemType>()

const define = (
  name: string,
  value: bigint,
  minContent: number,
  maxContent = minContent,
  label: string = name,
  isAttribute = false,
): ItemType => {
  const low = Number(value & 0xffff_ffffn)
  const type: ItemType = { name, label, value, low, high: Number(value >> 32n), minContent, maxContent, isAttribute }
  byLow.set(low | 0, type)
  return type
}

/** An item that says something about an entry, before the item that ends the entry. */
const attribute = (name: string, value: bigint, minContent: number, maxContent = minContent): ItemType =>
  define(name, value, minContent, maxContent, name, true)

export const FORMAT_VERSION = define("FORMAT_VERSION", 0x730f6c75df16a40dn, 8, 8, "VERSION")
export const PRELUDE = define("PRELUDE", 0xe309d79d9f7b771bn, 0, ANY)
export const ENTRY = define("ENTRY", 0xd5956474e588acefn, 40, 40, "ENTRY_V2")
export const ENTRY_V1 = define("ENTRY_V1", 0x11da850a1c1cceffn, 32, 32, "ENTRY")
export const FILENAME = define("FILENAME", 0x16701121063917b3n, 2, 4097)
export const SYMLINK = define("SYMLINK", 0x27f971e7dbf5dc5fn, 2, 4097)
export const DEVICE = define("DEVICE", 0x9fc9e906586d5ce9n, 16)
export const XATTR = attribute("XATTR", 0x0dab0229b57dcd03n, 2, 65_791)
export const ACL_USER = attribute("ACL_USER", 0x2ce8540a457d55b8n, 16)
export const ACL_GROUP = attribute("ACL_GROUP", 0x136e3eceb04c03abn, 16)
export const ACL_GROUP_OBJ = attribute("ACL_GROUP_OBJ", 0x10868031e9582876n, 8)
export const ACL_DEFAULT = attribute("ACL_DEFAULT", 0xbbbb13415a6896f5n, 32)
export const ACL_DEFAULT_USER = attribute("ACL_DEFAULT_USER", 0xc89357b40532cd1fn, 16)
export const ACL_DEFAULT_GROUP = attribute("ACL_DEFAULT_GROUP", 0xf90a8a5816038ffen, 16)
export const FCAPS = attribute("FCAPS", 0x2da9dd9db5f7fb67n, 0, 65_791)
export const QUOTA_PROJID = attribute("QUOTA_PROJID", 0xe07540e82f7d1cbbn, 8)
export const HARDLINK = define("HARDLINK", 0x51269c8422bd7275n, 9, 4105)
export const PAYLOAD = define("PAYLOAD", 0x28147a1b0b7c1a25n, 0, ANY, "PXAR_PAYLOAD")
export const PAYLOAD_REF = define("PAYLOAD_REF", 0x419d3d6bc4ba977en, 16, 16, "PXAR_PAYLOAD_REF")
export const GOODBYE = define("GOODBYE", 0x2fec4fa642d5731dn, 24, ANY)
export const PAYLOAD_START_MARKER = define(
  "PAYLOAD_START_MARKER",
  0x834c68c2194a4ed2n,
  0,
  0,
  "PXAR_PAYLOAD_START_MARKER",
)
export const PAYLOAD_TAIL_MARKER = define("PAYLOAD_TAIL_MARKER", 0x6c72b78b984c81b5n, 0, 0, "PXAR_PAYLOAD_TAIL_MARKER")

/** The hash field of a goodbye table's tail (§3.4); never an item type. */
export const GOODBYE_TAIL_MARKER = {
  label: "PXAR_GOODBYE_TAIL_MARKER",
  value: 0xef5eed5b753e1555n,
  low: 0x753e1555,
  high: 0xef5eed5b,
} as const

/** First eight bytes of an archive from before June 2020, as the halves of a little-endian u64 (§1.9). */
export const PRE_RELEASE = { low: 0xea5bbb51, high: 0x1396fabc } as const

/** The type with these halves of its 64-bit value, or `undefined`. */
export const fromHalves = (low: number, high: number): ItemType | undefined => {
  const type = byLow.get(low | 0)
  return type !== undefined && type.high === high ? type : undefined
}
