/**
 * An archive as a tree to compare.
 *
 * Archives do not say how many names a file has. `make` goes through the whole archive once to learn which files hard
 * links lead to: 8 bytes and a set's record for each of those.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Bytes from "../../domain/Bytes.ts"
import type { Node } from "../../domain/pxar/Node.ts"
import * as Inode from "../../domain/pxar/Inode.ts"
import * as ArchiveError from "../archive/ArchiveError.ts"
import * as AtOnce from "../AtOnce.ts"
import type { ArchiveTree, Listed } from "../archive/ArchiveTree.ts"
import * as TreeWalk from "../tree/TreeWalk.ts"
import type { ComparedTree, Item, Listing } from "./ComparedTree.ts"
import { allKnown } from "./ComparedTree.ts"

/** An entry in an archive. */
export interface ArchiveItem extends Item {
  readonly node: Node
}

type Read = Effect.Effect<ArchiveItem, ArchiveError.ArchiveError>

/** The tree in an archive. What cannot be read is no reason to fail yet. */
export const make = Effect.fnUntraced(function* (reader: ArchiveTree): Effect.fn.Return<ComparedTree<ArchiveItem>> {
  const targets = yield* linkTargets(reader)

  const item = ({
    entry,
    link,
    nameStart,
    node,
  }: Pick<TreeWalk.Found, "node" | "entry" | "link" | "nameStart">): ArchiveItem => ({
    entry,
    node,
    id: BigInt(Inode.ofNode(node.id)),
    group: targets.has(link?.target ?? nameStart) ? String(node.id) : undefined,
    unknown: allKnown,
  })

  /** The child number `index` of a folder, decoded anew. */
  const again = (directory: Node, index: number): Read => {
    let child: Listed | undefined
    const listed = reader.list(directory, index, (listed) => {
      child = listed
      return false
    })
    return AtOnce.flatMap(listed, () =>
      child === undefined
        ? Effect.fail(ArchiveError.unavailable(reader.archive, "has fewer entries than before"))
        : open(directory, child),
    )
  }

  const open = (directory: Node, child: Listed): Read => {
    switch (child._tag) {
      case "Found":
        return Effect.succeed(item(child))
      case "Unreadable":
        return Effect.fail(child.error)
      case "Unopened":
        return AtOnce.flatMap(reader.lookup(directory, child.name), (found) =>
          found === undefined
            ? Effect.fail(ArchiveError.unavailable(reader.archive, "has fewer entries than before"))
            : Effect.succeed(item(found)),
        )
    }
  }

  const list = Effect.fnUntraced(function* ({
    node,
  }: ArchiveItem): Effect.fn.Return<Listing<ArchiveItem>, ArchiveError.ArchiveError> {
    const errors: Array<ArchiveError.ArchiveError> = []
    const named: Array<Named> = []
    yield* reader.list(node, 0, (child, next) => {
      if (child.name !== undefined) {
        const kept = named.length < KEPT ? child : undefined
        named.push({ name: child.name, index: next - 1, readable: child._tag !== "Unreadable", kept })
      } else if (child._tag === "Unreadable") errors.push(child.error)
      return true
    })
    // Of one name, what can be read comes first: it hides the others (D9).
    named.sort((a, b) => Bytes.compare(a.name, b.name) || Number(b.readable) - Number(a.readable) || a.index - b.index)
    const children = named.filter(({ name }, at) => at === 0 || !Bytes.equals(name, (named[at - 1] as Named).name))
    return {
      count: children.length,
      nameAt: (index) => (children[index] as Named).name,
      open: (at) => {
        const { index, kept } = children[at] as Named
        return kept === undefined ? again(node, index) : open(node, kept)
      },
      errors,
    }
  })

  return {
    name: reader.archive,
    root: Effect.map(reader.entry(reader.root), (entry) =>
      item({ entry, link: undefined, nameStart: 0, node: reader.root }),
    ),
    list,
    read: (file, offset, target) =>
      file.entry.body._tag === "File" ? reader.content(file.node, offset, target) : Effect.void,
    close: (item) => (item.entry.body._tag === "Directory" ? reader.release(item.node) : Effect.void),
  }
})

interface Named {
  readonly name: Uint8Array
  /** Its number in the folder. */
  readonly index: number
  readonly readable: boolean
  /** The child itself, as it was listed. */
  readonly kept: Listed | undefined
}

/** Children of a folder that are kept as they were listed; the others are decoded again. */
const KEPT = 1024

/** Positions of the FILENAME headers of all files with more than one name. */
const linkTargets = Effect.fnUntraced(function* (reader: ArchiveTree): Effect.fn.Return<ReadonlySet<number>> {
  const targets = new Set<number>()
  // What cannot be read is found again, and reported, when it is compared.
  const root = yield* Effect.result(TreeWalk.root(reader))
  if (Result.isFailure(root)) return targets
  const begun = yield* Effect.result(TreeWalk.make(reader, root.success, Infinity))
  if (Result.isFailure(begun)) return targets
  const walk = begun.success
  while (walk.depth() > 0) {
    const item = yield* walk.next()
    if (item === undefined) walk.leave()
    else if (item.link !== undefined) targets.add(item.link.target)
    else if (item._tag === "Found" && TreeWalk.isDirectory(item)) yield* AtOnce.catch_(walk.enter(), () => Effect.void)
  }
  return targets
})
