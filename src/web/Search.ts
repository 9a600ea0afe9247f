/**
 * A search by name through all that is below a path, which tells what it finds as it goes, and how far it is.
 *
 * Of many backups each version of a thing is told once, with the newest backup that has it, as `pxar-fuse find` does: by the
 * index where there is one, and by walking through each archive once. So is what is in one archive that the index has.
 * Anything else is walked through as it is shown.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as Bytes from "../domain/Bytes.ts"
import type { Reference } from "../domain/datastore/Reference.ts"
import type { SnapshotId } from "../domain/datastore/SnapshotId.ts"
import type { SearchJson } from "../domain/json/WebJson.ts"
import * as PathText from "../domain/PathText.ts"
import * as Edition from "../services/history/Edition.ts"
import * as Find from "../services/history/Find.ts"
import * as IndexedEdition from "../services/history/IndexedEdition.ts"
import * as Query from "../services/tree/Query.ts"
import type * as TreeWalk from "../services/tree/TreeWalk.ts"
import * as WalkStream from "../services/tree/WalkStream.ts"
import * as Rows from "./Rows.ts"
import * as Served from "./Served.ts"

/** Most things that are found. */
const MAX_FOUND = 10_000

/** Entries of a walk after which it is told how far it is, and how often a search through backups tells it. */
const PACE = 20_000
const TURN = "500 millis"

/** `text`: a part of a name, whatever the case of its letters. */
export const run = (served: Served.Served, start: TreeWalk.Found, text: string): Stream.Stream<SearchJson> =>
  Stream.suspend(() => {
    const search = new Search(served, start, text)
    let told = 0
    return search.found().pipe(
      Stream.takeWhile(({ row }) => row === undefined || ++told <= MAX_FOUND),
      Stream.concat(
        Stream.fromEffect(
          Effect.sync((): SearchJson => ({
            ...search.progress(),
            done: told > MAX_FOUND || search.isLimited ? "limit" : "all",
          })),
        ),
      ),
    )
  })

/** A search under way. */
class Search {
  isLimited = false
  private lookedAt = 0
  private unreadable = 0
  private readonly served: Served.Served
  private readonly start: TreeWalk.Found
  private readonly query: Query.Query
  private readonly test: Query.Test

  constructor(served: Served.Served, start: TreeWalk.Found, text: string) {
    this.served = served
    this.start = start
    this.query = { patterns: [Query.containing(text)], manner: "name", ignoreCase: true }
    this.test = Result.getOrThrow(Query.compile(this.query))
  }

  progress(): SearchJson {
    return { looked_at: this.lookedAt, unreadable: this.unreadable }
  }

  found(): Stream.Stream<SearchJson> {
    const { backups } = this.served
    const reference = backups && Served.referenceOf(backups.root, PathText.print(this.start.path))
    if (backups === undefined || reference === undefined) return this.walk(WalkStream.whole)
    if (reference.archive === undefined) {
      return Stream.concat(this.walk(aboveArchives(backups)), this.inBackups(backups, reference))
    }
    return Stream.unwrap(
      Effect.map(isIndexed(backups, reference), (isIndexed) =>
        isIndexed ? this.inBackups(backups, reference) : this.walk(WalkStream.whole),
      ),
    )
  }

  private walk(guide: typeof WalkStream.whole): Stream.Stream<SearchJson> {
    const stepsOf = (item: TreeWalk.Item): ReadonlyArray<SearchJson> => {
      this.lookedAt++
      if (item._tag === "Unreadable") this.unreadable++
      const told = this.lookedAt % PACE === 0 ? [this.progress()] : []
      if (item._tag === "Unreadable" || !this.test(item)) return told
      return [...told, { path: PathText.print(item.path), row: Rows.fromFound(item) }]
    }
    return Stream.flattenIterable(Stream.map(this.served.archive.walkGuided(this.start, guide), stepsOf))
  }

  /** In archives of backups: of one of them what is below a path. */
  private inBackups({ index, repository, root }: Served.Backups, within: Reference): Stream.Stream<SearchJson> {
    const before = this.lookedAt
    const { archive, path } = within
    const query = { ...this.query, below: Bytes.concat([SLASH, path]) }
    const onProgress = (entries: number): void => void (this.lookedAt = before + entries)
    const onLimit = (): void => void (this.isLimited = true)
    const stepsOf = (hit: Find.Hit | Find.Unreadable): ReadonlyArray<SearchJson> => {
      if (hit._tag === "Hit") return [rowOf(root, hit)]
      this.unreadable++
      return []
    }
    const hits = Stream.unwrap(
      Effect.map(index, (index) =>
        Find.find(repository, { within, archive, query, index, limit: MAX_FOUND, onLimit, onProgress }),
      ),
    ).pipe(
      Stream.map(stepsOf),
      Stream.flattenIterable,
      Stream.catch((error) => {
        this.unreadable++
        return Stream.fromEffectDrain(Effect.logWarning(error.message))
      }),
    )
    const turns = Stream.map(Stream.drop(Stream.tick(TURN), 1), () => this.progress())
    return Stream.merge(hits, turns, { haltStrategy: "left" })
  }
}

const SLASH = Bytes.fromText("/")

/** What is in archives is left out. */
const aboveArchives = ({ root }: Served.Backups): typeof WalkStream.whole => ({
  give: (item) => item,
  children: ({ path }) =>
    Served.referenceOf(root, PathText.print(path))?.archive === undefined ? undefined : WalkStream.NONE,
})

/** Whether the index has the archive of a backup. */
const isIndexed = ({ index, repository }: Served.Backups, reference: Reference): Effect.Effect<boolean> =>
  Effect.gen(function* () {
    const { archive, id, namespace, type } = reference
    const known = yield* index
    if (known === undefined || type === undefined || id === undefined) return false
    const { series } = yield* Edition.ofGroup(repository, { namespace, type, id }, { within: reference, archive })
    const splits = yield* Effect.forEach(series, (each) => IndexedEdition.orAll(known, each))
    return splits.some(({ indexed }) => indexed.length > 0)
  }).pipe(Effect.catch((error) => Effect.as(Effect.logWarning(error.message), false)))

const rowOf = (root: Reference, { entry, path, series, snapshots }: Find.Hit): SearchJson => ({
  path: `${Served.pathOf(root, snapshots.at(-1) as SnapshotId)}/${series.archive}${PathText.print(path)}`,
  row: Rows.fromFound({ entry, name: path.subarray(path.lastIndexOf(SLASH[0] as number) + 1) }),
  backups: snapshots.length,
})
