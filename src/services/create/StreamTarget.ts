/**
 * An archive that goes where bytes can only follow each other: stdout, a pipe, a FIFO, a device such as /dev/null.
 *
 * What was written is out of reach, so nothing is taken back after a failure. A FIFO is waited for until somebody reads
 * from it; a terminal is refused.
 */
import * as fs from "node:fs"
import { isatty } from "node:tty"
import { getSystemErrorMessage, getSystemErrorName } from "node:util"
import * as Effect from "effect/Effect"
import * as Errno from "../../domain/Errno.ts"
import * as StreamSink from "../bytes/StreamSink.ts"
import type { Sink } from "../bytes/ByteSink.ts"
import * as Libc from "../posix/Libc.ts"
import { identityOf, statusOf } from "../posix/ReadSyscalls.ts"
import type { Scope } from "effect/Scope"

/** Why a stream cannot be written to: the name of an errno, and what that means. */
export interface Refusal {
  readonly code: string
  readonly detail: string
}

export interface StreamTarget {
  readonly sink: Sink
  /** Of what is written to, so that it is left out where it is in the tree that is archived. */
  readonly identity: string
}

/** Descriptors by their paths: opened again, a file would be written from its beginning. */
const DESCRIPTOR = /^\/dev\/(?:fd\/(\d+)|stdout)$|^\/proc\/self\/fd\/(\d+)$/
const STDOUT = 1

/** Milliseconds between looks whether somebody reads from a FIFO. */
const LOOK = 20
const F_SETFL = 4

/** What `path` is as a stream: a descriptor of this process, something to open, or none. */
export const kindOf = (path: string): number | "Open" | undefined => {
  if (path === "-") return STDOUT
  const descriptor = DESCRIPTOR.exec(path)
  if (descriptor !== null) return Number(descriptor[1] ?? descriptor[2] ?? STDOUT)
  const status = fs.statSync(path, { throwIfNoEntry: false })
  return status?.isFIFO() === true || status?.isCharacterDevice() === true ? "Open" : undefined
}

/** Opens the stream at `path`, of which `kindOf` says `kind`. */
export const open = Effect.fnUntraced(function* (
  path: string,
  kind: number | "Open",
): Effect.fn.Return<StreamTarget, Refusal, Scope> {
  const fd = kind === "Open" ? yield* Effect.acquireRelease(openWhenRead(path), close) : kind
  if (isatty(fd)) {
    const detail = "is a terminal, and an archive is nothing to read: send it to a file or through a pipe"
    return yield* Effect.fail({ code: "ENOTTY", detail })
  }
  const status = statusOf(fd)
  if (typeof status === "number") return yield* refusal(status)
  return { sink: StreamSink.fromDescriptor(path, fd), identity: identityOf(status) }
})

/** Opens for writing, once there is a reader. */
const openWhenRead = (path: string): Effect.Effect<number, Refusal> =>
  Effect.suspend(() => {
    try {
      const fd = fs.openSync(path, fs.constants.O_WRONLY | fs.constants.O_NONBLOCK | fs.constants.O_NOCTTY)
      Libc.fcntl(fd, F_SETFL, fs.constants.O_WRONLY)
      return Effect.succeed(fd)
    } catch (error) {
      const { code, errno } = error as NodeJS.ErrnoException
      if (code !== "ENXIO") return refusal(errno ?? -Errno.code.EIO)
      return Effect.flatMap(Effect.interruptible(Effect.sleep(LOOK)), () => openWhenRead(path))
    }
  })

const refusal = (errno: number): Effect.Effect<never, Refusal> =>
  Effect.fail({ code: getSystemErrorName(errno), detail: getSystemErrorMessage(errno) })

const close = (fd: number): Effect.Effect<void> => Effect.sync(() => fs.closeSync(fd))
