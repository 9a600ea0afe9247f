/**
 * An archive somewhere else, with its payload archive beside it (§1.1).
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as ArchiveBytes from "../bytes/ArchiveBytes.ts"
import type { ByteSource } from "../bytes/ByteSource.ts"
import type { HttpError } from "../http/HttpError.ts"
import type { Archive, Failure } from "./Location.ts"

/** Opens one file of an archive. */
export type OpenFile = (file: string) => Effect.Effect<ByteSource, HttpError, Scope.Scope>

/** The archive in a file; `isRemote` tells which payload archives that are named are there too, and not on this machine. */
export const make = (file: string, openFile: OpenFile, isRemote: (payload: string) => boolean): Archive => ({
  _tag: "Archive",
  open: Effect.fnUntraced(function* (
    payload: string | undefined,
  ): Effect.fn.Return<ArchiveBytes.ArchiveBytes, Failure, Scope.Scope> {
    const archive = yield* openFile(file)
    if (payload !== undefined) {
      return {
        archive,
        payload: isRemote(payload)
          ? { _tag: "Present", source: yield* openFile(payload) }
          : yield* ArchiveBytes.openPayload(file, payload),
      }
    }
    const expected = ArchiveBytes.payloadBeside(file)
    if (expected === undefined) return { archive, payload: { _tag: "Absent", expected } }
    return {
      archive,
      payload: yield* Effect.catchIf(
        Effect.map(openFile(expected), (source): ArchiveBytes.Payload => ({ _tag: "Present", source })),
        ({ reason }: HttpError) => reason === "NotFound",
        () => Effect.succeed<ArchiveBytes.Payload>({ _tag: "Absent", expected }),
      ),
    }
  }),
})

/** Whether a path is that of an archive by its name. */
export const isArchive = (path: string): boolean => /\.[mp]?pxar$/.test(path)
