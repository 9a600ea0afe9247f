/**
 * `renameat2(2)` with `RENAME_NOREPLACE`.
 *
 * Returns 0 or a negative errno and throws nothing. Paths belong to the caller and are used during the call only.
 */
import koffi from "koffi"

const AT_FDCWD = -100
const RENAME_NOREPLACE = 1
/** By number, because not every libc has it by name. */
const SYS_RENAMEAT2 = process.arch === "x64" ? 316 : 276

type Call = (
  number: number,
  fromDirectory: number,
  from: Uint8Array,
  toDirectory: number,
  to: Uint8Array,
  flags: number,
) => number

let call: Call | undefined

/**
 * Renames a file unless the new name exists (-EEXIST). -EINVAL or -ENOSYS: the file system, or the kernel, cannot do
 * it. Paths end in a NUL, which is part of their bytes.
 */
export const renameNoReplace = (from: Uint8Array, to: Uint8Array): number => {
  call ??= koffi
    .load(null)
    .func("long syscall(long, int, const uint8_t *, int, const uint8_t *, uint)") as unknown as Call
  return call(SYS_RENAMEAT2, AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) < 0 ? -koffi.errno() : 0
}
