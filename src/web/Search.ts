/**
 * A search by name through all that is below a path, which tells what it finds as it goes, and how far it is.
 *
 * It walks: an index of all backups can take its place without another answer.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { SearchJson } from "../domain/json/WebJson.ts"
import * as PathText from "../domain/PathText.ts"
import type * as TreeWalk from "../services/tree/TreeWalk.ts"
import * as Rows from "./Rows.ts"
import type { Served } from "./Served.ts"

/** Most things that are found. */
const MAX_FOUND = 10_000

/** Entries after which it is told how far it is. */
const PACE = 20_000

/** `text`: a part of a name, whatever the case of its letters. */
export const run = ({ archive }: Served, start: TreeWalk.Found, text: string): Stream.Stream<SearchJson> =>
  Stream.suspend(() => {
    const wanted = text.toLowerCase()
    let lookedAt = 0
    let unreadable = 0
    let found = 0
    const steps = (item: TreeWalk.Item): ReadonlyArray<SearchJson> => {
      lookedAt++
      if (item._tag === "Unreadable") unreadable++
      const told = lookedAt % PACE === 0 ? [{ looked_at: lookedAt, unreadable }] : []
      if (item._tag === "Unreadable" || !PathText.print(item.name).toLowerCase().includes(wanted)) return told
      found++
      return [...told, { path: PathText.print(item.path), row: Rows.fromFound(item) }]
    }
    return archive.walk(start).pipe(
      Stream.takeWhile(() => found < MAX_FOUND),
      Stream.map(steps),
      Stream.flattenIterable,
      Stream.concat(
        Stream.fromEffect(
          Effect.sync((): SearchJson => ({
            looked_at: lookedAt,
            unreadable,
            done: found < MAX_FOUND ? "all" : "limit",
          })),
        ),
      ),
    )
  })
