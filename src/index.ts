/**
 * The library: one namespace a concept, by room (docs/architecture.md). Importing it does nothing.
 */
// domain
export * as Errno from "./domain/Errno.ts"
export * as PathText from "./domain/PathText.ts"

// domain/pxar
export * as ArchivePath from "./domain/pxar/ArchivePath.ts"
export * as Entry from "./domain/pxar/Entry.ts"
export * as EntryKind from "./domain/pxar/EntryKind.ts"
export * as FormatError from "./domain/pxar/FormatError.ts"
export * as Inode from "./domain/pxar/Inode.ts"
export * as Limits from "./domain/pxar/Limits.ts"
export * as Node from "./domain/pxar/Node.ts"
export * as NodeId from "./domain/pxar/NodeId.ts"
export * as Stat from "./domain/pxar/Stat.ts"
export * as XattrList from "./domain/pxar/XattrList.ts"

// domain/datastore
export * as Address from "./domain/datastore/Address.ts"
export * as CanonicalJson from "./domain/datastore/CanonicalJson.ts"
export * as ChunkIndex from "./domain/datastore/ChunkIndex.ts"
export * as DataBlob from "./domain/datastore/DataBlob.ts"
export * as DatastoreFault from "./domain/datastore/DatastoreFault.ts"
export * as Digest from "./domain/datastore/Digest.ts"
export * as DynamicIndex from "./domain/datastore/DynamicIndex.ts"
export * as FileSystemSignature from "./domain/datastore/FileSystemSignature.ts"
export * as Filter from "./domain/datastore/Filter.ts"
export * as FixedIndex from "./domain/datastore/FixedIndex.ts"
export * as KeyFile from "./domain/datastore/KeyFile.ts"
export * as Manifest from "./domain/datastore/Manifest.ts"
export * as Namespace from "./domain/datastore/Namespace.ts"
export * as PartitionAttributes from "./domain/datastore/PartitionAttributes.ts"
export * as PartitionTable from "./domain/datastore/PartitionTable.ts"
export * as PartitionType from "./domain/datastore/PartitionType.ts"
export * as PathTemplate from "./domain/datastore/PathTemplate.ts"
export * as Reference from "./domain/datastore/Reference.ts"
export * as RepositoryString from "./domain/datastore/RepositoryString.ts"
export * as SnapshotFile from "./domain/datastore/SnapshotFile.ts"
export * as SnapshotId from "./domain/datastore/SnapshotId.ts"
export * as TimeTemplate from "./domain/datastore/TimeTemplate.ts"

// domain/json
export * as DatastoreVerifyJson from "./domain/json/DatastoreVerifyJson.ts"
export * as DiffJson from "./domain/json/DiffJson.ts"
export * as DoctorJson from "./domain/json/DoctorJson.ts"
export * as EntryJson from "./domain/json/EntryJson.ts"
export * as ErrorJson from "./domain/json/ErrorJson.ts"
export * as HealJson from "./domain/json/HealJson.ts"
export * as HistoryJson from "./domain/json/HistoryJson.ts"
export * as InfoJson from "./domain/json/InfoJson.ts"
export * as JsonText from "./domain/json/JsonText.ts"
export * as ListJson from "./domain/json/ListJson.ts"
export * as LogJson from "./domain/json/LogJson.ts"
export * as ProgressJson from "./domain/json/ProgressJson.ts"
export * as SnapshotJson from "./domain/json/SnapshotJson.ts"
export * as StatusJson from "./domain/json/StatusJson.ts"
export * as VerifyJson from "./domain/json/VerifyJson.ts"

// services/posix
export * as Caller from "./services/posix/Caller.ts"

// services/http
export * as Connections from "./services/http/Connections.ts"
export * as HttpClient from "./services/http/HttpClient.ts"
export * as HttpError from "./services/http/HttpError.ts"

// services/s3
export * as S3Client from "./services/s3/S3Client.ts"
export * as S3Credentials from "./services/s3/S3Credentials.ts"
export * as S3Place from "./services/s3/S3Place.ts"

// services/bytes
export * as ArchiveBytes from "./services/bytes/ArchiveBytes.ts"
export * as ByteSink from "./services/bytes/ByteSink.ts"
export * as ByteSource from "./services/bytes/ByteSource.ts"
export * as ChunkCache from "./services/bytes/ChunkCache.ts"
export * as FileSource from "./services/bytes/FileSource.ts"
export * as ForwardReaders from "./services/bytes/ForwardReaders.ts"
export * as HttpSource from "./services/bytes/HttpSource.ts"
export * as Traffic from "./services/bytes/Traffic.ts"

// services/disk
export * as DiskWarning from "./services/disk/DiskWarning.ts"

// services/archive
export * as ArchiveError from "./services/archive/ArchiveError.ts"
export * as ArchiveFiles from "./services/archive/ArchiveFiles.ts"
export * as ArchiveReader from "./services/archive/ArchiveReader.ts"
export * as ArchiveTree from "./services/archive/ArchiveTree.ts"
export * as PayloadReader from "./services/archive/PayloadReader.ts"

// services/create
export * as ArchiveWriter from "./services/create/ArchiveWriter.ts"
export * as CreateArchive from "./services/create/CreateArchive.ts"

// services/tree
export * as Archive from "./services/tree/Archive.ts"
export * as ArchiveInfo from "./services/tree/ArchiveInfo.ts"
export * as LinkCounts from "./services/tree/LinkCounts.ts"
export * as Losses from "./services/tree/Losses.ts"
export * as Place from "./services/tree/Place.ts"
export * as Query from "./services/tree/Query.ts"
export * as Selection from "./services/tree/Selection.ts"
export * as TreeWalk from "./services/tree/TreeWalk.ts"
export * as WalkStream from "./services/tree/WalkStream.ts"

// services/compare
export * as AttributeDiff from "./services/compare/AttributeDiff.ts"
export * as ComparedArchive from "./services/compare/ComparedArchive.ts"
export * as ComparedFolder from "./services/compare/ComparedFolder.ts"
export * as ComparedTree from "./services/compare/ComparedTree.ts"
export * as ContentDiff from "./services/compare/ContentDiff.ts"
export * as TreeDiff from "./services/compare/TreeDiff.ts"

// services/blobs
export * as BlobStore from "./services/blobs/BlobStore.ts"
export * as BlobStoreWrappers from "./services/blobs/BlobStoreWrappers.ts"
export * as DiskCache from "./services/blobs/DiskCache.ts"
export * as FolderBlobStore from "./services/blobs/FolderBlobStore.ts"
export * as HttpBlobStore from "./services/blobs/HttpBlobStore.ts"
export * as S3BlobStore from "./services/blobs/S3BlobStore.ts"

// services/keys
export * as EncryptionKey from "./services/keys/EncryptionKey.ts"
export * as KeyRing from "./services/keys/KeyRing.ts"
export * as KeyUnlock from "./services/keys/KeyUnlock.ts"

// services/chunks
export * as ChunkDecoder from "./services/chunks/ChunkDecoder.ts"
export * as ChunkFault from "./services/chunks/ChunkFault.ts"
export * as ChunkStore from "./services/chunks/ChunkStore.ts"
export * as ChunkedSource from "./services/chunks/ChunkedSource.ts"
export * as Healed from "./services/chunks/Healed.ts"
export * as StoredChunk from "./services/chunks/StoredChunk.ts"

// services/index
export * as HistoryIndex from "./services/index/HistoryIndex.ts"
export * as IndexFile from "./services/index/IndexFile.ts"

// services/repository
export * as DatastoreRepository from "./services/repository/DatastoreRepository.ts"
export * as LooseIndexes from "./services/repository/LooseIndexes.ts"
export * as OpenSnapshot from "./services/repository/OpenSnapshot.ts"
export * as Remains from "./services/repository/Remains.ts"
export * as Repository from "./services/repository/Repository.ts"
export * as RepositoryError from "./services/repository/RepositoryError.ts"
export * as ResolveReference from "./services/repository/ResolveReference.ts"
export * as SalvagedManifest from "./services/repository/SalvagedManifest.ts"
export * as SnapshotFiles from "./services/repository/SnapshotFiles.ts"
export * as WalkRepository from "./services/repository/WalkRepository.ts"

// services/virtual
export * as DiskPartitions from "./services/virtual/DiskPartitions.ts"
export * as FileRepository from "./services/virtual/FileRepository.ts"
export * as PreviousVersions from "./services/virtual/PreviousVersions.ts"
export * as RepositoryTree from "./services/virtual/RepositoryTree.ts"
export * as VirtualItem from "./services/virtual/VirtualItem.ts"
export * as VirtualTree from "./services/virtual/VirtualTree.ts"

// services/server
export * as ServerError from "./services/server/ServerError.ts"

// services/open
export * as Locate from "./services/open/Locate.ts"
export * as Location from "./services/open/Location.ts"
export * as OpenRepository from "./services/open/OpenRepository.ts"
export * as OpenTree from "./services/open/OpenTree.ts"

// services/extract
export * as ExtractProblem from "./services/extract/ExtractProblem.ts"
export * as Extractor from "./services/extract/Extractor.ts"

// services/verify
export * as DatastoreVerifier from "./services/verify/DatastoreVerifier.ts"
export * as Finding from "./services/verify/Finding.ts"
export * as Verifier from "./services/verify/Verifier.ts"

// services/heal
export * as HealTarget from "./services/heal/HealTarget.ts"
export * as Healer from "./services/heal/Healer.ts"

// services/history
export * as Bisect from "./services/history/Bisect.ts"
export * as BuildIndex from "./services/history/BuildIndex.ts"
export * as ContentChunks from "./services/history/ContentChunks.ts"
export * as Drill from "./services/history/Drill.ts"
export * as Edition from "./services/history/Edition.ts"
export * as EntryIdentity from "./services/history/EntryIdentity.ts"
export * as Find from "./services/history/Find.ts"
export * as IndexedEdition from "./services/history/IndexedEdition.ts"
export * as Inspect from "./services/history/Inspect.ts"
export * as Moves from "./services/history/Moves.ts"
export * as SameContent from "./services/history/SameContent.ts"
export * as SharedChunks from "./services/history/SharedChunks.ts"
export * as Stats from "./services/history/Stats.ts"
export * as Versions from "./services/history/Versions.ts"
export * as VersionsFolder from "./services/history/VersionsFolder.ts"

// services
export * as LookupRegistry from "./services/LookupRegistry.ts"

// fuse/wire
export * as FileAttributes from "./fuse/wire/FileAttributes.ts"

// fuse/bridge
export * as Bridge from "./fuse/bridge/Bridge.ts"
export * as BridgeSpans from "./fuse/bridge/BridgeSpans.ts"
export * as View from "./fuse/bridge/View.ts"

// fuse/session
export * as FuseDevice from "./fuse/session/FuseDevice.ts"
export * as KernelDevice from "./fuse/session/KernelDevice.ts"
export * as MemoryDevice from "./fuse/session/MemoryDevice.ts"
export * as Observer from "./fuse/session/Observer.ts"
export * as Session from "./fuse/session/Session.ts"

// fuse/mount
export * as FuseMount from "./fuse/mount/FuseMount.ts"
export * as MountError from "./fuse/mount/MountError.ts"
export * as MountOptions from "./fuse/mount/MountOptions.ts"

// fuse
export * as Mount from "./fuse/Mount.ts"
