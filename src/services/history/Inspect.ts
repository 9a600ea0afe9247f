/**
 * Chunks for people who look for damage: who uses one, what is in it, whether it is sound; and of which a file consists.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Bytes from "../../domain/Bytes.ts"
import type { ChunkIndex } from "../../domain/datastore/ChunkIndex.ts"
import type { SnapshotId } from "../../domain/datastore/SnapshotId.ts"
import type { ArchiveError } from "../archive/ArchiveError.ts"
import type { ChunkFault } from "../chunks/ChunkFault.ts"
import type { Repository, Snapshot, StreamIndex } from "../repository/Repository.ts"
import type { RepositoryError } from "../repository/RepositoryError.ts"
import * as WalkRepository from "../repository/WalkRepository.ts"
import * as TreeWalk from "../tree/TreeWalk.ts"
import * as WalkStream from "../tree/WalkStream.ts"
import * as ContentChunks from "./ContentChunks.ts"
import * as Edition from "./Edition.ts"

/** A place of a chunk in a stream. */
export interface Use {
  readonly snapshot: SnapshotId
  /** Name of the stream, as on disk. */
  readonly stream: string
  readonly chunk: number
  /** Bytes of the stream: the first, and after the last. */
  readonly start: number
  readonly end: number
}

/** Whether it is sound: what vouches for it, or what is wrong. */
export type Soundness =
  | { readonly _tag: "Sound"; readonly proof: "digest" | "checksum" }
  | { readonly _tag: "Bad"; readonly fault: ChunkFault }

/** The uses of a chunk in all backups that are meant; each stream is read once for all backups that share it. */
export const uses = (
  repository: Repository,
  digest: Uint8Array,
  options: WalkRepository.Options,
): Stream.Stream<Use, RepositoryError> =>
  Stream.suspend(() => {
    const known = new Map<string, ReadonlyArray<number>>()
    return Stream.flatMap(WalkRepository.snapshots(repository, options), (id) =>
      Stream.fromIterableEffect(
        Effect.gen(function* () {
          const snapshot = yield* Effect.option(repository.snapshot(id))
          if (snapshot._tag === "None") return []
          const found: Array<Use> = []
          for (const stream of streamNames(snapshot.value)) {
            const checksum = Buffer.from(snapshot.value.file(stream)?.checksum ?? Bytes.empty).toString("hex")
            if (known.get(checksum)?.length === 0) continue
            const read = yield* Effect.option(snapshot.value.index(stream))
            if (read._tag === "None") continue
            const { index } = read.value
            const chunks = known.get(checksum) ?? numbersOf(index, digest)
            known.set(checksum, chunks)
            for (const chunk of chunks) {
              found.push({ snapshot: id, stream, chunk, start: index.start(chunk), end: index.end(chunk) })
            }
          }
          return found
        }),
      ),
    )
  })

/** Names of all streams of a backup, as on disk. */
const streamNames = ({ files }: Snapshot): ReadonlyArray<string> =>
  files.flatMap(({ kind, name, payload }) =>
    kind === "blob" ? [] : [name, ...(payload === undefined ? [] : [payload])],
  )

const numbersOf = (index: ChunkIndex, digest: Uint8Array): ReadonlyArray<number> => {
  const found: Array<number> = []
  for (let chunk = 0; chunk < index.count; chunk++) if (Bytes.equals(index.digest(chunk), digest)) found.push(chunk)
  return found
}

/** Looks at a chunk of a stream in its datastore. */
export const check = ({ chunks, encrypted, index, key }: StreamIndex, chunk: number): Effect.Effect<Soundness> =>
  Effect.match(
    chunks.check({
      digest: index.digest(chunk),
      length: index.end(chunk) - index.start(chunk),
      encrypted,
      key,
    }),
    {
      onFailure: (fault): Soundness => ({ _tag: "Bad", fault }),
      onSuccess: (proof) => ({ _tag: "Sound", proof }),
    },
  )

/** The files of an archive whose contents stand, in part, in a range of one of its streams. */
export const filesIn = Effect.fnUntraced(function* (
  edition: Pick<Edition.Edition, "file" | "snapshot">,
  { end, start, stream }: Pick<Use, "stream" | "start" | "end">,
): Effect.fn.Return<ReadonlyArray<TreeWalk.Found>, ArchiveError | RepositoryError> {
  const source = stream === edition.file.payload ? "payload" : "archive"
  const found: Array<TreeWalk.Found> = []
  yield* Effect.scoped(
    Effect.gen(function* () {
      const { reader } = yield* Edition.open(edition)
      const root = yield* TreeWalk.root(reader)
      yield* Stream.runForEach(WalkStream.walk(reader, root, Infinity, WalkStream.whole), (item) =>
        Effect.sync(() => {
          if (item._tag === "Unreadable" || item.entry.body._tag !== "File") return
          const { content } = item.entry.body
          if (content.source === source && content.start < end && content.start + content.length > start) {
            found.push(item)
          }
        }),
      )
    }),
  )
  return found
})

/** A piece of a file's content, and the chunk that it is in. */
export interface FilePiece extends ContentChunks.Piece {
  /** 32 bytes. */
  readonly digest: Uint8Array
}

/** What a file of an archive consists of, in order. */
export const piecesOf = (streams: ContentChunks.Streams, { entry }: TreeWalk.Found): ReadonlyArray<FilePiece> => {
  if (entry.body._tag !== "File") return []
  const index = ContentChunks.indexOf(streams, entry.body.content)
  if (index === undefined) return []
  return ContentChunks.pieces(index, entry.body.content).map(({ chunk, length, offset }) => ({
    chunk,
    offset,
    length,
    digest: index.digest(chunk),
  }))
}
