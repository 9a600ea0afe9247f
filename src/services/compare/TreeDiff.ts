/**
 * How two trees differ: what is in one of them only, and for what is in both which attributes are not the same.
 *
 * Both are walked together, depth first, names ascending by their bytes. Contents are compared byte by byte, only where
 * nothing else tells that they are the same, or that they are not, and once for all names of a file. Or that is not done,
 * and those contents are told. Memory grows with the names in the folders the walk is in, and with the number of files that
 * have several names. What cannot be read is part of the result and does not end it.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Bytes from "../../domain/Bytes.ts"
import * as PathText from "../../domain/PathText.ts"
import type { Content } from "../../domain/pxar/Entry.ts"
import * as AtOnce from "../AtOnce.ts"
import * as AttributeDiff from "./AttributeDiff.ts"
import { ContentDiff, type Files } from "./ContentDiff.ts"
import * as Place from "../tree/Place.ts"
import type { ComparedTree, Item, Listing, TreeError } from "./ComparedTree.ts"
import { PlainCompare } from "./PlainFiles.ts"

/** One of the two trees. */
export type Side = "left" | "right"

/** One path at which the trees differ, or may do. */
export type Difference =
  /** Only in the left tree, only in the right tree. Every entry of a folder is named. */
  | { readonly _tag: "Removed" | "Added"; readonly path: Uint8Array; readonly item: Item }
  /** In both trees, but not the same. At least one change. */
  | { readonly _tag: "Changed"; readonly path: Uint8Array; readonly changes: ReadonlyArray<AttributeDiff.Change> }
  /** Files of one size of which nobody knows whether the contents are the same, unless they are read. */
  | { readonly _tag: "Undecided"; readonly path: Uint8Array }
  /** An entry, the names in a folder or a content cannot be read, and so not be compared. */
  | { readonly _tag: "Unreadable"; readonly path: Uint8Array; readonly side: Side; readonly error: TreeError }

/** How far a comparison has come. */
export interface Progress {
  /** Paths looked at. */
  readonly entries: number
  /** Bytes of contents compared. */
  readonly contentBytes: number
}

/**
 * The first byte from `at` on that is not known to be the same in the contents of two files at a place; their size if all is,
 * `at` if nothing is known.
 */
export type SameUntil = (place: Place.Place, left: Content, right: Content, at: number) => number

/** What to compare. */
export interface Options {
  /** Whether to compare contents; on by default. */
  readonly data?: boolean | undefined
  /** What is known of contents, so that it need not be read; nothing unless given. */
  readonly sameUntil?: SameUntil | undefined
  /** Whether what is not known of contents is read, or told as undecided; read unless given. */
  readonly unknown?: "read" | "tell" | undefined
  /** Whether all ranges are told in which contents differ, also of two sizes; only the first difference unless given. */
  readonly ranges?: boolean | undefined
  /** Called now and then; must be quick. */
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/** A folder that the walk is in, on one side. */
interface Cursor<I> {
  readonly directory: I
  readonly listing: Listing<I>
  next: number
}

interface Level<L, R> {
  readonly place: Place.Place
  readonly left: Cursor<L> | undefined
  readonly right: Cursor<R> | undefined
}

/** The differences between `left` and `right`, in the order of the walk. */
export const compare = <L extends Item, R extends Item>(
  left: ComparedTree<L>,
  right: ComparedTree<R>,
  { data = true, onProgress = ignore, ranges = false, sameUntil = nothing, unknown = "read" }: Options = {},
): Stream.Stream<Difference> =>
  Stream.fromPull(
    Effect.sync(() => {
      const levels: Array<Level<L, R>> = []
      const firstNames = { left: new Map<string, Place.Place>(), right: new Map<string, Place.Place>() }
      let found: Array<Difference> = []
      let started = false
      let entries = 0
      let contentBytes = 0
      const contents = new ContentDiff()
      const plain = new PlainCompare(data)
      const isKnown = sameUntil !== nothing || unknown === "tell"

      const unreadable = (place: Place.Place, side: Side) => (error: TreeError) => {
        found.push({ _tag: "Unreadable", path: Place.path(place), side, error })
        return undefined
      }

      /** An effect's result, or nothing if it fails, which is reported. */
      const attempt = <A>(place: Place.Place, side: Side, effect: Effect.Effect<A, TreeError>) =>
        AtOnce.catch_(effect, (error): Effect.Effect<A | undefined> => Effect.succeed(unreadable(place, side)(error)))

      /** The first name met of a file with several names; `undefined` for the first name itself. */
      const firstName = (place: Place.Place, side: Side, item: Item): Place.Place | undefined => {
        if (item.group === undefined) return undefined
        const first = firstNames[side].get(item.group)
        if (first === undefined) firstNames[side].set(item.group, place)
        return first
      }

      const cursor = <I extends Item>(
        tree: ComparedTree<I>,
        place: Place.Place,
        side: Side,
        directory: I | undefined,
      ): Effect.Effect<Cursor<I> | undefined> => {
        if (directory === undefined) return Effect.undefined
        const close = () => AtOnce.map(tree.close(directory), () => undefined)
        if (directory.entry.body._tag !== "Directory") return close()
        return AtOnce.flatMap(attempt(place, side, tree.list(directory)), (listing) => {
          if (listing === undefined) return close()
          for (const error of listing.errors) unreadable(place, side)(error)
          return Effect.succeed({ directory, listing, next: 0 })
        })
      }

      /** Goes into what of `l` and `r` is a folder, and closes the rest. */
      const enter = (place: Place.Place, l: L | undefined, r: R | undefined): Effect.Effect<void> =>
        AtOnce.flatMap(cursor(left, place, "left", l), (leftCursor) =>
          AtOnce.flatMap(cursor(right, place, "right", r), (rightCursor) => {
            if (leftCursor === undefined && rightCursor === undefined) return Effect.void
            const level: Level<L, R> = { place, left: leftCursor, right: rightCursor }
            // The names of a folder that cannot be listed are not all missing there.
            const comparable =
              (l === undefined || leftCursor !== undefined) && (r === undefined || rightCursor !== undefined)
            const bothFolders = l?.entry.body._tag === "Directory" && r?.entry.body._tag === "Directory"
            if (bothFolders && !comparable) return close(level)
            levels.push(level)
            return Effect.void
          }),
        )

      /** What is found out of two contents, apart from their sizes, is told as a change, or as undecided. */
      const compareContents = (
        place: Place.Place,
        l: L,
        r: R,
        ours: Content,
        theirs: Content,
      ): Effect.Effect<AttributeDiff.ContentChange | undefined> => {
        const isOneSize = ours.length === theirs.length
        if (!isOneSize && !ranges) return Effect.undefined
        const known = (at: number): number => sameUntil(place, ours, theirs, at)
        if (isOneSize && known(0) >= ours.length) return Effect.undefined
        if (unknown === "tell") {
          found.push({ _tag: "Undecided", path: Place.path(place) })
          return Effect.undefined
        }
        const files: Files<{ readonly side: Side; readonly error: TreeError }> = {
          sizes: [ours.length, theirs.length],
          readLeft: (at, target) => AtOnce.mapError(left.read(l, at, target), (error) => ({ side: "left", error })),
          readRight: (at, target) => AtOnce.mapError(right.read(r, at, target), (error) => ({ side: "right", error })),
          sameUntil: known,
          onCompared: (bytes) => {
            contentBytes += bytes
            onProgress({ entries, contentBytes })
          },
        }
        const compared = contents.compare(files, { ranges })
        return AtOnce.catch_(compared, ({ error, side }) => Effect.succeed(unreadable(place, side)(error)))
      }

      const compareBoth = (place: Place.Place, l: L, r: R): Effect.Effect<void> => {
        const changes = AttributeDiff.compare(l, r)
        const leftFirst = firstName(place, "left", l)
        const rightFirst = firstName(place, "right", r)
        const leftText = leftFirst === undefined ? undefined : PathText.print(Place.path(leftFirst))
        const rightText = rightFirst === undefined ? undefined : PathText.print(Place.path(rightFirst))
        if (leftText !== rightText) changes.push({ attribute: "hardlink", left: leftText, right: rightText })
        const ours = l.entry.body
        const theirs = r.entry.body
        const compared = leftText !== undefined && leftText === rightText
        const content =
          data && !compared && ours._tag === "File" && theirs._tag === "File"
            ? compareContents(place, l, r, ours.content, theirs.content)
            : Effect.undefined
        return AtOnce.map(content, (change) => {
          if (change !== undefined) changes.push(change)
          if (changes.length > 0) found.push({ _tag: "Changed", path: Place.path(place), changes })
        })
      }

      /** What is under one name: on the left, on the right, or both. */
      const visit = (
        place: Place.Place,
        openLeft: Effect.Effect<L, TreeError> | undefined,
        openRight: Effect.Effect<R, TreeError> | undefined,
      ): Effect.Effect<void> => {
        entries++
        const opened = <A>(side: Side, open: Effect.Effect<A, TreeError> | undefined) =>
          open === undefined ? Effect.undefined : attempt(place, side, open)
        return AtOnce.flatMap(opened("left", openLeft), (l) =>
          AtOnce.flatMap(opened("right", openRight), (r) => {
            if (l !== undefined && r !== undefined) {
              return AtOnce.flatMap(compareBoth(place, l, r), () => enter(place, l, r))
            }
            if (l !== undefined && openRight === undefined) {
              firstName(place, "left", l)
              found.push({ _tag: "Removed", path: Place.path(place), item: l })
              return enter(place, l, r)
            }
            if (r !== undefined && openLeft === undefined) {
              firstName(place, "right", r)
              found.push({ _tag: "Added", path: Place.path(place), item: r })
              return enter(place, l, r)
            }
            // One side cannot be read: nothing can be said about what is below on the other.
            return AtOnce.flatMap(l === undefined ? Effect.void : left.close(l), () =>
              r === undefined ? Effect.void : right.close(r),
            )
          }),
        )
      }

      const close = (level: Level<L, R>): Effect.Effect<void> =>
        AtOnce.flatMap(level.left === undefined ? Effect.void : left.close(level.left.directory), () =>
          level.right === undefined ? Effect.void : right.close(level.right.directory),
        )

      /** Whether what comes next is one plain file on both sides, which is then done. */
      const isSameFile = ({ left, right }: Level<L, R>): boolean => {
        // Where something may be known of contents they are not just read.
        if (left === undefined || right === undefined || (data && isKnown)) return false
        const ours = left.listing.plain
        const theirs = right.listing.plain
        if (ours === undefined || theirs === undefined || (ours.hasFlags && theirs.hasFlags)) return false
        const compared = plain.same(ours, left.next, theirs, right.next)
        if (compared < 0) return false
        left.next++
        right.next++
        entries++
        contentBytes += compared
        return true
      }

      const step = (level: Level<L, R>): Effect.Effect<void> => {
        const leftName = nextName(level.left)
        const rightName = nextName(level.right)
        const name = leftName ?? rightName
        if (name === undefined) {
          levels.pop()
          return close(level)
        }
        const order = leftName === undefined ? 1 : rightName === undefined ? -1 : Bytes.compare(leftName, rightName)
        if (order === 0 && isSameFile(level)) return Effect.void
        return visit(
          { parent: level.place, name: order > 0 ? (rightName as Uint8Array) : name },
          order <= 0 ? level.left?.listing.open(level.left.next++) : undefined,
          order >= 0 ? level.right?.listing.open(level.right.next++) : undefined,
        )
      }

      const pull = Effect.fnUntraced(function* () {
        for (let steps = 1; found.length === 0; steps++) {
          const level = levels.at(-1)
          if (level === undefined && started) return yield* Cause.done()
          const done = level === undefined ? visit(Place.ROOT, left.root, right.root) : step(level)
          started = true
          if (!AtOnce.hasEnded(done)) yield* done
          if (steps % TURN !== 0) continue
          onProgress({ entries, contentBytes })
          yield* Effect.yieldNow
        }
        const [first, ...rest] = found
        found = []
        return first === undefined ? yield* Cause.done() : ([first, ...rest] as const)
      })
      return Effect.suspend(pull)
    }),
  )

/** Steps after which others have a turn. */
const TURN = 256

const nextName = <I>(cursor: Cursor<I> | undefined): Uint8Array | undefined =>
  cursor === undefined || cursor.next === cursor.listing.count ? undefined : cursor.listing.nameAt(cursor.next)

const ignore = (): void => undefined

const nothing: SameUntil = (_place, _left, _right, at) => at
