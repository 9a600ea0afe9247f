/**
 * An archive as a tree to compare.
 *
 * Archives do not say how many names a file has. `make` goes through the whole archive once to learn which files hard
 * links lead to: 8 bytes and a set's record for each of those.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as Bytes from "../../domain/Bytes.ts"
import type { Node } from "../../domain/pxar/Node.ts"
import * as Inode from "../../domain/pxar/Inode.ts"
import * as ArchiveError from "../archive/ArchiveError.ts"
import type { ArchiveTree, Listed } from "../archive/ArchiveTree.ts"
import * as TreeWalk from "../tree/TreeWalk.ts"
import * as WalkStream from "../tree/WalkStream.ts"
import type { ComparedTree, Item, Listing } from "./ComparedTree.ts"
import { allKnown } from "./ComparedTree.ts"

/** An entry in an archive. */
export interface ArchiveItem extends Item {
  readonly node: Node
}

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

  /** The child number `index` of a folder. */
  const open = Effect.fnUntraced(function* (
    directory: Node,
    index: number,
  ): Effect.fn.Return<ArchiveItem, ArchiveError.ArchiveError> {
    let child: Listed | undefined
    yield* reader.list(directory, index, (listed) => {
      child = listed
      return false
    })
    if (child?._tag === "Unopened") child = yield* reader.lookup(directory, child.name)
    if (child?._tag === "Found") return item(child)
    return yield* child?.error ?? ArchiveError.unavailable(reader.archive, "has fewer entries than before")
  })

  const list = Effect.fnUntraced(function* ({
    node,
  }: ArchiveItem): Effect.fn.Return<Listing<ArchiveItem>, ArchiveError.ArchiveError> {
    const errors: Array<ArchiveError.ArchiveError> = []
    const named: Array<Named> = []
    yield* reader.list(node, 0, (child, next) => {
      if (child.name !== undefined) {
        named.push({ name: child.name, index: next - 1, readable: child._tag !== "Unreadable" })
      } else if (child._tag === "Unreadable") errors.push(child.error)
      return true
    })
    // Of one name, what can be read comes first: it hides the others (D9).
    named.sort((a, b) => Bytes.compare(a.name, b.name) || Number(b.readable) - Number(a.readable) || a.index - b.index)
    const children = named.filter(({ name }, at) => at === 0 || !Bytes.equals(name, (named[at - 1] as Named).name))
    return {
      count: children.length,
      nameAt: (index) => (children[index] as Named).name,
      open: (index) => open(node, (children[index] as Named).index),
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
}

/** Positions of the FILENAME headers of all files with more than one name. */
const linkTargets = (reader: ArchiveTree): Effect.Effect<ReadonlySet<number>> =>
  Effect.gen(function* () {
    const targets = new Set<number>()
    // What cannot be read is found again, and reported, when it is compared.
    const root = yield* Effect.result(TreeWalk.root(reader))
    if (Result.isFailure(root)) return targets
    yield* Stream.runForEachArray(WalkStream.walk(reader, root.success, Infinity, WalkStream.whole), (items) =>
      Effect.sync(() => {
        for (const { link } of items) if (link !== undefined) targets.add(link.target)
      }),
    )
    return targets
  })
