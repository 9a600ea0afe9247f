/**
 * The archives of a folder elsewhere as one tree, each under its file name, opened when it is first used.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as ArchiveError from "../archive/ArchiveError.ts"
import * as ArchiveReader from "../archive/ArchiveReader.ts"
import type { ArchiveTree } from "../archive/ArchiveTree.ts"
import { CollectionError } from "../virtual/FileRepository.ts"
import type * as VirtualItem from "../virtual/VirtualItem.ts"
import * as VirtualTree from "../virtual/VirtualTree.ts"
import type { Archives, Failure } from "./Location.ts"
import type { Options } from "./OpenInRepository.ts"

/** Makes the tree. */
export const make = Effect.fnUntraced(function* (
  { archives, name: folder }: Archives,
  { idle, owner, payload, reader }: Options,
): Effect.fn.Return<ArchiveTree, Failure, Scope.Scope> {
  if (payload !== undefined) {
    const detail = `${payload}: a payload archive can be named for one archive only, not for a folder of archives`
    return yield* new CollectionError({ reason: "PayloadNamed", detail })
  }
  const items = archives.map(({ name, open }): VirtualItem.Item => {
    const archive = `${folder}/${name}`
    return {
      _tag: "Archive",
      name,
      archive: {
        archive,
        // To learn it is a request each.
        size: 0,
        open: Effect.flatMap(
          Effect.mapError(open, (error) => ArchiveError.unavailable(archive, error.message)),
          ({ archive, payload }) => ArchiveReader.make(archive, payload, reader),
        ),
      },
    }
  })
  return yield* VirtualTree.make({
    name: folder,
    root: { items: Effect.succeed(items), isFixed: true, mtimeSeconds: Math.floor(Date.now() / 1000) },
    idle,
    uid: owner?.uid ?? 0,
    gid: owner?.gid ?? 0,
  })
})
