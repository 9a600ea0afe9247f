/**
 * An archive as a tree to compare.
 *
 * Archives do not say how many names a file has. `make` goes through the whole archive once to learn which files hard
 * links lead to: 8 bytes and a set's record for each of those.
 */
import * as Effect from "effect/Effect"
import * as Bytes from "../../domain/Bytes.ts"
import type { Node } from "../../domain/pxar/Node.ts"
import * as FormatError from "../../domain/pxar/FormatError.ts"
import * as NodeId from "../../domain/pxar/NodeId.ts"
import * as ArchiveError from "../archive/ArchiveError.ts"
import type * as ArchiveReader from "../archive/ArchiveReader.ts"
import type { ComparedTree, Item, Listing } from "./ComparedTree.ts"
import { allKnown } from "./ComparedTree.ts"

/** An entry in an archive. */
export interface ArchiveItem extends Item {
  readonly node: Node
}

type Read<A> = Effect.Effect<A, ArchiveError.ArchiveError>

/** The tree in an archive. What cannot be read is no reason to fail yet. */
export const make = Effect.fnUntraced(function* (
  reader: ArchiveReader.Shape,
): Effect.fn.Return<ComparedTree<ArchiveItem>> {
  const targets = yield* linkTargets(reader)

  const item = ({
    entry,
    link,
    nameStart,
    node,
  }: Pick<ArchiveReader.Found, "node" | "entry" | "link" | "nameStart">): ArchiveItem => ({
    entry,
    node,
    id: NodeId.toBigInt(node.id),
    group: targets.has(link?.target ?? nameStart) ? String(node.id) : undefined,
    unknown: allKnown,
  })

  /** The one of these slots, which have one name, that is not hidden by another (D9). */
  const open = Effect.fnUntraced(function* (
    directory: Node,
    slots: ReadonlyArray<number>,
  ): Effect.fn.Return<ArchiveItem, ArchiveError.ArchiveError> {
    for (const slot of slots) {
      const child = yield* reader.child(directory, slot)
      if (child !== undefined) return item(yield* reader.resolve(directory, child))
    }
    const detail = "no entry of this name is found through the folder's table"
    return yield* ArchiveError.fromFormat(reader.archive, FormatError.malformed("D8", directory.bound, detail))
  })

  const list = Effect.fnUntraced(function* ({
    node,
  }: ArchiveItem): Effect.fn.Return<Listing<ArchiveItem>, ArchiveError.ArchiveError> {
    const errors: Array<ArchiveError.ArchiveError> = []
    const named: Array<Named> = []
    const count = yield* reader.count(node)
    for (let slot = 0; slot < count; slot++) {
      yield* Effect.match(reader.nameAt(node, slot), {
        onFailure: (error) => void errors.push(error),
        onSuccess: (name) => void named.push({ name, slots: [slot] }),
      })
    }
    const children = unique(named.sort((a, b) => Bytes.compare(a.name, b.name)))
    return {
      count: children.length,
      nameAt: (index) => (children[index] as Named).name,
      open: (index) => open(node, (children[index] as Named).slots),
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
      file.entry.body._tag === "File" ? reader.content(file.entry.body.content, offset, target) : Effect.void,
    close: (item) => (item.entry.body._tag === "Directory" ? reader.release(item.node) : Effect.void),
  }
})

interface Named {
  readonly name: Uint8Array
  readonly slots: Array<number>
}

/** Each name once, with all its slots. */
const unique = (sorted: ReadonlyArray<Named>): ReadonlyArray<Named> => {
  const names: Array<Named> = []
  for (const child of sorted) {
    const last = names.at(-1)
    if (last !== undefined && Bytes.equals(last.name, child.name)) last.slots.push(...child.slots)
    else names.push(child)
  }
  return names
}

/** Positions of the FILENAME headers of all files with more than one name. */
const linkTargets = Effect.fnUntraced(function* (reader: ArchiveReader.Shape): Effect.fn.Return<ReadonlySet<number>> {
  const targets = new Set<number>()
  const folders: Array<Node> = [reader.root]

  const look = Effect.fnUntraced(function* (
    directory: Node,
    slot: number,
  ): Effect.fn.Return<void, ArchiveError.ArchiveError> {
    const child = yield* reader.child(directory, slot)
    if (child === undefined) return
    if (child.entry._tag === "HardLink") targets.add(child.entry.target)
    else if (child.entry.body._tag === "Directory") folders.push((yield* reader.resolve(directory, child)).node)
  })

  for (let directory = folders.pop(); directory !== undefined; directory = folders.pop()) {
    const folder = directory
    const slots: Read<Uint32Array> = reader.slotsInArchiveOrder(folder)
    // What cannot be read is found again, and reported, when it is compared.
    yield* Effect.ignore(
      Effect.flatMap(slots, (slots) =>
        Effect.forEach(slots, (slot) => Effect.ignore(look(folder, slot)), { discard: true }),
      ),
    )
  }
  return targets
})
