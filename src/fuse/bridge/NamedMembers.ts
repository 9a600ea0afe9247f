/**
 * A bridge over a collection of archives that lists its root without opening any: the kernel gets the names, and asks
 * for the attributes of those that somebody looks at.
 */
import * as Effect from "effect/Effect"
import * as Bytes from "../../domain/Bytes.ts"
import { S_IFDIR } from "../../domain/pxar/Entry.ts"
import * as NodeId from "../../domain/pxar/NodeId.ts"
import type { RootName } from "../../services/repository/RepositoryTree.ts"
import type * as Bridge from "./Bridge.ts"

export const make = (bridge: Bridge.Shape, names: ReadonlyArray<RootName>): Bridge.Shape => {
  const entries: ReadonlyArray<Bridge.Listed> = [
    ...names,
    { name: Bytes.fromText("."), id: NodeId.ROOT },
    { name: Bytes.fromText(".."), id: NodeId.ROOT },
  ].map(({ id, name }, index) => ({
    id,
    name,
    mode: S_IFDIR,
    child: undefined,
    next: index + 1,
  }))
  return {
    ...bridge,
    readdir: (id, offset, add) => {
      if (id !== NodeId.ROOT) return bridge.readdir(id, offset, add)
      for (let slot = offset; slot < entries.length; slot++) if (!add(entries[slot] as Bridge.Listed)) break
      return Effect.void
    },
  }
}
