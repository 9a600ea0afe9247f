/**
 * Paths of this machine, as Node takes them.
 *
 * They are bytes, and go through this program as texts in which a byte that is not UTF-8 is a lone surrogate (see
 * `Bytes.toText`). Node would make another file of such a text.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Bytes from "../../domain/Bytes.ts"

/** The path for a function of `node:fs`. */
export const forNode = (path: string): string | Buffer =>
  path.isWellFormed() ? path : Buffer.from(Bytes.fromText(path))

/** The text of a path that Node was asked for as bytes. */
export const fromNode = (path: Uint8Array): string => Bytes.toText(path)

/** Where a path leads in the end, found by a thread. Without `fs.promises`, which takes 1.4 ms of CPU to load. */
export const realpath = (path: string): Promise<string> =>
  new Promise((resolve, reject) => {
    fs.realpath.native(forNode(path), "buffer", (error, found) => (error ? reject(error) : resolve(fromNode(found))))
  })

/** The absolute path of one as it is typed, by its text alone: `path.resolve` in a folder whose own path is no UTF-8 either. */
export const resolve = (...parts: ReadonlyArray<string>): string => {
  const cwd = process.cwd()
  return cwd.includes("\ufffd") ? path.resolve(exactFolder() ?? cwd, ...parts) : path.resolve(...parts)
}

/** The folder that this process is in, as the kernel has it. */
const exactFolder = (): string | undefined => {
  try {
    return fromNode(fs.readlinkSync("/proc/self/cwd", "buffer"))
  } catch {
    return undefined
  }
}
