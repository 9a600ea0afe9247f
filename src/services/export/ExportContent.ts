/**
 * The content of a file for a format that has its size before it: exactly as many bytes as the entry says.
 *
 * Where it cannot be read, that is reported, and zeros take the place of the rest. Each piece is read into memory of its
 * own, which has room in front for what the format puts there: so nothing is copied on the way out.
 */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type { ArchiveError } from "../archive/ArchiveError.ts"
import type { ArchiveTree } from "../archive/ArchiveTree.ts"
import * as Archive from "../tree/Archive.ts"
import { PIECE, type Target } from "./Export.ts"
import type { Exported } from "./ExportWalk.ts"

export interface Options<E> {
  /** Bytes of the content, at least one. */
  readonly length: number
  /** Where it goes: how much is a piece, and where it is read to. */
  readonly target: Pick<Target<E>, "memory" | "piece">
  /** Bytes in front of each piece. */
  readonly room?: number
  /** Told why the bytes are not all the archive's. */
  readonly report: (message: string) => Effect.Effect<void>
  /** Takes a piece, in order: the bytes of `memory` behind the room. */
  readonly use: (memory: Uint8Array) => Effect.Effect<void, E>
}

const allocate = (length: number): Uint8Array => new Uint8Array(length)

/** Hands all of the content over. */
export const forEach = Effect.fnUntraced(function* <E>(
  archive: Archive.Archive<ArchiveTree>,
  { found }: Exported,
  { length, report, room = 0, target: { memory: allot = allocate, piece: most = PIECE }, use }: Options<E>,
): Effect.fn.Return<void, E> {
  let lost = false
  for (let done = 0; done < length;) {
    const memory = allot(room + Math.min(most, length - done))
    const piece = memory.subarray(room)
    if (lost) {
      piece.fill(0)
    } else {
      const read = yield* readInto(archive.reader, found, done, piece)
      yield* Metric.update(Archive.streamedBytes, read.intact)
      if (read.error !== undefined) {
        lost = true
        piece.fill(0, read.intact)
        yield* report(`${read.error.message}; zeros stand in place of what follows byte ${done + read.intact}`)
      }
    }
    yield* use(memory)
    done += piece.length
  }
})

/** How many bytes of a piece could be read, and why not all. */
const readInto = Effect.fnUntraced(function* (
  reader: ArchiveTree,
  { node }: Exported["found"],
  offset: number,
  piece: Uint8Array,
): Effect.fn.Return<{ readonly intact: number; readonly error: ArchiveError | undefined }> {
  const read = yield* Effect.result(reader.content(node, offset, piece))
  if (read._tag === "Success") return { intact: piece.length, error: undefined }
  const error = read.failure
  // What is before the bytes that cannot be had.
  const intact = Math.min((error.intact ?? 0) - offset, piece.length - 1)
  if (intact <= 0) return { intact: 0, error }
  const again = yield* Effect.result(reader.content(node, offset, piece.subarray(0, intact)))
  return { intact: again._tag === "Success" ? intact : 0, error }
})
