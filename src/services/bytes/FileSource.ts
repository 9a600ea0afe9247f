/**
 * A byte source over a file.
 *
 * Bytes in the page cache are copied at once, others are read on a thread, so that a slow disk holds up one request
 * and not the program. Long reads are always on a thread: copying alone takes longer than getting there. The descriptor is closed by the scope, after the last read in flight has come back.
 */
import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { ErrorId } from "../../domain/ErrorId.ts"
import { ByteSource, SourceError } from "./ByteSource.ts"
import * as DiskPath from "../posix/DiskPath.ts"
import * as Preadv2 from "../posix/Preadv2.ts"
import { UsedDescriptor } from "../posix/UsedDescriptor.ts"

/** A file could not be opened as an archive. */
export class OpenError extends Schema.TaggedError<OpenError>()("OpenError", {
  path: Schema.String,
  /** `ENOENT`, `EACCES`, …; `EISDIR` and `EINVAL` for what is no regular file. */
  code: Schema.String,
  detail: Schema.String,
}) {
  static readonly ids = {
    Missing: "PXF-OPEN-MISSING",
    Denied: "PXF-OPEN-DENIED",
    NotAFile: "PXF-OPEN-NOT-A-FILE",
    Failed: "PXF-OPEN-FAILED",
  } as const satisfies Record<string, ErrorId>
  /** See docs/errors.md. */
  get id(): ErrorId {
    switch (this.code) {
      case "ENOENT":
      case "ENOTDIR":
        return OpenError.ids.Missing
      case "EACCES":
      case "EPERM":
        return OpenError.ids.Denied
      case "EISDIR":
      case "EINVAL":
        return OpenError.ids.NotAFile
      default:
        return OpenError.ids.Failed
    }
  }
  override get message(): string {
    return `${this.path}: ${this.detail}`
  }
}

/** Opens a regular file for reading. */
export const open = (path: string): Effect.Effect<ByteSource, OpenError, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(openDescriptor(path), ({ descriptor }) => Effect.sync(() => descriptor.close())),
    (file): ByteSource => ({ name: path, size: file.size, read: (target, offset) => read(file, target, offset) }),
  )

/** The file at `path` as the archive's bytes. */
export const layer = (path: string): Layer.Layer<ByteSource, OpenError> => Layer.effect(ByteSource, open(path))

interface OpenFile {
  readonly path: string
  readonly descriptor: UsedDescriptor
  readonly size: number
  readonly readCached: Preadv2.ReadCached
}

const openDescriptor = (path: string): Effect.Effect<OpenFile, OpenError> =>
  Effect.try({
    try: () => {
      const fd = fs.openSync(DiskPath.forNode(path), fs.constants.O_RDONLY | fs.constants.O_NONBLOCK)
      try {
        const readCached = Preadv2.make(Preadv2.isInMemory(fd))
        return { path, descriptor: new UsedDescriptor(fd), size: sizeOf(path, fd), readCached }
      } catch (error) {
        fs.closeSync(fd)
        throw error
      }
    },
    catch: (error) => (error instanceof OpenError ? error : fromNode(path, error)),
  })

const sizeOf = (path: string, fd: number): number => {
  const stat = fs.fstatSync(fd)
  if (stat.isFile()) return stat.size
  if (stat.isDirectory()) throw new OpenError({ path, code: "EISDIR", detail: "is a folder, not an archive" })
  throw new OpenError({ path, code: "EINVAL", detail: "is not a regular file: archives are read by random access" })
}

/** Why Node could not open or look at a file. */
export const fromNode = (path: string, error: unknown): OpenError => {
  const code = (error as NodeJS.ErrnoException).code ?? "EIO"
  const detail =
    code === "ENOENT"
      ? "no such file"
      : code === "EACCES"
        ? "permission denied"
        : (error as Error).message.replace(/^[A-Z]+: /, "").replace(/, (?:open|stat|scandir) .*$/, "")
  return new OpenError({ path, code, detail })
}

const closed = (file: OpenFile, offset: number): SourceError =>
  new SourceError({ source: file.path, offset, detail: "is closed" })

/** Most bytes that are copied at once. The kernel asks a mount for no more. */
const AT_ONCE = 1024 * 1024

const read = (file: OpenFile, target: Uint8Array, offset: number): Effect.Effect<void, SourceError> => {
  if (file.descriptor.isClosed) return Effect.fail(closed(file, offset))
  if (!Number.isSafeInteger(offset) || offset < 0) {
    return Effect.fail(new SourceError({ source: file.path, offset: 0, detail: `no position in a file: ${offset}` }))
  }
  if (target.length > AT_ONCE) return readOnThread(file, target, 0, offset)
  const cached = file.readCached(file.descriptor.number, target, offset)
  return cached === target.length ? Effect.void : readOnThread(file, target, Math.max(cached, 0), offset)
}

/** Fills `target` from its byte `from` on; `offset` is the position of its first byte. */
const readOnThread = (
  file: OpenFile,
  target: Uint8Array,
  from: number,
  offset: number,
): Effect.Effect<void, SourceError> =>
  Effect.callback<void, SourceError>((resume) => {
    const { descriptor } = file
    let done = from
    const fail = (detail: string) =>
      resume(Effect.fail(new SourceError({ source: file.path, offset: offset + done, detail })))
    const step = (): void => {
      // It may have been closed before the effect was run.
      if (descriptor.isClosed) return resume(Effect.fail(closed(file, offset + done)))
      descriptor.begin()
      fs.read(descriptor.number, target, done, target.length - done, offset + done, (error, count) => {
        descriptor.end()
        if (error !== null) return fail(error.message)
        if (count === 0)
          return fail(`the file ends early: it is shorter than its ${file.size} bytes when it was opened`)
        done += count
        if (done === target.length) resume(Effect.void)
        else step()
      })
    }
    step()
  })
