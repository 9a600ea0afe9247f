/**
 * The files of an archive as byte sources: `X.pxar`, or `X.mpxar` with its payload archive `X.ppxar` beside it (§1.1).
 *
 * For those who look at the files themselves and not only at what is in the archive; the others want `ArchiveFiles`.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { ByteSource } from "./ByteSource.ts"
import * as FileSource from "./FileSource.ts"

/** The payload archive, or what is known of its absence. */
export type Payload =
  | { readonly _tag: "Present"; readonly source: ByteSource }
  /** `expected` names the file that was looked for, for messages. */
  | { readonly _tag: "Absent"; readonly expected: string | undefined }

/** The payload archive that belongs to `ByteSource`: none unless a layer says so. */
export const PayloadSource: Context.Reference<Payload> = Context.Reference<Payload>(
  "pxar-fuse/services/bytes/PayloadSource",
  { defaultValue: () => ({ _tag: "Absent", expected: undefined }) },
)

/** The archive, and what is known of its payload archive. */
export interface ArchiveBytes {
  readonly archive: ByteSource
  readonly payload: Payload
}

/**
 * Opens the files of the archive at `path`. A payload archive that was named must be there; one that was only expected
 * may be missing.
 */
export const open = Effect.fnUntraced(function* (
  path: string,
  payload?: string,
): Effect.fn.Return<ArchiveBytes, FileSource.OpenError, Scope.Scope> {
  return { archive: yield* FileSource.open(path), payload: yield* openPayload(path, payload) }
})

/** Where the payload archive of the archive at `path` is expected; `undefined` if its name is not that of half an archive. */
export const payloadBeside = (path: string): string | undefined =>
  path.endsWith(METADATA) ? path.slice(0, -METADATA.length) + PAYLOAD : undefined

/** Opens the payload archive that belongs to the archive at `path`: the one named, else the one beside it, if that is there. */
export const openPayload = (
  path: string,
  named: string | undefined,
): Effect.Effect<Payload, FileSource.OpenError, Scope.Scope> => {
  const present = (payload: string) =>
    Effect.map(FileSource.open(payload), (source): Payload => ({ _tag: "Present", source }))
  if (named !== undefined) return present(named)
  const expected = payloadBeside(path)
  if (expected === undefined) return Effect.succeed({ _tag: "Absent", expected })
  return Effect.catchIf(
    present(expected),
    (error) => error.code === "ENOENT",
    () => Effect.succeed<Payload>({ _tag: "Absent", expected }),
  )
}

const METADATA = ".mpxar"
const PAYLOAD = ".ppxar"
