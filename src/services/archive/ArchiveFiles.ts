/**
 * Opens an archive that is a file, with its payload archive if it has one (see `ArchiveBytes`).
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as ArchiveError from "./ArchiveError.ts"
import * as ArchiveReader from "./ArchiveReader.ts"
import * as ArchiveBytes from "../bytes/ArchiveBytes.ts"
import type * as FileSource from "../bytes/FileSource.ts"

/** How to open an archive file. */
export interface Options extends Partial<ArchiveReader.Options> {
  /** Path of the payload archive, where it is not beside the archive. */
  readonly payload?: string | undefined
}

/**
 * Opens the archive at `path`. A payload archive that was named must be there; one that was only expected may be
 * missing: then everything but file contents can be read.
 */
export const open = Effect.fnUntraced(function* (
  path: string,
  options: Options = {},
): Effect.fn.Return<ArchiveReader.ArchiveReader, FileSource.OpenError | ArchiveError.ArchiveError, Scope.Scope> {
  const { archive, payload } = yield* ArchiveBytes.open(path, options.payload)
  return yield* ArchiveReader.make(archive, payload, options)
})
