/**
 * A walk as a stream: everything below an entry, or what a guide wants of it.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import type { ArchiveError } from "../archive/ArchiveError.ts"
import type { ArchiveTree } from "../archive/ArchiveTree.ts"
import * as AtOnce from "../AtOnce.ts"
import * as TreeWalk from "./TreeWalk.ts"

/** What a walk gives of the items that it meets, and where it goes. */
export interface Guide<A> {
  /** Called with each item, in the order of the walk, which gives what this returns. */
  readonly give: (item: TreeWalk.Item) => A
  /** The children of a folder that are wanted; called after `give`. */
  readonly children: (folder: TreeWalk.Found, given: A) => TreeWalk.Children
}

/** No children. */
export const NONE: TreeWalk.Children = []

/** Everything. */
export const whole: Guide<TreeWalk.Item> = { give: (item) => item, children: () => undefined }

/** The entry where the walk starts, and its children. */
export const level: Guide<TreeWalk.Item> = {
  give: (item) => item,
  children: ({ depth }) => (depth === 0 ? undefined : NONE),
}

/** Items handed on at once. */
const CHUNK = 128

/** Chunks after which others have a turn. */
const TURN = 8

/**
 * Walks from `start`, which comes first, through what is below it. Folders nested deeper than `maxDepth` below it are not
 * entered, but reported (D11).
 */
export const walk = <A>(
  tree: ArchiveTree,
  start: TreeWalk.Found,
  maxDepth: number,
  { children, give }: Guide<A>,
): Stream.Stream<A> =>
  Stream.fromPull(
    Effect.sync(() => {
      let cursor: TreeWalk.TreeWalk | undefined
      let first: TreeWalk.Found | undefined = start
      let pulls = 0

      /** Goes into a folder if that is wanted; that it is not possible is an item of the walk. */
      const into = (
        folder: TreeWalk.Found,
        given: A,
        items: Array<A>,
        enter: (wanted: TreeWalk.Children) => Effect.Effect<unknown, ArchiveError>,
      ): Effect.Effect<unknown> => {
        if (!TreeWalk.isDirectory(folder)) return Effect.void
        const wanted = children(folder, given)
        if (wanted?.length === 0) return Effect.void
        return AtOnce.catch_(enter(wanted), (error) => {
          items.push(give(TreeWalk.restOf(folder, error)))
          return Effect.void
        })
      }

      const begin = (items: Array<A>): Effect.Effect<unknown> => {
        if (first === undefined) return Effect.void
        const top = TreeWalk.start(first.place, first)
        first = undefined
        const given = give(top)
        items.push(given)
        return into(top, given, items, (wanted) =>
          AtOnce.map(TreeWalk.make(tree, top, maxDepth, wanted), (made) => void (cursor = made)),
        )
      }

      const fill = (cursor: TreeWalk.TreeWalk, items: Array<A>): Effect.Effect<unknown> => {
        while (cursor.depth() > 0 && items.length < CHUNK) {
          const taken = AtOnce.flatMap(cursor.next(), (item) => take(cursor, item, items))
          if (!AtOnce.hasEnded(taken) || Exit.isFailure(taken)) return Effect.flatMap(taken, () => fill(cursor, items))
        }
        return Effect.void
      }

      const take = (
        cursor: TreeWalk.TreeWalk,
        item: TreeWalk.Item | undefined,
        items: Array<A>,
      ): Effect.Effect<unknown> => {
        if (item === undefined) {
          cursor.leave()
          return Effect.void
        }
        const given = give(item)
        items.push(given)
        return item._tag === "Found" ? into(item, given, items, cursor.enter) : Effect.void
      }

      return Effect.suspend(() => {
        const items: Array<A> = []
        const begun = ++pulls % TURN === 0 ? Effect.yieldNow : begin(items)
        return Effect.flatMap(
          Effect.flatMap(begun, () => (cursor === undefined ? Effect.void : fill(cursor, items))),
          () => (isNonEmpty(items) ? Effect.succeed(items) : Cause.done()),
        )
      })
    }),
  )

const isNonEmpty = <A>(items: Array<A>): items is [A, ...Array<A>] => items.length > 0
