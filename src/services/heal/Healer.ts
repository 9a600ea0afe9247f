/**
 * Heals a datastore from copies of it: what is missing or damaged of its backups is looked for there, checked, and written
 * back. The backups are those that are in the datastore: one that is not there was pruned, for all that can be told.
 *
 * Files of a backup must be what its manifest says, and a manifest of this backup (see `SnapshotFiles`). Chunks must have
 * their digest; an encrypted one without its key only the checksum that is stored with it, and then all copies that have it
 * must agree to the byte. What is lost in all of them is told, and stays as it is.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Bytes from "../../domain/Bytes.ts"
import type * as Manifest from "../../domain/datastore/Manifest.ts"
import * as SnapshotFile from "../../domain/datastore/SnapshotFile.ts"
import * as SnapshotId from "../../domain/datastore/SnapshotId.ts"
import type { BlobStore } from "../blobs/BlobStore.ts"
import type { Wanted } from "../chunks/ChunkDecoder.ts"
import { ChunkFault } from "../chunks/ChunkFault.ts"
import * as ChunkStore from "../chunks/ChunkStore.ts"
import * as DatastoreRepository from "../repository/DatastoreRepository.ts"
import * as OpenSnapshot from "../repository/OpenSnapshot.ts"
import type { Snapshot, StreamIndex } from "../repository/Repository.ts"
import type { RepositoryError } from "../repository/RepositoryError.ts"
import * as SnapshotFiles from "../repository/SnapshotFiles.ts"
import * as StoredChunk from "../chunks/StoredChunk.ts"
import * as WalkRepository from "../repository/WalkRepository.ts"
import type { HealError, HealTarget } from "./HealTarget.ts"

/** What to heal, from where, and how. */
export interface Options extends WalkRepository.Options, Pick<OpenSnapshot.Options, "keys" | "unsigned"> {
  /** The datastore. */
  readonly store: BlobStore
  /** Its copies, in the order in which they are asked. */
  readonly copies: ReadonlyArray<BlobStore>
  /** Writes into the datastore; without it nothing is written, and what would be is told. */
  readonly target: HealTarget | undefined
  readonly cache: ChunkStore.Options["cache"]
  /** Chunks looked at at once; 4 unless given. */
  readonly jobs?: number | undefined
  /** Called now and then. */
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/** How far it is. */
export interface Progress {
  readonly chunks: number
  /** Bytes of the content of those chunks. */
  readonly bytes: number
}

/** What vouches for what was written: a digest, a checksum stored with it, a manifest, or that of a manifest. */
export type Proof = StoredChunk.Proof | "manifest" | "signature" | "files"

/** Something that was missing or damaged. */
interface Found {
  /** Path of the backup. */
  readonly snapshot: string
  /** Name of the file of the backup that needs it. */
  readonly file: string
  /** Path in the datastore. */
  readonly blob: string
  /** The check that failed (datastore §8), or `IO`. */
  readonly check: string
  readonly detail: string
}

/** Something that is as it should be now, or would be. */
export interface Healed extends Found {
  readonly _tag: "Healed"
  /** Name of the copy. */
  readonly from: string
  readonly proof: Proof
  /** Bytes of the file. */
  readonly size: number
}

/** Something that no copy has. */
export interface Lost extends Found {
  readonly _tag: "Lost"
}

/** What it comes to. */
export interface Verdict {
  readonly _tag: "Verdict"
  /** `damaged`: something is lost. */
  readonly result: "sound" | "healed" | "damaged"
  readonly snapshots: number
  /** Backups without a manifest, here and in the copies: they were never finished. */
  readonly unfinished: number
  /** Chunks looked at. */
  readonly chunks: number
  readonly healed: number
  /** Of those healed, the ones for which only a stored checksum vouches, because their key is missing. */
  readonly partly: number
  /** Bytes of the files that were written. */
  readonly bytes: number
  readonly lost: number
}

/** Heals. The verdict is the last. Fails if the datastore cannot be listed or written to. */
export const heal = (options: Options): Stream.Stream<Healed | Lost | Verdict, RepositoryError | HealError> =>
  Stream.suspend(() => {
    const run = new Run(options)
    const repository = DatastoreRepository.make(options.store, { ...options, chunks: run.chunks })
    return WalkRepository.snapshots(repository, options).pipe(
      Stream.flatMap((id) => run.snapshot(id)),
      Stream.tap((event) => Effect.sync(() => run.take(event))),
      Stream.concat(Stream.suspend(() => Stream.succeed(run.verdict()))),
    )
  })

type Events = Stream.Stream<Healed | Lost, RepositoryError | HealError>

class Run {
  readonly chunks: ChunkStore.ChunkStore
  private readonly options: Options
  private readonly sum = { snapshots: 0, unfinished: 0, chunks: 0, healed: 0, partly: 0, bytes: 0, lost: 0 }
  /** Bytes of the content of chunks looked at. */
  private looked = 0
  /** Chunks that were looked at: each is told of once. */
  private readonly seen = new Set<string>()

  constructor(options: Options) {
    this.options = options
    this.chunks = ChunkStore.make({ stores: [options.store, ...options.copies], cache: options.cache })
  }

  take(event: Healed | Lost): void {
    if (event._tag === "Lost") return void this.sum.lost++
    this.sum.healed++
    this.sum.bytes += event.size
    if (event.proof === "checksum") this.sum.partly++
  }

  verdict(): Verdict {
    const result = this.sum.lost > 0 ? "damaged" : this.sum.healed > 0 ? "healed" : "sound"
    return { _tag: "Verdict", result, ...this.sum }
  }

  snapshot(id: SnapshotId.SnapshotId): Events {
    return Stream.unwrap(
      Effect.gen({ self: this }, function* (): Effect.fn.Return<Events, RepositoryError> {
        this.sum.snapshots++
        const { copies, store } = this.options
        const own = yield* DatastoreRepository.filesOfBackup(store, id)
        const others = yield* Effect.forEach(copies, (copy) => this.copyOf(copy, id))
        let manifest: Healed | undefined
        const opened = yield* Effect.result(
          OpenSnapshot.open(
            id,
            own,
            {
              ...this.options,
              chunks: this.chunks,
              onHealed: ({ check, detail, file, from }) =>
                Effect.sync(() => {
                  if (!file.endsWith(`/${SnapshotFile.MANIFEST}`)) return
                  const found = this.found(id, SnapshotFile.MANIFEST, check, detail)
                  manifest = { ...found, _tag: "Healed", from, proof: "files", size: 0 }
                }),
            },
            others,
          ),
        )
        if (opened._tag === "Failure") {
          const { check, detail } = opened.failure
          if (check !== "SnapshotUnfinished") return Stream.succeed(this.lost(id, SnapshotFile.MANIFEST, check, detail))
          this.sum.unfinished++
          return Stream.empty
        }
        const snapshot = opened.success
        const head = manifest === undefined ? Stream.empty : this.writeManifest(snapshot, others, manifest)
        const files = Stream.flatMap(Stream.fromIterable(snapshot.manifest.files), (file) =>
          this.file(snapshot, own, others, file),
        )
        return Stream.concat(head, files)
      }),
    )
  }

  /** A copy of a backup, whose bytes are written as they were read when they were checked. One that cannot be listed is none. */
  private copyOf(copy: BlobStore, id: SnapshotId.SnapshotId): Effect.Effect<Remembering> {
    return Effect.match(DatastoreRepository.filesOfBackup(copy, id), {
      onFailure: (error) => remembering({ name: copy.name, names: [], read: () => Effect.fail(error) }),
      onSuccess: remembering,
    })
  }

  private writeManifest({ id, signature }: Snapshot, others: ReadonlyArray<Remembering>, healed: Healed): Events {
    const stored = others.find(({ name }) => name === healed.from)?.manifest()
    if (stored === undefined) return Stream.empty
    const event: Healed = { ...healed, proof: signature === "valid" ? "signature" : "files", size: stored.length }
    const isGood = Effect.isSuccess(
      Effect.flatMap(DatastoreRepository.filesOfBackup(this.options.store, id), (now) =>
        OpenSnapshot.open(id, now, { ...this.options, chunks: this.chunks }),
      ),
    )
    return Stream.fromEffect(Effect.as(this.write(event, stored, isGood), event))
  }

  /** An index or blob, and the chunks of an index. */
  private file(
    snapshot: Snapshot,
    own: SnapshotFiles.Files,
    others: ReadonlyArray<SnapshotFiles.Files>,
    file: Manifest.File,
  ): Events {
    if (file.storage === undefined) return Stream.empty
    const { id } = snapshot
    const chunks: Events =
      file.storage === "blob"
        ? Stream.empty
        : Stream.unwrap(
            Effect.match(snapshot.index(file.name), {
              // Told already.
              onFailure: () => Stream.empty,
              onSuccess: (index) => this.chunksOf(id, file.name, index),
            }),
          )
    const itself: Events = Stream.unwrap(
      Effect.gen({ self: this }, function* (): Effect.fn.Return<Events, HealError> {
        const read = yield* Effect.result(SnapshotFiles.check(own, file))
        if (read._tag === "Success") return Stream.empty
        const { check, detail } = read.failure
        if (check === "IO") return Stream.succeed(this.lost(id, file.name, check, detail))
        for (const other of others) {
          const copy = yield* Effect.result(SnapshotFiles.check(other, file))
          if (copy._tag === "Failure") continue
          const found = this.found(id, file.name, check, detail)
          const stored = copy.success
          const event: Healed = { ...found, _tag: "Healed", from: other.name, proof: "manifest", size: stored.length }
          yield* this.write(event, stored, Effect.isSuccess(SnapshotFiles.check(own, file)))
          return Stream.succeed(event)
        }
        return Stream.succeed(this.lost(id, file.name, check, detail))
      }),
    )
    return Stream.concat(itself, chunks)
  }

  private chunksOf(id: SnapshotId.SnapshotId, file: string, { encrypted, index, key }: StreamIndex): Events {
    const numbers = Stream.map(Stream.range(0, index.count - 1), (chunk): Wanted => ({
      digest: index.digest(chunk),
      length: index.end(chunk) - index.start(chunk),
      encrypted,
      key,
    }))
    return numbers.pipe(
      Stream.mapEffect((wanted) => this.chunk(id, file, wanted), { concurrency: this.options.jobs ?? 4 }),
      Stream.filter((event) => event !== undefined),
    )
  }

  private chunk(
    id: SnapshotId.SnapshotId,
    file: string,
    wanted: Wanted,
  ): Effect.Effect<Healed | Lost | undefined, HealError> {
    const key = Bytes.toKey(wanted.digest) + (wanted.encrypted ? "e" : "p")
    const blob = ChunkStore.chunkPath(wanted.digest)
    const lost = ({ check, detail }: ChunkFault): Lost => ({
      _tag: "Lost",
      snapshot: SnapshotId.format(id),
      file,
      blob,
      check,
      detail,
    })
    if (this.seen.has(key)) return Effect.undefined
    this.seen.add(key)
    return Effect.gen({ self: this }, function* () {
      const own = yield* Effect.result(this.chunks.check(wanted))
      this.sum.chunks++
      this.looked += wanted.length
      this.options.onProgress?.({ chunks: this.sum.chunks, bytes: this.looked })
      if (own._tag === "Success") return undefined
      const { failure } = own
      // What may not be read is no damage; what the disk fails to give is.
      const isDamage = failure.check !== "IO" || failure.isTransient
      const found = yield* Effect.result(isDamage ? this.copyOfChunk(wanted, failure) : Effect.fail(failure))
      if (found._tag === "Failure") return lost(found.failure)
      const { from, proof, stored } = found.success
      const event: Healed = { ...lost(failure), _tag: "Healed", from, proof, size: stored.length }
      yield* this.write(event, stored, Effect.isSuccess(this.chunks.check(wanted)))
      return event
    })
  }

  /** A chunk that a copy has; where only a checksum vouches for it, one of which no copy has another. */
  private copyOfChunk(wanted: Wanted, fault: ChunkFault): Effect.Effect<ChunkStore.Copy, ChunkFault> {
    return Effect.flatMap(this.chunks.findCopy(wanted, fault), (copy) => {
      if (copy.proof === "digest") return Effect.succeed(copy)
      const others = this.options.copies.filter(({ name }) => name !== copy.from)
      return Effect.as(
        Effect.forEach(others, (other) =>
          Effect.matchEffect(StoredChunk.sound(other, wanted), {
            onFailure: () => Effect.void,
            onSuccess: ({ stored }) =>
              Bytes.equals(stored, copy.stored)
                ? Effect.void
                : Effect.fail(
                    new ChunkFault({
                      ...fault,
                      detail: `${fault.detail}; ${copy.from} and ${other.name} have different bytes in its place, and without its key (--key-file) nobody can tell which are right`,
                    }),
                  ),
          }),
        ),
        copy,
      )
    })
  }

  private write(
    { blob }: Healed,
    stored: Uint8Array,
    isGood: Effect.Effect<boolean>,
  ): Effect.Effect<boolean, HealError> {
    return this.options.target?.write(blob, stored, isGood) ?? Effect.succeed(false)
  }

  private found(id: SnapshotId.SnapshotId, file: string, check: string, detail: string): Found {
    const snapshot = SnapshotId.format(id)
    return { snapshot, file, blob: `${snapshot}/${file}`, check, detail }
  }

  private lost(id: SnapshotId.SnapshotId, file: string, check: string, detail: string): Lost {
    return { ...this.found(id, file, check, detail), _tag: "Lost" }
  }
}

/** The files of a copy, with the manifest as it was read last. */
interface Remembering extends SnapshotFiles.Files {
  readonly manifest: () => Uint8Array | undefined
}

const remembering = (files: SnapshotFiles.Files): Remembering => {
  let manifest: Uint8Array | undefined
  return {
    name: files.name,
    names: files.names,
    manifest: () => manifest,
    read: (name, limit) =>
      Effect.tap(files.read(name, limit), (stored) =>
        Effect.sync(() => {
          if (name === SnapshotFile.MANIFEST) manifest = stored
        }),
      ),
  }
}
