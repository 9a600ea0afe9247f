/**
 * What a tree is put together from: folders, files and links that are in no archive, and archives, each of which is shown as
 * a folder. See `VirtualTree`.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Bytes from "../../domain/Bytes.ts"
import {
  type Attributes,
  type Body,
  type Entry,
  noAttributes,
  S_IFDIR,
  S_IFLNK,
  S_IFREG,
} from "../../domain/pxar/Entry.ts"
import type { ArchiveError } from "../archive/ArchiveError.ts"
import type { ArchiveTree, Read } from "../archive/ArchiveTree.ts"
import * as AtOnce from "../AtOnce.ts"
import type { Extent } from "../bytes/Extent.ts"

/** What a folder has under a name. */
export type Item = Named &
  (
    | { readonly _tag: "Folder"; readonly folder: Folder }
    | { readonly _tag: "File"; readonly file: File }
    /** `mtimeSeconds`: since the epoch. */
    | { readonly _tag: "Link"; readonly target: Read<string>; readonly mtimeSeconds: number }
    | { readonly _tag: "Archive"; readonly archive: Archive }
    /** Something of an archive, but no folder, in a place of its own. */
    | { readonly _tag: "Entry"; readonly entry: Entry; readonly read: File["read"] }
  )

/** The name of an item. */
export interface Named {
  /** See `Bytes.toText` for what is not UTF-8. */
  readonly name: string
  /** What is another one is another thing under the same name, with a node of its own: kernels keep contents of links. */
  readonly version?: string | undefined
}

/** A folder that is in no archive. */
export interface Folder {
  /** What is in it: no two with one name. */
  readonly items: Read<ReadonlyArray<Item>>
  /** Whether that stays so for ever. */
  readonly isFixed: boolean
  /** Seconds since the epoch. */
  readonly mtimeSeconds: number
}

/** A file that is in no archive. */
export interface File {
  /** Bytes. */
  readonly size: Read<number>
  /** As `ByteSource.read`. */
  readonly read: (target: Uint8Array, offset: number) => Read<void>
  /** Extended attributes, by their names; none unless given. */
  readonly xattrs?: Read<Readonly<Record<string, string>>> | undefined
  /** Where it can have holes. */
  readonly holes?: Holes | undefined
  /** Seconds since the epoch. */
  readonly mtimeSeconds: number
}

/** Which bytes of a file are stored. */
export interface Holes {
  /** The run that `offset`, a byte of the file, is in. */
  readonly extent: (offset: number) => Read<Extent>
  /** Bytes that are in no hole. */
  readonly allocated: Read<number>
}

/** An archive that is shown as a folder. */
export interface Archive {
  /** For messages. */
  readonly archive: string
  /** Bytes of the archive and, if there is one, of its payload archive. */
  readonly size: number
  /** Opens it: the same archive each time. */
  readonly open: Effect.Effect<ArchiveTree, ArchiveError, Scope.Scope>
}

/** A file with this text in it. */
export const text = (name: string, content: string, mtimeSeconds: number): Item => {
  const bytes = Bytes.fromText(content)
  return {
    _tag: "File",
    name,
    version: content,
    file: {
      mtimeSeconds,
      size: Effect.succeed(bytes.length),
      read: (target, offset) => {
        target.set(bytes.subarray(offset, offset + target.length))
        return Effect.void
      },
    },
  }
}

/** Whose everything is that is in no archive. */
export interface Owner {
  readonly uid: number
  readonly gid: number
}

/** The entry of what is in no archive, or in another place there. */
export const entry = (item: Exclude<Item, { readonly _tag: "Archive" }>, owner: Owner): Read<Entry> => {
  switch (item._tag) {
    case "Folder": {
      const { mtimeSeconds } = item.folder
      return Effect.succeed(entryOf(S_IFDIR | 0o755, { _tag: "Directory", contentsStart: 0 }, mtimeSeconds, owner))
    }
    case "File": {
      const { file } = item
      return AtOnce.flatMap(file.size, (length) =>
        AtOnce.flatMap(allocated(file), (allocated) =>
          AtOnce.map(attributes(file), (attributes) => {
            const content = { source: "archive", start: 0, length, allocated } as const
            // What is decrypted here is for whom the mount belongs to.
            const made = entryOf(S_IFREG | 0o600, { _tag: "File", content }, file.mtimeSeconds, owner)
            return attributes === noAttributes ? made : { ...made, attributes }
          }),
        ),
      )
    }
    case "Entry":
      return Effect.succeed(item.entry)
    case "Link":
      return AtOnce.map(item.target, (target) =>
        entryOf(S_IFLNK | 0o777, { _tag: "Symlink", target: Bytes.fromText(target) }, item.mtimeSeconds, owner),
      )
  }
}

const entryOf = (mode: number, body: Body, mtimeSeconds: number, { gid, uid }: Owner): Entry => ({
  _tag: "Entry",
  start: 0,
  end: 0,
  mode,
  flags: 0n,
  uid,
  gid,
  mtimeSeconds: BigInt(mtimeSeconds),
  mtimeNanos: 0,
  attributes: noAttributes,
  body,
  findings: [],
})

/** What cannot be opened is shown as if it had no holes: reading it says why. */
const allocated = ({ holes }: File): Effect.Effect<number | undefined> =>
  holes === undefined ? Effect.undefined : AtOnce.catch_(holes.allocated, () => Effect.undefined)

const attributes = ({ xattrs }: File): Read<Attributes> =>
  xattrs === undefined
    ? Effect.succeed(noAttributes)
    : AtOnce.map(xattrs, (found) => ({
        ...noAttributes,
        xattrs: Object.entries(found).map(([name, value]) => ({
          name: Bytes.fromText(name),
          value: Bytes.fromText(value),
        })),
      }))
