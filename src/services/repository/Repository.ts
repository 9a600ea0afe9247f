/**
 * Backups in one place: namespaces, groups and snapshots, of which one level is listed at a time without opening
 * anything, and what is in a snapshot.
 *
 * Nothing is ever written. What is wrong with one snapshot or file costs that one.
 */
import type * as Effect from "effect/Effect"
import type { ChunkIndex } from "../../domain/datastore/ChunkIndex.ts"
import type { DatastoreFault } from "../../domain/datastore/DatastoreFault.ts"
import type { File, Manifest } from "../../domain/datastore/Manifest.ts"
import type { Namespace } from "../../domain/datastore/Namespace.ts"
import type * as SnapshotFile from "../../domain/datastore/SnapshotFile.ts"
import type { GroupId, SnapshotId } from "../../domain/datastore/SnapshotId.ts"
import type { ArchiveBytes } from "../bytes/ArchiveBytes.ts"
import type { ChunkedSource } from "../chunks/ChunkedSource.ts"
import type { ChunkStore } from "../chunks/ChunkStore.ts"
import type { EncryptionKey } from "../keys/EncryptionKey.ts"
import type { RepositoryError } from "./RepositoryError.ts"

/** A place with backups. */
export interface Repository {
  /** For messages: a path or an address. */
  readonly name: string
  /** The namespaces directly in another, in the order of their names. */
  readonly namespaces: (parent: Namespace) => Effect.Effect<ReadonlyArray<Namespace>, RepositoryError>
  /** The groups of a namespace, by type and name. */
  readonly groups: (namespace: Namespace) => Effect.Effect<ReadonlyArray<GroupId>, RepositoryError>
  /** Whose a group is, and what is noted of it. */
  readonly group: (group: GroupId) => Effect.Effect<Group, RepositoryError>
  /** The snapshots of a group, finished or not, the oldest first. */
  readonly snapshots: (group: GroupId) => Effect.Effect<ReadonlyArray<SnapshotId>, RepositoryError>
  /** Whether a snapshot has a manifest, which is not read for that. */
  readonly isFinished: (id: SnapshotId) => Effect.Effect<boolean, RepositoryError>
  /** Reads the manifest of a snapshot. Fails with `SnapshotUnfinished` if it has none. */
  readonly snapshot: (id: SnapshotId) => Effect.Effect<Snapshot, RepositoryError>
}

/** What is known of a group besides its snapshots. */
export interface Group {
  /** A user or token, as `root@pam`. */
  readonly owner: string | undefined
  readonly notes: string | undefined
}

/** What a stream consists of. */
export interface StreamIndex {
  readonly index: ChunkIndex
  /** What is wrong without costing a byte. */
  readonly warnings: ReadonlyArray<DatastoreFault>
  /** Whether its chunks are encrypted. */
  readonly encrypted: boolean
  /** The key that they are encrypted with, where it is at hand. */
  readonly key: EncryptionKey | undefined
  /** Where its chunks are. */
  readonly chunks: ChunkStore
}

/** A finished backup. */
export interface Snapshot {
  readonly id: SnapshotId
  readonly manifest: Manifest
  /** Whether pruning leaves it alone. */
  readonly isProtected: boolean
  /** What is wrong without keeping anything from being read. */
  readonly warnings: ReadonlyArray<DatastoreFault>
  /** `unchecked`: there is one, but not the key that it was made with. */
  readonly signature: "valid" | "unsigned" | "unchecked"
  /** Archives, images and blobs as people call them; the client's log with them, which is in no manifest. */
  readonly files: ReadonlyArray<SnapshotFile.Shown>
  /** Opens an archive. What keeps the contents of a split one from being read does not keep it from being listed. */
  readonly archive: (file: SnapshotFile.Shown) => Effect.Effect<ArchiveBytes, RepositoryError>
  /** Opens the payload half of a split archive; `undefined` for any other. */
  readonly payload: (file: SnapshotFile.Shown) => Effect.Effect<ChunkedSource | undefined, RepositoryError>
  /** Opens what an index describes: either half of an archive, an image, a catalog. By its name in the manifest. */
  readonly stream: (name: string) => Effect.Effect<ChunkedSource, RepositoryError>
  /** Reads and checks the index of a stream, for which no key is needed. */
  readonly index: (name: string) => Effect.Effect<StreamIndex, RepositoryError>
  /** The content of a blob, by its name on disk. */
  readonly blob: (name: string) => Effect.Effect<Uint8Array, RepositoryError>
  /** What the manifest says of a file. */
  readonly file: (name: string) => File | undefined
}
