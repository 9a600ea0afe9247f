/**
 * `renameat2(2)` with `RENAME_NOREPLACE`.
 *
 * Returns 0 or a negative errno and throws nothing. Paths belong to the caller and are used during the call only.
 */
import * as Libc from "./Libc.ts"

const RENAME_NOREPLACE = 1

/**
 * Renames a file unless the new name exists (-EEXIST). -EINVAL or -ENOSYS: the file system, or the kernel, cannot do
 * it. Paths end in a NUL, which is part of their bytes.
 */
export const renameNoReplace = (from: Uint8Array, to: Uint8Array): number =>
  Libc.renameat2(Libc.AT_FDCWD, from, Libc.AT_FDCWD, to, RENAME_NOREPLACE)
