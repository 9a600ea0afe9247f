/**
 * A walk through everything below a folder that makes nothing of usual entries: they are told as numbers, where they stand.
 *
 * It meets the same entries in the same order as `WalkStream` does with all of a tree. What is no usual entry, or not at
 * hand (see `AtHand`), comes as an item, which is asked of the tree. Others have a turn now and then.
 *
 * Memory grows with the depth, by a name and a node for each folder the walk is in.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as NodeId from "../../domain/pxar/NodeId.ts"
import type { ArchiveError } from "../archive/ArchiveError.ts"
import type { ArchiveTree, Listed } from "../archive/ArchiveTree.ts"
import type { AtHand } from "../archive/AtHand.ts"
import * as AtOnce from "../AtOnce.ts"
import * as TreeWalk from "./TreeWalk.ts"

/** A folder that the walk is in. */
export type Folder = Pick<TreeWalk.Found, "place" | "depth" | "node">

/** Is told what a walk meets. */
export interface Visitor<E> {
  /**
   * A usual entry in a folder, which is what `atHand` has found last: its numbers are there until this returns. `"item"`
   * if it is wanted as an item, `"pause"` if others are to have a turn.
   */
  readonly usual: (folder: Folder, atHand: AtHand) => "more" | "item" | "pause"
  /** Anything else. */
  readonly item: (item: TreeWalk.Item) => Effect.Effect<void, E>
  /** Run between two turns. */
  readonly pause: Effect.Effect<void, E>
}

/** Entries after which others have a turn. */
const TURN = 1024

/** A folder, and the number of the child from which its listing goes on. */
interface Level extends Folder {
  index: number
}

/** What `tree` tells at once, if it is one that can be walked so. */
export const atHandOf = (tree: ArchiveTree): AtHand | undefined => tree.atHand?.(tree)

/** Walks through all that is below `start`, which is not told itself. Folders deeper than `maxDepth` are reported (D11). */
export const walk = <E>(
  tree: ArchiveTree,
  atHand: AtHand,
  start: TreeWalk.Found,
  maxDepth: number,
  visitor: Visitor<E>,
): Effect.Effect<void, E> =>
  Effect.suspend(() => {
    const { scan } = atHand
    const levels: Array<Level> = []
    /** The folder that `atHand` is in, and the number of its children; −1 if the tree is to be asked. */
    let entered: Level | undefined
    let count = -1

    const into = (folder: Folder): Effect.Effect<void, E> => {
      if (folder.depth > maxDepth) {
        return visitor.item(TreeWalk.restOf(folder, TreeWalk.tooDeep(tree, folder, maxDepth)))
      }
      levels.push({ place: folder.place, depth: folder.depth, node: folder.node, index: 0 })
      return Effect.void
    }

    /** The folder that was found last. */
    const found = ({ depth, node, place }: Folder): Folder => {
      const bound = atHand.bound()
      const { nameAt, nameLength } = scan
      return {
        place: { parent: place, name: atHand.window().bytes.slice(nameAt, nameAt + nameLength) },
        depth: depth + 1,
        node: {
          id: NodeId.ofDirectory(bound),
          parent: node.id,
          nameStart: atHand.nameStart(),
          start: scan.start,
          bound,
          contentsStart: scan.end,
        },
      }
    }

    const tell = (level: Level, child: Listed): Effect.Effect<void, E> =>
      AtOnce.flatMap(TreeWalk.itemOf(tree, level, child), (item) =>
        AtOnce.flatMap(visitor.item(item), () =>
          item._tag === "Found" && TreeWalk.isDirectory(item) ? into(item) : Effect.void,
        ),
      )

    /** Asks the tree for the next child of a folder. */
    const ask = (level: Level): Effect.Effect<void, E> => {
      let child: Listed | undefined
      const listed = tree.list(level.node, level.index, (listed, next) => {
        child = listed
        level.index = next
        return false
      })
      // The tree may have made the table anew.
      entered = undefined
      const failure = AtOnce.catch_(
        AtOnce.map(listed, (): ArchiveError | undefined => undefined),
        (error) => Effect.succeed(error),
      )
      return AtOnce.flatMap(failure, (error) => {
        if (error === undefined && child !== undefined) return tell(level, child)
        levels.pop()
        return error === undefined ? Effect.void : visitor.item(TreeWalk.restOf(level, error))
      })
    }

    const run = (): Effect.Effect<void, E> => {
      for (let left = TURN; left > 0; left--) {
        const level = levels.at(-1)
        if (level === undefined) return Effect.void
        if (entered !== level) {
          count = atHand.enter(level.node)
          entered = level
        }
        if (level.index === count) {
          levels.pop()
          continue
        }
        const said = count >= 0 && atHand.child(level.index) ? visitor.usual(level, atHand) : "item"
        if (said === "item") {
          const asked = ask(level)
          if (!AtOnce.hasEnded(asked) || Exit.isFailure(asked)) return Effect.flatMap(asked, run)
          continue
        }
        level.index++
        if (scan.isFolder) {
          const done = into(found(level))
          if (!AtOnce.hasEnded(done) || Exit.isFailure(done)) return Effect.flatMap(done, run)
        }
        if (said === "pause") break
      }
      // Meanwhile others may use what is at hand.
      entered = undefined
      return Effect.flatMap(visitor.pause, run)
    }

    return Effect.flatMap(into({ place: start.place, depth: 0, node: start.node }), run)
  })
