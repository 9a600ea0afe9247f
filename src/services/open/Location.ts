/**
 * What is at a location, and what opens one. Each kind of location has an opener of its own (`Locate` has the table).
 *
 * Whatever a location needs besides its text is in `Access`: nothing here reads the command line.
 */
import type * as Effect from "effect/Effect"
import type { Redacted } from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type * as Address from "../../domain/datastore/Address.ts"
import type { RepositoryString } from "../../domain/datastore/RepositoryString.ts"
import type { ArchiveError } from "../archive/ArchiveError.ts"
import type { ArchiveBytes } from "../bytes/ArchiveBytes.ts"
import type { OpenError } from "../bytes/FileSource.ts"
import type { DiskCacheError } from "../blobs/DiskCache.ts"
import type * as FarPlace from "./FarPlace.ts"
import type { ChunkCache } from "../bytes/ChunkCache.ts"
import type * as HttpClient from "../http/HttpClient.ts"
import type { HttpError } from "../http/HttpError.ts"
import type { BlobError, BlobStore } from "../blobs/BlobStore.ts"
import type { CollectionError } from "../virtual/FileRepository.ts"
import type { KeyError, KeyRing } from "../keys/KeyRing.ts"
import type * as OpenSnapshot from "../repository/OpenSnapshot.ts"
import type { Repository } from "../repository/Repository.ts"
import type { RepositoryError } from "../repository/RepositoryError.ts"
import type { ServerError } from "../server/ServerError.ts"
import type * as S3Place from "../s3/S3Place.ts"
import type { PathError } from "../tree/Archive.ts"

/** What may be needed to get to a location. */
export interface Access {
  /** Variables of the environment: defaults of what an address leaves out, and secrets. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** How servers are reached. */
  readonly network?: Network | undefined
  /** Where buckets are, and with which key. */
  readonly s3?: S3 | undefined
  /** What a web server is told of who asks: the header `Authorization`. */
  readonly authorization?: Redacted<string> | undefined
  /** Of a backup server: asked for when one is opened. */
  readonly server?: ((repository: RepositoryString) => Effect.Effect<ServerAccess, Failure>) | undefined
}

/** What the address of a backup server does not say. */
export interface ServerAccess {
  /** Password, or secret of a token; asked for once. `undefined` if there is none and nobody to ask. */
  readonly secret: Effect.Effect<Redacted<string> | undefined, ServerError>
  /** Asks for a second factor of one of these kinds. `undefined` if there is nobody to ask. */
  readonly secondFactor?: ((kinds: ReadonlyArray<string>) => Effect.Effect<Redacted<string> | undefined>) | undefined
  /** A ticket that was got before, by another process of the same command. */
  readonly ticket?: { readonly ticket: Redacted<string>; readonly csrf: Redacted<string> } | undefined
  /** SHA-256 of its certificate, with or without colons. */
  readonly fingerprint?: string | undefined
}

/** How servers are reached. */
export type Network = Omit<HttpClient.Options, "env">

/** Where buckets are, and with which key; what is not given is looked for as Amazon's tools do (see `S3Credentials`). */
export interface S3 extends S3Place.Options {
  /** A file like `~/.aws/credentials`. */
  readonly credentialsFile?: string | undefined
  /** Whether requests are not signed. */
  readonly anonymous?: boolean | undefined
}

/** How backups in a repository are opened. */
export interface RepositoryOptions extends Access, FarPlace.Options, Omit<OpenSnapshot.Options, "keys" | "chunks"> {
  /** Read when there is a repository, and not before. */
  readonly keys: Effect.Effect<KeyRing, KeyError>
  /** Addresses of datastores that have the chunks of another one, or of index files. */
  readonly chunks?: ReadonlyArray<string> | undefined
  /** Addresses of copies of a datastore, which stand in for what is missing or damaged in it. */
  readonly also?: ReadonlyArray<string> | undefined
  /** Whether digests of chunks are compared; true unless given. */
  readonly verifyChunks?: boolean | undefined
  /** Whether the files of a datastore are given out, too, as they are stored; false unless given. */
  readonly givesOut?: boolean | undefined
}

/** What can be wrong with a location, and with what is opened in it. */
export type Failure =
  | Address.AddressError
  | ArchiveError
  | BlobError
  | CollectionError
  | DiskCacheError
  | HttpError
  | KeyError
  | OpenError
  | PathError
  | RepositoryError

/** A repository that is open. */
export interface OpenedRepository {
  readonly repository: Repository
  /** Its decoded chunks, and what was fetched of them. */
  readonly cache: ChunkCache
  /** Its files, where they are given out: a chunk that archives have just fetched is not fetched again. */
  readonly files?: BlobStore | undefined
}

/** A file of this machine, or a folder of archive files. */
export interface Files {
  readonly _tag: "Files"
  readonly path: string
  readonly isFolder: boolean
}

/** One archive elsewhere. */
export interface Archive {
  readonly _tag: "Archive"
  /** Opens it; `payload` is the location of its payload archive, where that is not beside it. */
  readonly open: (payload: string | undefined) => Effect.Effect<ArchiveBytes, Failure, Scope.Scope>
}

/** Archives in a folder elsewhere. */
export interface Archives {
  readonly _tag: "Archives"
  /** For messages. */
  readonly name: string
  /** By the names of their files, in order. */
  readonly archives: ReadonlyArray<{
    readonly name: string
    /** Opens it: the same each time. */
    readonly open: Effect.Effect<ArchiveBytes, Failure>
  }>
}

/** A datastore as blobs. */
export interface Datastore {
  readonly _tag: "Datastore"
  readonly store: BlobStore
  /** Where it is on this machine, if it is. */
  readonly folder: string | undefined
  /** The archive under a name in it, for those who see that it is no datastore but a folder of archives. */
  readonly archiveIn?: ((name: string) => Archive) | undefined
}

/** Backups that are asked for by name. */
export interface Backups {
  readonly _tag: "Backups"
  /** Opens the repository that they are in, with the copies that `also` names. */
  readonly open: (
    options: RepositoryOptions,
    copies: ReadonlyArray<BlobStore>,
  ) => Effect.Effect<OpenedRepository, Failure, Scope.Scope>
}

/** What is at a location. */
export type Located = Files | Archive | Datastore | Backups

/** Finds out what is at the location of an address. Its reference is somebody else's. */
export type Opener = (address: Address.Address, access: Access) => Effect.Effect<Located, Failure, Scope.Scope>
