/**
 * What runs that were killed have left in folders that are extracted into again.
 */
import * as HiddenName from "../disk/HiddenName.ts"
import * as ReadSyscalls from "../posix/ReadSyscalls.ts"
import type { Problems } from "./ExtractProblem.ts"
import * as TreeRemoval from "./TreeRemoval.ts"

/** Removes it from the open folder `fd`; what may belong to a run that goes on is named, and stays. */
export const remove = (fd: number, problems: Problems, pathLength: number): void => {
  for (const { name, pid } of find(fd)) {
    const detail = `${Buffer.from(name).toString("latin1")} in it is left from a run that was killed`
    if (pid !== process.pid && !HiddenName.isLeftBehind(pid)) {
      problems.addExpected("Leftover", `${detail}, or belongs to process ${pid}`, pathLength)
      continue
    }
    const result = TreeRemoval.remove(fd, name)
    if (result < 0) problems.addExpected("Leftover", `${detail}, and cannot be removed`, pathLength, result)
  }
}

const find = (fd: number): ReadonlyArray<{ readonly name: Uint8Array; readonly pid: number }> => {
  const found: Array<{ readonly name: Uint8Array; readonly pid: number }> = []
  let size = ReadSyscalls.rewind(fd)
  while (size >= 0) {
    size = ReadSyscalls.readEntries(fd, (terminated) => {
      if (terminated[1] !== DASHED) return
      const name = terminated.subarray(0, -1)
      const pid = HiddenName.processOf(name)
      if (pid !== undefined) found.push({ name: name.slice(), pid })
    })
    if (size === 0) break
  }
  return found
}

/** The `p` of `.pxar-fuse-`: most names are told by one byte. */
const DASHED = 0x70
