/**
 * ACLs as text, as acl(5) has it and tar archives hold it, with numbers for users and groups.
 */
import * as PosixAcl from "./PosixAcl.ts"

const tags: Readonly<Record<number, string>> = {
  [PosixAcl.USER_OBJ]: "user",
  [PosixAcl.USER]: "user",
  [PosixAcl.GROUP_OBJ]: "group",
  [PosixAcl.GROUP]: "group",
  [PosixAcl.MASK]: "mask",
  [PosixAcl.OTHER]: "other",
}

/** The entries of an ACL in the layout of `system.posix_acl_*`: `user::rwx`, `user:1000:r-x`, … */
export const entries = (value: Uint8Array): ReadonlyArray<string> =>
  PosixAcl.decode(value).map(
    ({ id, permissions, tag }) => `${tags[tag]}:${id === PosixAcl.NO_ID ? "" : id}:${letters(permissions)}`,
  )

/** The same as one text, with commas. */
export const print = (value: Uint8Array): string => entries(value).join(",")

const letters = (permissions: number): string =>
  ((permissions & 4) === 0 ? "-" : "r") + ((permissions & 2) === 0 ? "-" : "w") + ((permissions & 1) === 0 ? "-" : "x")
