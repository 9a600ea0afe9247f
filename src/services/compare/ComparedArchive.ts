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
import * as Work from "../../domain/Work.ts"
import * as ArchiveError from "../archive/ArchiveError.ts"
import * as AtOnce from "../AtOnce.ts"
import type { AtHand } from "../archive/AtHand.ts"
import type { ArchiveTree, Listed } from "../archive/ArchiveTree.ts"
import * as StraightWalk from "../tree/StraightWalk.ts"
import * as TreeWalk from "../tree/TreeWalk.ts"
import type { ComparedTree, Item, Listing } from "./ComparedTree.ts"
import { allKnown } from "./ComparedTree.ts"
import type { PlainFiles } from "./PlainFiles.ts"

/** An entry in an archive. */
export interface ArchiveItem extends Item {
  readonly node: Node
}

type Read = Effect.Effect<ArchiveItem, ArchiveError.ArchiveError>

/** The tree in an archive. What cannot be read is no reason to fail yet. */
export const make = Effect.fnUntraced(function* (reader: ArchiveTree): Effect.fn.Return<ComparedTree<ArchiveItem>> {
  const atHand = StraightWalk.atHandOf(reader)
  const targets = yield* linkTargets(reader, atHand)

  const item = ({
    entry,
    link,
    nameStart,
    node,
  }: Pick<TreeWalk.Found, "node" | "entry" | "link" | "nameStart">): ArchiveItem => ({
    entry,
    node,
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
    const usual = atHand && namesAtHand(atHand, node)
    if (usual !== undefined) {
      return {
        count: usual.length,
        nameAt: (index) => (usual[index] as Name).name,
        open: (index) => again(node, (usual[index] as Name).index),
        plain: atHand && plainFiles(atHand, node, usual, targets),
        errors: [],
      }
    }
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
    read: ({ entry: { body }, node }, offset, target) => {
      if (body._tag !== "File" || atHand?.bytesOf(body.content, offset, target) === true) return Effect.void
      return reader.content(node, offset, target)
    },
    close: (item) => (item.entry.body._tag === "Directory" ? reader.release(item.node) : Effect.void),
  }
})

/** A name, and its number in the folder. */
interface Name {
  readonly name: Uint8Array
  readonly index: number
}

interface Named extends Name {
  readonly readable: boolean
  /** The child itself, as it was listed. */
  readonly kept: Listed | undefined
}

/**
 * The names in a folder, ascending, if its children are all usual ones: nothing else is kept of them. `undefined` if the
 * archive has to be asked. No two of them are the same: those would share a hash.
 */
const namesAtHand = (atHand: AtHand, directory: Node): ReadonlyArray<Name> | undefined => {
  const count = atHand.enter(directory)
  // Of many children others have a turn.
  if (count < 0 || count > Work.PIECE) return undefined
  const { scan } = atHand
  const names: Array<Name> = []
  let isSorted = true
  for (let index = 0; index < count; index++) {
    if (!atHand.child(index)) return undefined
    const name = atHand.window().bytes.slice(scan.nameAt, scan.nameAt + scan.nameLength)
    isSorted &&= index === 0 || Bytes.compare((names[index - 1] as Name).name, name) < 0
    names.push({ name, index })
  }
  return isSorted ? names : names.toSorted((a, b) => Bytes.compare(a.name, b.name))
}

const plainFiles = (
  atHand: AtHand,
  directory: Node,
  names: ReadonlyArray<Name>,
  targets: ReadonlySet<number>,
): PlainFiles => {
  const { scan } = atHand
  return {
    hasFlags: true,
    look: (at) => {
      if (atHand.enter(directory) < 0 || !atHand.child((names[at] as Name).index)) return undefined
      return scan.isFile && scan.attributes === 0 && !targets.has(atHand.nameStart()) ? scan : undefined
    },
    read: (target) => atHand.content(0, target),
    leave: () => undefined,
  }
}

/** Children of a folder that are kept as they were listed; the others are decoded again. */
const KEPT = 1024

/** Positions of the FILENAME headers of all files with more than one name. */
const linkTargets = Effect.fnUntraced(function* (
  reader: ArchiveTree,
  atHand: AtHand | undefined,
): Effect.fn.Return<ReadonlySet<number>> {
  const targets = new Set<number>()
  const add = (item: TreeWalk.Item): Effect.Effect<void> => {
    if (item.link !== undefined) targets.add(item.link.target)
    return Effect.void
  }
  // What cannot be read is found again, and reported, when it is compared.
  const root = yield* Effect.result(TreeWalk.root(reader))
  if (Result.isFailure(root)) return targets
  if (atHand !== undefined) {
    // A hard link is no usual entry.
    const visitor: StraightWalk.Visitor<never> = { usual: () => "more", item: add, pause: Effect.yieldNow }
    yield* StraightWalk.walk(reader, atHand, root.success, Infinity, visitor)
    return targets
  }
  const begun = yield* Effect.result(TreeWalk.make(reader, root.success, Infinity))
  if (Result.isFailure(begun)) return targets
  const walk = begun.success
  while (walk.depth() > 0) {
    const item = yield* walk.next()
    if (item === undefined) walk.leave()
    else {
      yield* add(item)
      if (item._tag === "Found" && TreeWalk.isDirectory(item)) yield* AtOnce.catch_(walk.enter(), () => Effect.void)
    }
  }
  return targets
})
