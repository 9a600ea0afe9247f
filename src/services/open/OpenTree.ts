/**
 * Opens what an address names as bytes of one archive, or as a tree: an archive, a backup, a group, a whole repository.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Address from "../../domain/datastore/Address.ts"
import type { ArchiveError } from "../archive/ArchiveError.ts"
import * as ArchiveReader from "../archive/ArchiveReader.ts"
import * as ArchiveBytes from "../bytes/ArchiveBytes.ts"
import * as ByteSource from "../bytes/ByteSource.ts"
import * as ByteStream from "../bytes/ByteStream.ts"
import type { Failure } from "./Location.ts"
import type { Options, Stored, Tree } from "./OpenInRepository.ts"
import type { Opened } from "./OpenRepository.ts"

export type { Options, Stored, Tree }

/** One archive, by its bytes; or as a stream, which has none that can be read at a place. */
export interface Bytes extends ArchiveBytes.ArchiveBytes {
  readonly reader?: Effect.Effect<ArchiveReader.ArchiveReader, ArchiveError> | undefined
}

// What an archive file does not need is loaded when it is.
const inRepository = Effect.promise(() => import("./OpenInRepository.ts"))
const streamReader = Effect.promise(() => import("../archive/StreamReader.ts"))

/** An archive that comes as a stream and is read once, from front to back: standard input (`-`) or a FIFO. */
export const streamBytes = Effect.fnUntraced(function* (
  text: string,
  options: Options,
): Effect.fn.Return<Bytes, Failure, Scope.Scope> {
  const payload = yield* ArchiveBytes.openPayload(text, options.payload)
  const stream = yield* ByteStream.open(text)
  const archive = ByteSource.fromBytes(new Uint8Array(0), stream.name)
  return { archive, payload, reader: (yield* streamReader).make(stream, payload, options.reader?.limits) }
})

/** The same as a tree. */
export const streamTree = Effect.fnUntraced(function* (
  text: string,
  options: Options,
): Effect.fn.Return<Tree, Failure, Scope.Scope> {
  const payload = yield* ArchiveBytes.openPayload(text, options.payload)
  const tree = yield* (yield* streamReader).make(yield* ByteStream.open(text), payload, options.reader?.limits)
  return { tree, file: undefined }
})

/** The bytes of one archive. */
export const bytes = Effect.fnUntraced(function* (
  opened: Opened,
  options: Options,
): Effect.fn.Return<ArchiveBytes.ArchiveBytes, Failure, Scope.Scope> {
  if (opened._tag === "Files") return yield* ArchiveBytes.open(opened.path, options.payload)
  if (opened._tag === "Archive") return yield* opened.open(options.payload)
  if (opened._tag === "Archives") {
    const names = opened.archives.map(({ name }) => name).join(", ")
    const detail = `is a folder of archives, and one is wanted: ${names}`
    return yield* new Address.AddressError({ text: opened.name, part: "location", detail })
  }
  return yield* (yield* inRepository).bytes(opened)
})

/** The tree of whatever is named; or of a folder in an archive. */
export const tree = Effect.fnUntraced(function* (
  opened: Opened,
  options: Options,
): Effect.fn.Return<Tree, Failure, Scope.Scope> {
  if (opened._tag === "InRepository") return yield* (yield* inRepository).tree(opened, options)
  if (opened._tag === "Files" && opened.isFolder) {
    const FileRepository = yield* Effect.promise(() => import("../virtual/FileRepository.ts"))
    return {
      tree: (yield* FileRepository.open([opened.path], { payload: options.payload, owner: options.owner })).tree,
      file: undefined,
    }
  }
  if (opened._tag === "Archives") {
    const ArchivesTree = yield* Effect.promise(() => import("./ArchivesTree.ts"))
    return { tree: yield* ArchivesTree.make(opened, options), file: undefined }
  }
  const { archive, payload } = yield* bytes(opened, options)
  return { tree: yield* ArchiveReader.make(archive, payload, options.reader), file: undefined }
})
