/**
 * Answers that are bytes, and jobs.
 */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as ArchivePath from "../../domain/pxar/ArchivePath.ts"
import * as PathText from "../../domain/PathText.ts"
import * as ContentResponse from "../ContentResponse.ts"
import * as Disposition from "../Disposition.ts"
import * as ExportStream from "../ExportStream.ts"
import type * as Jobs from "../Jobs.ts"
import * as PieceMemory from "../PieceMemory.ts"
import * as RestoreJob from "../RestoreJob.ts"
import * as Served from "../Served.ts"
import type { WebContext } from "../WebContext.ts"
import { Api } from "./Api.ts"
import * as ApiError from "./ApiError.ts"
import { WebRefusal } from "../WebRefusal.ts"

export const layer = (context: WebContext) => {
  const { downloads, jobs } = context

  /** A file, or a folder, as tar or zip. */
  const whole = Effect.fnUntraced(function* (repository: string, path: string, format: ExportStream.Format) {
    const served = yield* context.repository(repository)
    const found = yield* Served.find(served, path)
    const isFolder = found.entry.body._tag === "Directory"
    const slash = found.path.lastIndexOf(0x2f)
    const folder = isFolder ? found : yield* Served.find(served, PathText.print(found.path.subarray(0, slash)))
    const names = isFolder ? [] : [PathText.print(ArchivePath.lastName(found.path))]
    const job = yield* exportOf(served, folder, names, format)
    return yield* download(job)
  })

  const exportOf = Effect.fnUntraced(function* (
    served: Served.Served,
    folder: Parameters<typeof ExportStream.selected>[1],
    names: ReadonlyArray<string>,
    format: ExportStream.Format,
  ) {
    const { archive, paths } = yield* ExportStream.selected(served, folder, names)
    const [name] = names
    const own = PathText.print(ArchivePath.lastName(folder.path)) || served.id
    const job = jobs.make("export", `${names.length === 1 && name !== undefined ? name : own}.${format}`)
    job.take = (memory) => downloads.counted(ExportStream.make(archive, paths, format, job.state, memory))
    return job
  })

  const download = Effect.fnUntraced(function* (job: Jobs.Job) {
    const { state, take } = job
    if (take === undefined || state.state !== "waiting") {
      return yield* new ApiError.BadRequest({ id: WebRefusal.ids.Job, message: "that download was begun already" })
    }
    job.take = undefined
    const response = NodeHttpServerRequest.toServerResponse(yield* HttpServerRequest.HttpServerRequest)
    const stream = yield* take(PieceMemory.make(() => response.writableLength))
    return HttpServerResponse.stream(stream, {
      contentType: ExportStream.types[state.title.endsWith(".zip") ? "zip" : "tar"],
      headers: { "content-disposition": Disposition.attachment(state.title), "cache-control": "no-store" },
    })
  })

  return HttpApiBuilder.group(Api, "content", (handlers) =>
    Effect.succeed(
      handlers.handleAll({
        content: ({ params, query }) =>
          Effect.gen(function* () {
            const served = yield* context.repository(params.repository)
            const request = yield* HttpServerRequest.HttpServerRequest
            const found = yield* Served.find(served, query.path)
            return yield* ContentResponse.make(served, found, request, downloads, query.inline === "true")
          }),
        tar: ({ params, query }) => whole(params.repository, query.path, "tar"),
        zip: ({ params, query }) => whole(params.repository, query.path, "zip"),
        export: ({ params, payload }) =>
          Effect.gen(function* () {
            const served = yield* context.repository(params.repository)
            const folder = yield* Served.find(served, payload.folder)
            return (yield* exportOf(served, folder, payload.names, payload.format)).state
          }),
        restore: ({ params, payload }) =>
          Effect.gen(function* () {
            if (context.restore === undefined) {
              return yield* new ApiError.Forbidden({
                id: WebRefusal.ids.Restore,
                message: "restoring is not allowed: serve with --allow-restore DIR",
              })
            }
            const served = yield* context.repository(params.repository)
            const target = yield* RestoreJob.target(context.restore, payload.target)
            const folder = yield* Served.find(served, payload.folder)
            const { archive, paths } = yield* ExportStream.selected(served, folder, payload.names)
            const job = jobs.make("restore", target)
            yield* jobs.run(job, RestoreJob.run(archive, paths, target, payload, job.state))
            return job.state
          }),
        job: ({ params }) => Effect.map(jobs.find(params.job), ({ state }) => state),
        download: ({ params }) => Effect.flatMap(jobs.find(params.job), download),
        events: ({ params }) => Effect.map(jobs.find(params.job), jobs.watch),
        cancel: ({ params }) =>
          Effect.gen(function* () {
            const job = yield* jobs.find(params.job)
            yield* jobs.cancel(job)
            return job.state
          }),
      }),
    ),
  )
}
