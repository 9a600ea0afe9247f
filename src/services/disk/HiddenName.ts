/**
 * Names under which something is made that gets its own name when it is whole: `.pxar-fuse-PID-RANDOM.tmp`.
 *
 * Only a process that is killed leaves one behind. Its number in the name tells whether it can still be at work; on a
 * disk that machines share that is a guess, so nothing but such a name may depend on it.
 */
import { randomBytes } from "node:crypto"
import * as Bytes from "../../domain/Bytes.ts"

/** A name that nobody can guess. */
export const make = (): Uint8Array => Bytes.fromText(`.pxar-fuse-${process.pid}-${randomBytes(8).toString("hex")}.tmp`)

const PATTERN = /^\.pxar-fuse-([1-9]\d{0,9})-[0-9a-f]{16}\.tmp$/
const PREFIX = Bytes.fromText(".pxar-fuse-")

/** The process that has made such a name; `undefined` for all other names. */
export const processOf = (name: Uint8Array): number | undefined => {
  if (name.length <= PREFIX.length || !Bytes.equals(name.subarray(0, PREFIX.length), PREFIX)) return undefined
  const [, pid] = PATTERN.exec(Buffer.from(name).toString("latin1")) ?? []
  return pid === undefined ? undefined : Number(pid)
}

/** Whether the process that made such a name has ended. */
export const isLeftBehind = (pid: number): boolean => {
  if (pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    // One that may not be signalled is there too.
    return (error as NodeJS.ErrnoException).code === "ESRCH"
  }
}
