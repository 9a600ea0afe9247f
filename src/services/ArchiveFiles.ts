/**
 * Archives as files: `X.pxar`, or `X.mpxar` with its payload archive `X.ppxar` beside it (§1.1).
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as ArchiveError from "./ArchiveError.ts"
import * as ArchiveReader from "./ArchiveReader.ts"
import * as FileSource from "./FileSource.ts"
import type { Payload } from "./PayloadReader.ts"

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
): Effect.fn.Return<ArchiveReader.Shape, FileSource.OpenError | ArchiveError.ArchiveError, Scope.Scope> {
  const archive = yield* FileSource.open(path)
  return yield* ArchiveReader.make(archive, yield* openPayload(path, options.payload), options)
})

const openPayload = (
  path: string,
  named: string | undefined,
): Effect.Effect<Payload, FileSource.OpenError, Scope.Scope> => {
  const present = (payload: string) =>
    Effect.map(FileSource.open(payload), (source): Payload => ({ _tag: "Present", source }))
  if (named !== undefined) return present(named)
  if (!path.endsWith(METADATA)) return Effect.succeed({ _tag: "Absent", expected: undefined })
  const expected = path.slice(0, -METADATA.length) + PAYLOAD
  return Effect.catchIf(
    present(expected),
    (error) => error.code === "ENOENT",
    () => Effect.succeed<Payload>({ _tag: "Absent", expected }),
  )
}

const METADATA = ".mpxar"
const PAYLOAD = ".ppxar"
