/**
 * Bytes that come once, in their order: standard input, a FIFO.
 *
 * Not a `ByteSource`: nothing can be read again, and nobody knows how many there are.
 */
import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as DiskPath from "../posix/DiskPath.ts"
import { SourceError } from "./ByteSource.ts"
import * as FileSource from "./FileSource.ts"

export interface ByteStream {
  /** For messages. */
  readonly name: string
  /** Reads what comes next into the beginning of `target`; gives the number of bytes, 0 only at the end. */
  readonly read: (target: Uint8Array) => Effect.Effect<number, SourceError>
}

/** What stands for standard input. */
const STDIN = "-"

/** Whether a path is that of a stream: `-`, or a FIFO. */
export const isStream = (path: string): boolean =>
  path === STDIN || (fs.statSync(DiskPath.forNode(path), { throwIfNoEntry: false })?.isFIFO() ?? false)

/** Opens standard input or a FIFO; waits until somebody writes to it. */
export const open = (path: string): Effect.Effect<ByteStream, FileSource.OpenError, Scope.Scope> =>
  path === STDIN
    ? Effect.succeed(fromDescriptor(0, "standard input"))
    : Effect.map(
        Effect.acquireRelease(openDescriptor(path), (fd) => Effect.sync(() => fs.closeSync(fd))),
        (fd) => fromDescriptor(fd, path),
      )

const openDescriptor = (path: string): Effect.Effect<number, FileSource.OpenError> =>
  Effect.callback<number, FileSource.OpenError>((resume) => {
    fs.open(DiskPath.forNode(path), "r", (error, fd) =>
      resume(error === null ? Effect.succeed(fd) : Effect.fail(FileSource.fromNode(path, error))),
    )
  })

const fromDescriptor = (fd: number, name: string): ByteStream => {
  let offset = 0
  return {
    name,
    read: (target) =>
      Effect.callback<number, SourceError>((resume) => {
        fs.read(fd, target, 0, target.length, null, (error, count) => {
          if (error !== null && error.code !== "EOF") {
            return resume(Effect.fail(new SourceError({ source: name, offset, detail: error.message })))
          }
          offset += count
          resume(Effect.succeed(count))
        })
      }),
  }
}
