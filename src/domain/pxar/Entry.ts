/**
 * One file-system object as the archive describes it: metadata (§2.2), attributes (§2.5–§2.8) and what its terminal
 * item says (§2.15).
 *
 * Values only; `EntryDecoder` reads them, `Stat` and `Xattr` show them the way a file system does.
 */
import type { Check } from "./FormatError.ts"

/** Type bits of `mode` (§2.2). */
export const S_IFMT = 0o170000
/** Socket. */
export const S_IFSOCK = 0o140000
/** Symbolic link. */
export const S_IFLNK = 0o120000
/** Regular file. */
export const S_IFREG = 0o100000
/** Block device. */
export const S_IFBLK = 0o060000
/** Directory. */
export const S_IFDIR = 0o040000
/** Character device. */
export const S_IFCHR = 0o020000
/** Named pipe. */
export const S_IFIFO = 0o010000

/** NO_MASK of §2.7: the permissions are not present. */
export const NO_PERMISSIONS = 0xffff_ffff_ffff_ffffn

/** An extended attribute under its full name, with namespace. */
export interface Xattr {
  readonly name: Uint8Array
  readonly value: Uint8Array
}

/** A named user's or group's permissions, unchecked (E8 is checked where the ACL is used). */
export interface AclEntry {
  readonly id: bigint
  readonly permissions: bigint
}

/** ACL_DEFAULT (§2.7); any field may be `NO_PERMISSIONS`. */
export interface AclDefault {
  readonly userObj: bigint
  readonly groupObj: bigint
  readonly other: bigint
  readonly mask: bigint
}

/** The attribute items of an entry, each list in archive order. */
export interface Attributes {
  readonly xattrs: ReadonlyArray<Xattr>
  readonly aclUsers: ReadonlyArray<AclEntry>
  readonly aclGroups: ReadonlyArray<AclEntry>
  readonly aclGroupObj: bigint | undefined
  readonly aclDefault: AclDefault | undefined
  readonly aclDefaultUsers: ReadonlyArray<AclEntry>
  readonly aclDefaultGroups: ReadonlyArray<AclEntry>
  readonly fcaps: Uint8Array | undefined
  readonly quotaProjectId: bigint | undefined
}

/** The attributes of most entries. */
export const noAttributes: Attributes = {
  xattrs: [],
  aclUsers: [],
  aclGroups: [],
  aclGroupObj: undefined,
  aclDefault: undefined,
  aclDefaultUsers: [],
  aclDefaultGroups: [],
  fcaps: undefined,
  quotaProjectId: undefined,
}

/** Where a file's bytes are (§4.5). For `"payload"` the PAYLOAD header stands 16 bytes before `start`. */
export interface Content {
  readonly source: "archive" | "payload"
  readonly start: number
  readonly length: number
  /** Bytes that are not in holes, of files that are in no archive; absent where there are no holes. */
  readonly allocated?: number | undefined
}

/** What the terminal item says. */
export type Body =
  | { readonly _tag: "File"; readonly content: Content }
  | { readonly _tag: "Directory"; readonly contentsStart: number }
  | { readonly _tag: "Symlink"; readonly target: Uint8Array }
  | { readonly _tag: "Device"; readonly major: bigint; readonly minor: bigint }
  | { readonly _tag: "Fifo" }
  | { readonly _tag: "Socket" }

/** A failed check that does not make the entry unusable ("report" in §7). */
export interface Finding {
  readonly check: Check
  readonly offset: number
  readonly detail: string
}

/** ENTRY or ENTRY_V1 with all that belongs to it. */
export interface Entry {
  readonly _tag: "Entry"
  /** Position of the ENTRY header. */
  readonly start: number
  /** Position after the terminal item; for a directory where its contents begin. */
  readonly end: number
  /** `st_mode`: at most 0o177777 (E1), type bits in agreement with `body`. */
  readonly mode: number
  /** Feature flags of §5, all 64 bits kept. */
  readonly flags: bigint
  readonly uid: number
  readonly gid: number
  /** Seconds since the epoch, signed 64 bits. */
  readonly mtimeSeconds: bigint
  /** 0…999 999 999, added to the seconds also when those are negative. */
  readonly mtimeNanos: number
  readonly attributes: Attributes
  readonly body: Body
  readonly findings: ReadonlyArray<Finding>
}

/** HARDLINK (§2.10): another name of the file whose FILENAME header is at `target`. */
export interface HardLink {
  readonly _tag: "HardLink"
  /** Position of the HARDLINK header. */
  readonly start: number
  readonly end: number
  readonly target: number
  /** Path of the target relative to the root; informational, `target` decides. */
  readonly path: Uint8Array
}

/** A name in a directory. */
export interface Child {
  readonly name: Uint8Array
  /** Position of the FILENAME header. */
  readonly nameStart: number
  readonly entry: Entry | HardLink
}
