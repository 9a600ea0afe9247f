/**
 * The content of a file for a format that has its size before it: exactly as many bytes as the entry says.
 *
 * Where it cannot be read, that is reported, and zeros take the place of the rest.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { ArchiveTree } from "../archive/ArchiveTree.ts"
import type * as Archive from "../tree/Archive.ts"
import type { Exported } from "./ExportWalk.ts"

const ZEROS = new Uint8Array(64 * 1024)

/** `length` bytes; `report` is told why they are not all the archive's. */
export const make = (
  archive: Archive.Archive<ArchiveTree>,
  { found }: Exported,
  length: number,
  report: (message: string) => Effect.Effect<void>,
): Stream.Stream<Uint8Array> =>
  Stream.suspend(() => {
    let done = 0
    const read = archive.content(found).pipe(
      Stream.tap((chunk) => Effect.sync(() => void (done += chunk.length))),
      Stream.catch((error) =>
        Stream.fromEffectDrain(report(`${error.message}; zeros stand in place of what follows byte ${done}`)),
      ),
    )
    return Stream.concat(
      read,
      Stream.suspend(() => zeros(length - done)),
    )
  })

const zeros = (length: number): Stream.Stream<Uint8Array> =>
  Stream.unfold(length, (left) =>
    Effect.succeed(
      left <= 0 ? undefined : ([ZEROS.subarray(0, Math.min(left, ZEROS.length)), left - ZEROS.length] as const),
    ),
  )
