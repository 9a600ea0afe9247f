/**
 * What a listing of a folder gives for each name, whatever tree it is of.
 */
import type * as Inode from "../../domain/pxar/Inode.ts"
import type * as Node from "../../domain/pxar/Node.ts"
import type * as Stat from "../../domain/pxar/Stat.ts"

/** A child in a listing. */
export interface Child {
  readonly node: Node.Node
  /** With the node's own id: the kernel's is told when a reference is counted. */
  readonly stat: Stat.Stat
}

/** One name of a listing. */
export interface Listed {
  readonly name: Uint8Array
  readonly ino: Inode.Inode
  /** 0 where the child cannot be decoded. */
  readonly mode: number
  /** For children that can be decoded; `.` and `..` have none. */
  readonly child: Child | undefined
  /** Where a listing continues after this name. */
  readonly next: number
}
