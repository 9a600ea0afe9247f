/**
 * A bridge that shows how many names a file has, where the one below it shows 1 (§9.2).
 */
import type * as Stat from "../../domain/pxar/Stat.ts"
import type { LinkCounts } from "../../services/tree/LinkCounts.ts"
import * as AtOnce from "../../services/AtOnce.ts"
import type * as Bridge from "./Bridge.ts"

export const make = (bridge: Bridge.Bridge, counts: LinkCounts["of"]): Bridge.Bridge => {
  const counted = (stat: Stat.Stat): Stat.Stat => {
    const nlink = counts(stat.ino)
    return nlink === undefined ? stat : { ...stat, nlink }
  }
  const listed = (entry: Bridge.Listed): Bridge.Listed =>
    entry.child === undefined ? entry : { ...entry, child: { node: entry.child.node, stat: counted(entry.child.stat) } }
  return {
    ...bridge,
    lookup: (parent, name, lease) =>
      AtOnce.map(bridge.lookup(parent, name, lease), (stat) => (stat === undefined ? undefined : counted(stat))),
    getattr: (id) => AtOnce.map(bridge.getattr(id), counted),
    readdir: (id, offset, add) => bridge.readdir(id, offset, (entry) => add(listed(entry))),
  }
}
