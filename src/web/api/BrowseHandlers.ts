/**
 * Answers about what is in repositories.
 */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as PathText from "../../domain/PathText.ts"
import * as JsonText from "../../domain/json/JsonText.ts"
import type { FolderJson, Sort } from "../../domain/json/WebJson.ts"
import * as Details from "../Details.ts"
import * as FolderChanges from "../FolderChanges.ts"
import * as GroupStats from "../GroupStats.ts"
import * as Search from "../Search.ts"
import * as Served from "../Served.ts"
import * as TextDiff from "../TextDiff.ts"
import * as Versions from "../Versions.ts"
import type { WebContext } from "../WebContext.ts"
import { Api, MAX_ROWS } from "./Api.ts"
import * as ApiError from "./ApiError.ts"
import { WebRefusal } from "../WebRefusal.ts"

/** What is asked of a folder. */
interface Query {
  readonly path: string
  readonly sort?: Sort
  readonly order?: "ascending" | "descending"
  readonly filter?: string
  readonly compare?: string
  readonly limit?: number
  readonly start?: number
  readonly cursor?: string
}

export const layer = (context: WebContext) =>
  HttpApiBuilder.group(Api, "browse", (handlers) =>
    Effect.succeed(
      handlers.handleAll({
        backups: ({ params, query }) =>
          Effect.flatMap(context.repository(params.repository), (served) =>
            Versions.backups(served, { details: query.details === "true", group: query.group }),
          ),
        stats: ({ params, query }) =>
          Effect.flatMap(context.repository(params.repository), (served) =>
            context.searches.held(GroupStats.of(served, query.group)),
          ),
        folder: ({ params, query }) =>
          Effect.flatMap(context.repository(params.repository), (served) => folder(context, served, query)),
        entry: ({ params, query }) =>
          Effect.gen(function* () {
            const served = yield* context.repository(params.repository)
            return yield* Details.make(served, yield* Served.find(served, query.path))
          }),
        versions: ({ params, query }) =>
          Effect.flatMap(context.repository(params.repository), (served) => Versions.of(served, query.path)),
        diff: ({ params, query }) =>
          Effect.gen(function* () {
            const served = yield* context.repository(params.repository)
            const older = yield* Served.find(served, query.old)
            return yield* TextDiff.make(served, older, yield* Served.find(served, query.new))
          }),
        search: ({ params, query }) =>
          Effect.gen(function* () {
            const served = yield* context.repository(params.repository)
            return yield* context.searches.counted(
              Search.run(served, yield* Served.find(served, query.path), query.text),
            )
          }),
      }),
    ),
  )

/** A page of a folder. */
const folder = Effect.fnUntraced(function* (
  context: WebContext,
  served: Served.Served,
  query: Query,
): Effect.fn.Return<FolderJson, ApiError.ApiError> {
  const listing = yield* listingAt(context, served, query.path)
  const numbers = yield* listing.view(query.sort ?? "name", query.order === "descending", query.filter ?? "")
  const start = query.cursor === undefined ? (query.start ?? 0) : startOf(query.cursor)
  if (start === undefined) {
    return yield* new ApiError.BadRequest({ id: WebRefusal.ids.Cursor, message: "that is no cursor of a page" })
  }
  const end = Math.min(start + (query.limit ?? MAX_ROWS), numbers.length)
  const numbersOfPage = [...numbers.subarray(start, end)]
  const other = query.compare === undefined ? undefined : yield* compared(context, served, query.compare)
  const rows =
    query.compare === undefined
      ? numbersOfPage.map(listing.row)
      : yield* FolderChanges.rows(
          served,
          { path: query.path, listing },
          other && { path: query.compare, listing: other },
          numbersOfPage,
        )
  // What is gone is told once, with the first rows.
  const gone = start === 0 && other !== undefined ? yield* FolderChanges.gone(listing, other) : []
  return {
    ...JsonText.path(PathText.parse(query.path)),
    total: listing.count,
    matching: numbers.length,
    start,
    rows: [...rows, ...gone],
    ...(end < numbers.length && { next: Buffer.from(String(end)).toString("base64url") }),
    ...JsonText.optional("problem", listing.problem),
  }
})

const listingAt = Effect.fnUntraced(function* (context: WebContext, served: Served.Served, path: string) {
  const found = yield* Served.find(served, path)
  if (found.entry.body._tag !== "Directory") {
    return yield* new ApiError.BadRequest({ id: "PXF-PATH-NOT-A-FOLDER", message: `${path}: not a folder` })
  }
  return yield* ApiError.orAnswer(context.listings.get(served, found))
})

/** The folder that changes are told against; none if it is not there. */
const compared = (context: WebContext, served: Served.Served, path: string) =>
  Effect.catchTag(listingAt(context, served, path), ["NotFound", "BadRequest"], () => Effect.undefined)

const startOf = (cursor: string): number | undefined => {
  const text = Buffer.from(cursor, "base64url").toString("latin1")
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined
}
