/**
 * Writes the bytes of a file, zeros as holes.
 */
import * as Errno from "../../domain/Errno.ts"
import * as Syscalls from "../posix/WriteSyscalls.ts"

/** Bytes of zeros that become a hole, at a multiple of themselves. */
const HOLE = 4096
const zeros = Buffer.alloc(HOLE)

/** Writes what is not zero of `data` at `offset`, which is a multiple of `HOLE`. Returns 0 or a negative errno. */
export const write = (fd: number, data: Buffer, offset: number): number => {
  let from = 0
  while (from < data.length) {
    while (from < data.length && isHole(data, from)) from += HOLE
    let to = from
    while (to < data.length && !isHole(data, to)) to += HOLE
    const end = Math.min(to, data.length)
    while (from < end) {
      const part = from === 0 && end === data.length ? data : data.subarray(from, end)
      const written = Syscalls.writeAt(fd, part, offset + from)
      if (written <= 0) return written === 0 ? -Errno.code.EIO : written
      from += written
    }
    from = to
  }
  return 0
}

/** Whether the block at `from` is whole and zero. */
const isHole = (data: Buffer, from: number): boolean =>
  data[from] === 0 &&
  from + HOLE <= data.length &&
  data[from + HOLE - 1] === 0 &&
  data.compare(zeros, 0, HOLE, from, from + HOLE) === 0
