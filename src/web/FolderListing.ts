/**
 * What is in a folder, in columns: sorted and filtered without reading the archive again.
 *
 * It holds 30 bytes and the name for each entry. Targets of links and what is wrong with an entry are kept beside.
 */
import * as Effect from "effect/Effect"
import type { Entry } from "../domain/pxar/Entry.ts"
import * as EntryKind from "../domain/pxar/EntryKind.ts"
import * as Stat from "../domain/pxar/Stat.ts"
import type { RowJson, Sort } from "../domain/json/WebJson.ts"
import * as JsonText from "../domain/json/JsonText.ts"
import * as PathText from "../domain/PathText.ts"
import type { ArchiveError } from "../services/archive/ArchiveError.ts"
import type { ArchiveTree, Listed } from "../services/archive/ArchiveTree.ts"
import type * as TreeWalk from "../services/tree/TreeWalk.ts"
import * as SortInTurns from "./SortInTurns.ts"

/** Kinds by number; folders come first, what cannot be read last. */
const KINDS = [...EntryKind.all, "unreadable"] as const
const UNREADABLE = KINDS.length - 1

/** Most entries of a folder that are shown; the others are said to be missing. */
export const MAX_ENTRIES = 2_000_000

/** Names looked at between two turns of others. */
const TURN = 16_384

/** The entries of a folder. */
export interface FolderListing {
  readonly count: number
  /** Why it is not complete. */
  readonly problem: string | undefined
  /** The row of an entry by its number. */
  readonly row: (index: number) => RowJson
  /** The number of the entry of a name. */
  readonly indexOf: (name: string) => number | undefined
  /** Numbers in an order, of those whose names have a text. */
  readonly view: (sort: Sort, descending: boolean, filter: string) => Effect.Effect<Uint32Array>
  /** Whether two entries differ, by what a listing tells. */
  readonly isChanged: (index: number, other: FolderListing, otherIndex: number) => boolean
  readonly stamp: (index: number) => string
}

/** Reads a folder. What cannot be read of it is told in place. */
export const read = (tree: ArchiveTree, folder: TreeWalk.Found): Effect.Effect<FolderListing, ArchiveError> =>
  Effect.gen(function* () {
    const columns = new Columns()
    const listed = tree.list(folder.node, 0, (child) => {
      columns.add(child)
      return columns.names.length < MAX_ENTRIES
    })
    yield* listed
    const count = yield* tree.count(folder.node)
    const missing = count - columns.names.length
    return make(columns, missing > 0 ? `${missing} further entries are not shown` : undefined)
  })

class Columns {
  readonly names: Array<string> = []
  readonly bytes = new Map<number, Uint8Array>()
  readonly targets = new Map<number, string>()
  readonly problems = new Map<number, string>()
  kinds = new Uint8Array(64)
  sizes = new Float64Array(64)
  times = new Float64Array(64)
  modes = new Uint16Array(64)
  uids = new Uint32Array(64)
  gids = new Uint32Array(64)

  add(child: Listed): void {
    const index = this.names.length
    if (index === this.kinds.length) this.grow()
    const name = child.name === undefined ? "?" : PathText.print(child.name)
    if (child.name !== undefined && name.includes("\\")) this.bytes.set(index, child.name)
    this.names.push(name)
    switch (child._tag) {
      case "Found":
        return this.fill(index, child.entry)
      case "Unopened":
        // Folders, of which nothing else is known yet.
        this.sizes[index] = -1
        return
      case "Unreadable":
        this.kinds[index] = UNREADABLE
        this.sizes[index] = -1
        this.problems.set(index, child.error.message)
    }
  }

  private fill(index: number, entry: Entry): void {
    this.kinds[index] = KINDS.indexOf(EntryKind.of(entry))
    this.sizes[index] = Stat.sizeOf(entry)
    this.times[index] = Number(entry.mtimeSeconds)
    this.modes[index] = entry.mode
    this.uids[index] = entry.uid
    this.gids[index] = entry.gid
    if (entry.body._tag === "Symlink") this.targets.set(index, PathText.print(entry.body.target))
    const [finding] = entry.findings
    if (finding !== undefined) this.problems.set(index, finding.detail)
  }

  private grow(): void {
    const length = 2 * this.kinds.length
    const larger = <A extends Uint8Array | Float64Array | Uint16Array | Uint32Array>(from: A, to: A): A => {
      to.set(from)
      return to
    }
    this.kinds = larger(this.kinds, new Uint8Array(length))
    this.sizes = larger(this.sizes, new Float64Array(length))
    this.times = larger(this.times, new Float64Array(length))
    this.modes = larger(this.modes, new Uint16Array(length))
    this.uids = larger(this.uids, new Uint32Array(length))
    this.gids = larger(this.gids, new Uint32Array(length))
  }
}

const make = (columns: Columns, problem: string | undefined): FolderListing => {
  const { bytes, gids, kinds, modes, names, problems, sizes, targets, times, uids } = columns
  const count = names.length
  let folded: Array<string> | undefined
  let byName: Map<string, number> | undefined
  /** The last views: a page asks for the next part of the same one. */
  const views = new Map<string, Effect.Effect<Uint32Array>>()

  const fold = Effect.suspend(() => {
    if (folded !== undefined) return Effect.succeed(folded)
    const made: Array<string> = []
    return Effect.as(
      inTurns(count, (index) => void made.push((names[index] as string).toLowerCase())),
      made,
    ).pipe(Effect.tap((made) => Effect.sync(() => (folded = made))))
  })

  const isFolder = (index: number): number => (kinds[index] === 0 ? 0 : 1)

  /** The place of each entry in the order of the names: texts are compared once, whatever is sorted by. */
  let places: Uint32Array | undefined
  const placesOf = Effect.gen(function* () {
    if (places !== undefined) return places
    const folded = yield* fold
    const order = yield* SortInTurns.sort(
      Uint32Array.from({ length: count }, (_, index) => index),
      (a, b) => {
        const [left, right] = [folded[a] as string, folded[b] as string]
        return left < right ? -1 : left > right ? 1 : a - b
      },
    )
    const made = new Uint32Array(count)
    yield* inTurns(count, (place) => void (made[order[place] as number] = place))
    return (places = made)
  })

  const compute = Effect.fnUntraced(function* (by: Sort, descending: boolean, filter: string) {
    const folded = yield* fold
    const places = yield* placesOf
    const wanted = filter.toLowerCase()
    const kept = new Uint32Array(count)
    let length = 0
    yield* inTurns(count, (index) => {
      if (wanted === "" || (folded[index] as string).includes(wanted)) kept[length++] = index
    })
    const sign = descending ? -1 : 1
    const column = { name: places, size: sizes, time: times, kind: kinds }[by]
    return yield* SortInTurns.sort(
      kept.slice(0, length),
      (a, b) =>
        isFolder(a) - isFolder(b) ||
        sign * ((column[a] as number) - (column[b] as number)) ||
        (places[a] as number) - (places[b] as number),
    )
  })

  const isKnown = (index: number): boolean => kinds[index] !== UNREADABLE && (sizes[index] as number) >= 0

  const stamp = (index: number): string =>
    `${kinds[index]} ${sizes[index]} ${times[index]} ${modes[index]} ${uids[index]} ${gids[index]} ${targets.get(index) ?? ""}`

  return {
    count,
    problem,
    row: (index) => ({
      ...(bytes.has(index) ? JsonText.text("name", bytes.get(index) as Uint8Array) : { name: names[index] as string }),
      kind: KINDS[kinds[index] as number] as (typeof KINDS)[number],
      ...(isKnown(index) && {
        size: sizes[index] as number,
        mtime_seconds: BigInt(times[index] as number).toString(),
        mode: modes[index] as number,
        uid: uids[index] as number,
        gid: gids[index] as number,
      }),
      ...JsonText.optional("target", targets.get(index)),
      ...JsonText.optional("problem", problems.get(index)),
    }),
    indexOf: (name) => (byName ??= new Map(names.map((name, index) => [name, index]))).get(name),
    view: (sort, descending, filter) =>
      Effect.suspend(() => {
        const key = `${sort} ${descending} ${filter}`
        const known = views.get(key)
        if (known !== undefined) return known
        return Effect.tap(compute(sort, descending, filter), (numbers) =>
          Effect.sync(() => {
            views.set(key, Effect.succeed(numbers))
            const [oldest] = views.keys()
            if (views.size > 4 && oldest !== undefined) views.delete(oldest)
          }),
        )
      }),
    isChanged: (index, other, otherIndex) => stamp(index) !== other.stamp(otherIndex),
    stamp,
  }
}

/** Does something for each number below `count`; others have a turn now and then. */
const inTurns = Effect.fnUntraced(function* (count: number, act: (index: number) => void): Effect.fn.Return<void> {
  for (let index = 0; index < count; index++) {
    act(index)
    if (index % TURN === TURN - 1) yield* Effect.yieldNow
  }
})
