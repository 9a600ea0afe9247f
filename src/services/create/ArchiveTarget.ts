/**
 * The file that an archive becomes: written under a temporary name beside it, named at the end.
 *
 * Guarantees: a file that exists is never replaced; the final name appears only by `commit`, and is taken away again if
 * the scope then fails, so that of two halves of an archive neither stays alone. When the scope closes no temporary is
 * left; only a killed process leaves one, `.pxar-fuse-….tmp`. Nothing is forced to disk.
 */
import * as fs from "node:fs"
import { getSystemErrorMessage, getSystemErrorName } from "node:util"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { ErrorId } from "../../domain/ErrorId.ts"
import * as Errno from "../../domain/Errno.ts"
import * as Bytes from "../../domain/Bytes.ts"
import * as PathText from "../../domain/PathText.ts"
import type { Sink, SinkError } from "../bytes/ByteSink.ts"
import * as FileSink from "../bytes/FileSink.ts"
import * as HiddenName from "../disk/HiddenName.ts"
import { renameNoReplace } from "../posix/RenameSyscalls.ts"
import { identityOf, statusOf } from "../posix/ReadSyscalls.ts"
import * as StreamTarget from "./StreamTarget.ts"

/** The file could not be created or named. */
export class TargetError extends Schema.TaggedError<TargetError>()("TargetError", {
  /** As `PathText` prints it. */
  path: Schema.String,
  /** `EEXIST` if there is a file of that name. */
  code: Schema.String,
  detail: Schema.String,
}) {
  static readonly ids = {
    Exists: "PXF-TARGET-EXISTS",
    Failed: "PXF-TARGET-FAILED",
  } as const satisfies Record<string, ErrorId>
  /** See docs/errors.md. */
  get id(): ErrorId {
    return this.code === "EEXIST" ? TargetError.ids.Exists : TargetError.ids.Failed
  }
  override get message(): string {
    return `${this.path}: ${this.detail}`
  }
}

export interface ArchiveTarget {
  readonly sink: Sink
  /** Of the file on disk, as `TreeWriter` leaves it out. */
  readonly identity: string
  /** Closes the file and gives it its name; nothing for a stream. */
  readonly commit: Effect.Effect<void, SinkError | TargetError>
}

/** Readable by the owner's group: an archive holds what others may not see. */
const MODE = 0o640

/**
 * Creates the file that shall be named `path`; or opens the stream that is there: `-` and `/dev/stdout` for stdout, a FIFO,
 * a device of characters.
 */
export const open = (path: string | Uint8Array): Effect.Effect<ArchiveTarget, TargetError, Scope.Scope> =>
  // A descriptor without an owner must not be left behind.
  Effect.uninterruptible(
    Effect.suspend(() => {
      const target = Buffer.from(typeof path === "string" ? Bytes.fromText(path) : path)
      const text = target.toString()
      const stream = StreamTarget.kindOf(text)
      if (stream === undefined) return create(target)
      return Effect.mapBoth(StreamTarget.open(text, stream), {
        onFailure: ({ code, detail }) => new TargetError({ path: PathText.print(target), code, detail }),
        onSuccess: (opened): ArchiveTarget => ({ ...opened, commit: Effect.void }),
      })
    }),
  )

const create = Effect.fnUntraced(function* (target: Buffer): Effect.fn.Return<ArchiveTarget, TargetError, Scope.Scope> {
  const name = PathText.print(target)
  const fail = (code: string, detail: string) => new TargetError({ path: name, code, detail })
  const fromNode = (error: unknown) => {
    const { code = "EIO", errno, message } = error as NodeJS.ErrnoException
    return code === "EEXIST" ? exists() : fail(code, errno === undefined ? message : getSystemErrorMessage(errno))
  }
  const exists = () => fail("EEXIST", "exists already, and archives are never overwritten")

  const file = yield* Effect.acquireRelease(
    Effect.try({
      try: () => {
        if (fs.lstatSync(target, { throwIfNoEntry: false }) !== undefined) throw exists()
        const temporary = Buffer.concat([target.subarray(0, target.lastIndexOf(SLASH) + 1), HiddenName.make()])
        return { fd: fs.openSync(temporary, "wx", MODE), path: temporary as Buffer }
      },
      catch: (error) => (error instanceof TargetError ? error : fromNode(error)),
    }),
    // A named file stays, unless what it belongs to has failed after all.
    (file, exit) => (file.path === target && Exit.isSuccess(exit) ? Effect.void : remove(file.path)),
  )
  const sink = yield* FileSink.fromDescriptor(name, file.fd)

  /** For file systems that cannot rename without replacing. */
  const link = (temporary: Buffer) =>
    Effect.try({
      try: () => {
        fs.linkSync(temporary, target)
        file.path = target
        fs.unlinkSync(temporary)
      },
      catch: fromNode,
    })

  const rename = Effect.suspend(() => {
    const temporary = file.path
    if (temporary === target) return Effect.void
    const errno = renameNoReplace(terminated(temporary), terminated(target))
    if (errno === -EINVAL || errno === -ENOSYS) return link(temporary)
    if (errno === -EEXIST) return Effect.fail(exists())
    if (errno < 0) return Effect.fail(fail(getSystemErrorName(errno), getSystemErrorMessage(errno)))
    file.path = target
    return Effect.void
  })

  const status = statusOf(file.fd)
  if (typeof status === "number") return yield* fail(getSystemErrorName(status), getSystemErrorMessage(status))
  return { sink, identity: identityOf(status), commit: Effect.uninterruptible(Effect.andThen(sink.close, rename)) }
})

const remove = (path: Buffer): Effect.Effect<void> =>
  Effect.catch(
    Effect.try({ try: () => fs.rmSync(path, { force: true }), catch: (error) => (error as Error).message }),
    (message) => Effect.logWarning(`${PathText.print(path)} is left behind: ${message}`),
  )

const SLASH = 0x2f
const { EEXIST, EINVAL, ENOSYS } = Errno.code

const terminated = (path: Uint8Array): Uint8Array => Bytes.concat([path, new Uint8Array(1)])
