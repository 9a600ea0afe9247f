/**
 * A folder, or some of what is in it, as a tar or zip stream. Names in it begin at the folder.
 *
 * What cannot be read, and what the format cannot hold, is told by the job. The stream ends early, without the end that
 * its format has, where that is cancelled.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as ArchivePath from "../domain/pxar/ArchivePath.ts"
import * as PathText from "../domain/PathText.ts"
import type { Options } from "../services/export/Export.ts"
import * as TarExport from "../services/export/TarExport.ts"
import * as ZipExport from "../services/export/ZipExport.ts"
import * as Archive from "../services/tree/Archive.ts"
import * as SubfolderTree from "../services/tree/SubfolderTree.ts"
import type * as TreeWalk from "../services/tree/TreeWalk.ts"
import * as ApiError from "./api/ApiError.ts"
import * as Jobs from "./Jobs.ts"
import type * as PieceMemory from "./PieceMemory.ts"
import type { Served } from "./Served.ts"

export type Format = "tar" | "zip"

export const types: Readonly<Record<Format, string>> = { tar: "application/x-tar", zip: "application/zip" }

/** Bytes of a piece: so many that the next one is read while this one goes out. */
const PIECE = 2 * 1024 * 1024

/** Pieces that wait for a client. */
const AHEAD = 2

/** What names in a folder select there, as an archive whose root is the folder. Fails if one of them is not there. */
export const selected = Effect.fnUntraced(function* (
  served: Served,
  folder: TreeWalk.Found,
  names: ReadonlyArray<string>,
): Effect.fn.Return<
  { readonly archive: Archive.Archive; readonly paths: ReadonlyArray<Uint8Array> },
  ApiError.ApiError
> {
  const path = PathText.print(folder.path)
  if (folder.entry.body._tag !== "Directory") {
    return yield* new ApiError.BadRequest({ id: "PXF-PATH-NOT-A-FOLDER", message: `${path}: not a folder` })
  }
  const isRoot = folder.path.length === 1
  const { reader } = served.archive
  const archive = isRoot ? served.archive : Archive.fromReader(SubfolderTree.make(reader, folder.node))
  const paths = names.map((name) => ArchivePath.join(ArchivePath.ROOT, PathText.parse(name)))
  // Names are names here, never patterns.
  for (const path of paths) yield* ApiError.orAnswer(archive.find(path))
  return { archive, paths }
})

/** The stream; the job is running with it. */
export const make = (
  archive: Archive.Archive,
  paths: ReadonlyArray<Uint8Array>,
  format: Format,
  state: Jobs.State,
  memory: PieceMemory.PieceMemory,
): Stream.Stream<Uint8Array> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const queue = yield* Queue.bounded<Uint8Array, Cause.Done>(AHEAD)
      const options: Options<never> = {
        target: { write: (bytes) => Effect.asVoid(Queue.offer(queue, bytes)), memory: memory.take, piece: PIECE },
        paths,
        onUnreadable: (path, message) =>
          Effect.sync(() => {
            state.problems++
            Jobs.note(state, `${PathText.print(path)}: ${message}`)
          }),
        onProgress: ({ bytes, entries }) => {
          state.bytes = bytes
          state.entries = entries
        },
      }
      state.state = "running"
      const write = format === "tar" ? TarExport.write(archive, options) : ZipExport.write(archive, options)
      const written = Effect.matchCauseEffect(write, {
        onSuccess: ({ bytes, entries, leftOut }) =>
          Effect.sync(() => {
            for (const [count, what] of leftOut) if (count > 0) Jobs.note(state, `${what} (${count})`)
            if (state.state !== "running") return
            Object.assign(state, { bytes, entries, state: "done" })
          }),
        onFailure: (cause) =>
          Effect.sync(() => {
            if (Cause.hasInterruptsOnly(cause)) return
            state.state = "failed"
            state.error = Cause.hasDies(cause) ? "bug in this program, please report it" : String(Cause.squash(cause))
          }),
      })
      yield* Effect.forkScoped(Effect.ensuring(written, Queue.end(queue)))
      // One at a time: pieces that are taken together would be copied into one.
      return Stream.fromEffectRepeat(Queue.take(queue)).pipe(
        Stream.tap((piece) => Effect.sync(() => memory.gives(piece))),
        Stream.tap(() => (state.state === "running" || state.state === "done" ? Effect.void : Effect.die(CANCELLED))),
        Stream.ensuring(
          Effect.sync(() => {
            if (state.state === "running") state.state = "cancelled"
          }),
        ),
        Stream.concat(Stream.suspend(() => (state.state === "done" ? Stream.empty : Stream.die(CANCELLED)))),
      )
    }),
  )

/** Breaks the connection: a client must not take what is cut for the whole. */
const CANCELLED = new Error("the download was cancelled")
