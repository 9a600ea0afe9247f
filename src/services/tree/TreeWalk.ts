/**
 * A walk through a tree, depth first, children in the order in which they stand in the archive, so that the archive is
 * read from front to back.
 *
 * The walk is a cursor in a folder: `next` gives its children one after the other, `enter` goes into the one that was
 * given last, `leave` goes back. A folder that is not entered is skipped, and one can be entered for some of its children
 * alone. Nothing goes backwards, so that a walk can also be made over bytes that come only once. What cannot be read is
 * part of the walk and does not end it.
 *
 * Memory grows with the depth, by a name and a node for each folder the walk is in, and by a few children of one folder.
 */
import * as Effect from "effect/Effect"
import * as Bytes from "../../domain/Bytes.ts"
import type { Entry, HardLink } from "../../domain/pxar/Entry.ts"
import * as FormatError from "../../domain/pxar/FormatError.ts"
import type { Node } from "../../domain/pxar/Node.ts"
import * as ArchiveError from "../archive/ArchiveError.ts"
import type * as ArchiveTree from "../archive/ArchiveTree.ts"
import * as AtOnce from "../AtOnce.ts"
import * as Place from "./Place.ts"

/** An entry of the tree. */
export interface Found {
  readonly _tag: "Found"
  readonly place: Place.Place
  /** Empty for the root. */
  readonly name: Uint8Array
  /** Path below the root of the archive, with a leading slash; `/` for the root itself. Composed when it is asked for. */
  readonly path: Uint8Array
  /** Number of folders above it, counted from where the walk began. */
  readonly depth: number
  readonly node: Node
  /** The entry; for a hard link its target's. */
  readonly entry: Entry
  /** The item itself where it is a hard link. */
  readonly link: HardLink | undefined
  /** Position of the FILENAME header of the item itself; 0 for the root. */
  readonly nameStart: number
}

/** Something that cannot be read. */
export interface Unreadable {
  readonly _tag: "Unreadable"
  readonly place: Place.Place
  /** `?` for one that cannot be read either. */
  readonly name: Uint8Array
  readonly path: Uint8Array
  readonly depth: number
  /** Whether it is the children of a folder, which was found itself just before; they are left out. */
  readonly isRest: boolean
  /** The item itself where it is a hard link whose target cannot be read. */
  readonly link: HardLink | undefined
  readonly error: ArchiveError.ArchiveError
}

/** A step of a walk. */
export type Item = Found | Unreadable

/**
 * Names of the children that are wanted of a folder; `undefined` for all. Where they are named they are looked up, and no
 * other is read; but in a tree that comes once all come by.
 */
export type Children = ReadonlyArray<Uint8Array> | undefined

/** A cursor in a tree. Its effects have ended where what they take is at hand (see `AtOnce`); one is run at a time. */
export interface TreeWalk {
  /** Number of folders that the cursor is in, the one it began in included. */
  readonly depth: () => number
  /** The next child of the folder that the cursor is in; `undefined` when there are no more. */
  readonly next: () => Effect.Effect<Item | undefined>
  /**
   * Goes into the folder that `next` gave last. Fails if its children cannot be read, or if it is too deep (D11): the
   * cursor then stays where it is.
   */
  readonly enter: (wanted?: Children) => Effect.Effect<void, ArchiveError.ArchiveError>
  /** Goes out of the folder; what is left in it is skipped. */
  readonly leave: () => void
}

const UNKNOWN = Bytes.fromText("?")

/** An item's name and path come from its place; the path is composed when it is asked for. */
class Placed {
  readonly place: Place.Place
  readonly depth: number
  readonly link: HardLink | undefined
  constructor(place: Place.Place, depth: number, link: HardLink | undefined) {
    this.place = place
    this.depth = depth
    this.link = link
  }
  get name(): Uint8Array {
    return this.place.name
  }
  get path(): Uint8Array {
    return Place.path(this.place)
  }
}

class FoundItem extends Placed implements Found {
  readonly _tag = "Found"
  readonly node: Node
  readonly entry: Entry
  readonly nameStart: number
  constructor(
    place: Place.Place,
    depth: number,
    { entry, link, nameStart, node }: Pick<ArchiveTree.Found, "node" | "entry" | "link" | "nameStart">,
  ) {
    super(place, depth, link)
    this.node = node
    this.entry = entry
    this.nameStart = nameStart
  }
}

class UnreadableItem extends Placed implements Unreadable {
  readonly _tag = "Unreadable"
  readonly isRest: boolean
  readonly error: ArchiveError.ArchiveError
  constructor(
    place: Place.Place,
    depth: number,
    isRest: boolean,
    link: HardLink | undefined,
    error: ArchiveError.ArchiveError,
  ) {
    super(place, depth, link)
    this.isRest = isRest
    this.error = error
  }
}

/** That the children of a folder cannot be read. */
export const restOf = (folder: Pick<Found, "place" | "depth">, error: ArchiveError.ArchiveError): Unreadable =>
  new UnreadableItem(folder.place, folder.depth, true, undefined, error)

/** The entry at a place, as the start of a walk: what is below it counts its depth from there. */
export const start = (
  place: Place.Place,
  found: Pick<ArchiveTree.Found, "node" | "entry" | "link" | "nameStart">,
): Found => new FoundItem(place, 0, found)

/** The root of a tree. */
export const root = (tree: ArchiveTree.ArchiveTree): Effect.Effect<Found, ArchiveError.ArchiveError> =>
  AtOnce.map(tree.entry(tree.root), (entry) =>
    start(Place.ROOT, { node: tree.root, entry, link: undefined, nameStart: 0 }),
  )

/** A child in a listing of the folder `parent`, as a step of a walk. What is not opened yet is looked up. */
export const itemOf = (
  tree: ArchiveTree.ArchiveTree,
  parent: Pick<Found, "place" | "depth" | "node">,
  child: ArchiveTree.Listed,
): Effect.Effect<Item> => {
  const place: Place.Place = { parent: parent.place, name: child.name ?? UNKNOWN }
  const depth = parent.depth + 1
  switch (child._tag) {
    case "Found":
      return Effect.succeed(new FoundItem(place, depth, child))
    case "Unreadable":
      return Effect.succeed(new UnreadableItem(place, depth, false, child.link, child.error))
    case "Unopened":
      return Effect.match(tree.lookup(parent.node, child.name), {
        onFailure: (error): Item => new UnreadableItem(place, depth, false, undefined, error),
        onSuccess: (found) =>
          found === undefined
            ? new UnreadableItem(place, depth, false, undefined, ArchiveError.unavailable(tree.archive, "is gone"))
            : new FoundItem(place, depth, found),
      })
  }
}

/** The child number `index` of a folder. */
export const childAt = (
  tree: ArchiveTree.ArchiveTree,
  folder: Pick<Found, "place" | "depth" | "node">,
  index: number,
): Effect.Effect<Item> => {
  let child: ArchiveTree.Listed = {
    _tag: "Unreadable",
    name: undefined,
    link: undefined,
    error: ArchiveError.unavailable(tree.archive, `a folder has no entry number ${index}`),
  }
  const listed = tree.list(folder.node, index, (listed) => {
    child = listed
    return false
  })
  return AtOnce.flatMap(
    AtOnce.catch_(listed, (error) => {
      child = { _tag: "Unreadable", name: undefined, link: undefined, error }
      return Effect.void
    }),
    () => itemOf(tree, folder, child),
  )
}

/** A folder that the cursor is in. */
interface Level extends Pick<Found, "place" | "depth" | "node"> {
  /** Number of the child from which its listing goes on; `undefined` when there are no more. */
  from: number | undefined
  /** Children that were listed together, the last of them a folder or the last of a batch. */
  batch: ReadonlyArray<ArchiveTree.Listed>
  at: number
}

/** Children listed at once. A batch ends with a folder: what comes behind it is not kept while the cursor is in it. */
const BATCH = 64

const noChildren: ReadonlyArray<ArchiveTree.Listed> = []

/** A child by name, as a listing would give it. */
const lookUp = (
  tree: ArchiveTree.ArchiveTree,
  folder: Node,
  name: Uint8Array,
): Effect.Effect<ArchiveTree.Listed | undefined> =>
  Effect.match(tree.lookup(folder, name), {
    onFailure: (error) => ({ _tag: "Unreadable", name, link: undefined, error }),
    onSuccess: (found) => found,
  })

const nameStartOf = (child: ArchiveTree.Listed): number => (child._tag === "Found" ? child.nameStart : 0)

/** A cursor in the folder `start`. Fails if its children cannot be read. */
export const make = (
  tree: ArchiveTree.ArchiveTree,
  start: Pick<Found, "place" | "node">,
  maxDepth: number,
  wanted?: Children,
): Effect.Effect<TreeWalk, ArchiveError.ArchiveError> => {
  const levels: Array<Level> = []
  let last: Item | undefined

  const fill = (level: Level): Effect.Effect<void, ArchiveError.ArchiveError> => {
    const batch: Array<ArchiveTree.Listed> = []
    let from: number | undefined
    const listed = tree.list(level.node, level.from ?? 0, (child, next) => {
      batch.push(child)
      const goesOn = tree.comesOnce !== true && batch.length < BATCH && !isFolder(child)
      if (!goesOn) from = next
      return goesOn
    })
    return AtOnce.map(listed, () => {
      level.from = from
      level.batch = batch
      level.at = 0
    })
  }

  const find = (level: Level, wanted: ReadonlyArray<Uint8Array>): Effect.Effect<void> =>
    Effect.map(
      Effect.forEach(wanted, (name) => lookUp(tree, level.node, name)),
      (found) => {
        level.from = undefined
        level.batch = found.filter((child) => child !== undefined).toSorted((a, b) => nameStartOf(a) - nameStartOf(b))
      },
    )

  const begin = (
    folder: Pick<Found, "place" | "depth" | "node">,
    wanted: Children,
  ): Effect.Effect<void, ArchiveError.ArchiveError> => {
    const level: Level = {
      place: folder.place,
      depth: folder.depth,
      node: folder.node,
      from: 0,
      batch: noChildren,
      at: 0,
    }
    const filled = wanted === undefined || tree.comesOnce === true ? fill(level) : find(level, wanted)
    return AtOnce.map(filled, () => void levels.push(level))
  }

  const give = (item: Item | undefined): Item | undefined => (last = item)

  const next = (): Effect.Effect<Item | undefined> => {
    const level = levels.at(-1)
    if (level === undefined) return Effect.succeed(give(undefined))
    const child = level.batch[level.at++]
    if (child !== undefined) {
      if (level.at === level.batch.length) level.batch = noChildren
      return AtOnce.map(itemOf(tree, level, child), give)
    }
    if (level.from === undefined) return Effect.succeed(give(undefined))
    const { depth, place } = level
    return AtOnce.catch_(AtOnce.flatMap(fill(level), next), (error) => {
      // The table was read before: it has been dropped meanwhile, and cannot be read again.
      level.from = undefined
      return Effect.succeed(give(new UnreadableItem(place, depth, true, undefined, error)))
    })
  }

  const enter = (wanted?: Children): Effect.Effect<void, ArchiveError.ArchiveError> => {
    if (last?._tag !== "Found" || !isDirectory(last)) return Effect.die(new Error("there is no folder to enter"))
    if (last.depth > maxDepth) return Effect.fail(tooDeep(tree, last, maxDepth))
    return begin(last, wanted)
  }

  const walk: TreeWalk = {
    depth: () => levels.length,
    next,
    enter,
    leave: () => void levels.pop(),
  }
  return AtOnce.map(begin({ place: start.place, depth: 0, node: start.node }, wanted), () => walk)
}

/** That a folder is nested too deep (D11). */
export const tooDeep = (
  tree: ArchiveTree.ArchiveTree,
  { node }: Pick<Found, "node">,
  maxDepth: number,
): ArchiveError.ArchiveError =>
  ArchiveError.fromFormat(
    tree.archive,
    FormatError.limit("D11", node.start, `folders nested more than ${maxDepth} deep`),
  )

/** Whether an item is a folder. */
export const isDirectory = (found: Pick<Found, "entry">): boolean => found.entry.body._tag === "Directory"

const isFolder = (child: ArchiveTree.Listed): boolean =>
  child._tag === "Unopened" || (child._tag === "Found" && isDirectory(child))
