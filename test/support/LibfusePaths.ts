/**
 * The tree of the kernel's model as libfuse sees it: by path. What a path leads to, or the errno that it must give.
 */
import { assert } from "@effect/vitest"
import * as NodeId from "../../src/domain/pxar/NodeId.ts"
import type * as Stat from "../../src/domain/pxar/Stat.ts"
import * as KernelTree from "./KernelTree.ts"
import * as Wire from "./Wire.ts"

export const tree = KernelTree.make()
export const ROOT = 1n

/** What a path leads to: the nodes on the way, the last one included, or an errno. */
export interface Resolved {
  readonly errno: number
  readonly nodes: ReadonlyArray<bigint>
}

export const known = (node: bigint): KernelTree.Known =>
  tree.nodes.get(node) ?? assert.fail(`a node ${node} that is none`)

export const resolve = (path: string): Resolved => {
  const nodes: Array<bigint> = []
  let node = ROOT
  for (const name of path.split("/").filter((name) => name !== "")) {
    const { children } = known(node)
    if (children === undefined) return { errno: Wire.Errno.ENOTDIR, nodes: [] }
    const child = children.find((child) => child.name === name)
    if (child === undefined) return { errno: Wire.Errno.ENOENT, nodes: [] }
    if (child.ino === undefined) return { errno: Wire.Errno.EIO, nodes: [] }
    node = child.ino
    nodes.push(node)
  }
  return { errno: 0, nodes }
}

/** The node itself. */
export const nodeOf = ({ nodes }: Resolved): bigint => nodes.at(-1) ?? ROOT

/** What getattr must answer. */
export const statOf = (node: bigint): Stat.Stat => {
  const { mode, ...attr } = known(node).attr
  return {
    id: NodeId.fromHalves(Number(node & 0xffff_ffffn), Number(node >> 32n)),
    ino: Number(Wire.inodeOf(node)),
    mode,
    nlink: attr.nlink ?? 1,
    uid: attr.uid ?? 0,
    gid: attr.gid ?? 0,
    size: Number(attr.size ?? 0),
    blocks: Number(attr.blocks ?? 0),
    rdev: 0,
    mtimeSeconds: BigInt(attr.seconds ?? 0),
    mtimeNanos: attr.nanos ?? 0,
  }
}

/** Paths to ask for, with some that lead nowhere. */
export const all = [
  ...[...tree.nodes.values()].map(({ path }) => `/${path}`),
  "/d/h",
  "/bad",
  "/absent",
  "/f/x",
  "/d/h/x",
]
