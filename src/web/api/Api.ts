/**
 * The HTTP API: what can be asked, and what is answered (docs/web.md). The document of it is at `/api/v1/openapi.json`.
 *
 * Whatever is in a repository is addressed by the id of the repository and a path in its tree. Only what is served can be
 * named so: a path has no way out of its tree.
 */
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { Count } from "../../domain/json/JsonText.ts"
import * as Json from "../../domain/json/WebJson.ts"
import * as ApiError from "./ApiError.ts"

const error = ApiError.all
const params = { repository: Schema.String }
const jobParams = { job: Schema.String }
const Path = Schema.String.check(Schema.isMaxLength(8192))
const Number = Schema.NumberFromString.check(Schema.isInt(), Schema.isGreaterThanOrEqualTo(0))
const at = { path: Path }

/** Most rows of a page. */
export const MAX_ROWS = 1000

/** The process. */
export class SystemApi extends HttpApiGroup.make("system")
  .add(
    HttpApiEndpoint.get("health", "/health", { success: Schema.Struct({ status: Schema.Literal("ok") }) }),
    HttpApiEndpoint.get("server", "/server", { success: Json.ServerJson }),
    HttpApiEndpoint.post("login", "/session", {
      payload: Schema.Struct({ secret: Schema.String.check(Schema.isMaxLength(1024)) }),
      success: HttpApiSchema.NoContent,
      error: [ApiError.Forbidden, ApiError.Busy],
    }),
    HttpApiEndpoint.delete("logout", "/session", { success: HttpApiSchema.NoContent }),
    HttpApiEndpoint.post("unlock", "/keys", {
      payload: Schema.Struct({
        passphrase: Schema.String.check(Schema.isMaxLength(4096)),
        /** Text of a key file, where the one that is wanted was not given to the command. */
        key_file: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(65_536))),
      }),
      success: Schema.Struct({ unlocked: Count }),
      error,
    }),
  )
  .annotateMerge(OpenApi.annotations({ title: "The process", description: "Sessions, keys, health" })) {}

/** What is in repositories. */
export class BrowseApi extends HttpApiGroup.make("browse")
  .add(
    HttpApiEndpoint.get("backups", "/repositories/:repository/backups", {
      params,
      query: { details: Schema.optionalKey(Schema.Literals(["true", "false"])), group: Schema.optionalKey(Path) },
      success: Schema.Array(Json.BackupJson),
      error,
    }),
    HttpApiEndpoint.get("stats", "/repositories/:repository/stats", {
      params,
      query: { group: Path },
      success: Json.GroupStatsJson,
      error,
    }),
    HttpApiEndpoint.get("folder", "/repositories/:repository/folder", {
      params,
      query: {
        ...at,
        sort: Schema.optionalKey(Json.Sort),
        order: Schema.optionalKey(Schema.Literals(["ascending", "descending"])),
        filter: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(1024))),
        /** The folder that changes are told against. */
        compare: Schema.optionalKey(Path),
        limit: Schema.optionalKey(Number.check(Schema.isBetween({ minimum: 1, maximum: MAX_ROWS }))),
        /** Number of the first row; or the cursor of the page before. */
        start: Schema.optionalKey(Number),
        cursor: Schema.optionalKey(Schema.String),
      },
      success: Json.FolderJson,
      error,
    }),
    HttpApiEndpoint.get("entry", "/repositories/:repository/entry", {
      params,
      query: at,
      success: Json.DetailsJson,
      error,
    }),
    HttpApiEndpoint.get("versions", "/repositories/:repository/versions", {
      params,
      query: at,
      success: Schema.Array(Json.VersionJson),
      error,
    }),
    HttpApiEndpoint.get("diff", "/repositories/:repository/diff", {
      params,
      query: { old: Path, new: Path },
      success: Json.TextDiffJson,
      error,
    }),
    HttpApiEndpoint.get("search", "/repositories/:repository/search", {
      params,
      query: { ...at, text: Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(1024)) },
      success: HttpApiSchema.StreamNdjson({ schema: Json.SearchJson }),
      error,
    }),
  )
  .annotateMerge(OpenApi.annotations({ title: "Repositories", description: "Backups, folders, entries" })) {}

/** Bytes, and what goes on for a while. */
export class ContentApi extends HttpApiGroup.make("content")
  .add(
    HttpApiEndpoint.get("content", "/repositories/:repository/content", {
      params,
      query: { ...at, inline: Schema.optionalKey(Schema.Literals(["true", "false"])) },
      success: HttpApiSchema.StreamUint8Array(),
      error,
    }),
    HttpApiEndpoint.get("tar", "/repositories/:repository/tar", {
      params,
      query: at,
      success: HttpApiSchema.StreamUint8Array({ contentType: "application/x-tar" }),
      error,
    }),
    HttpApiEndpoint.get("zip", "/repositories/:repository/zip", {
      params,
      query: at,
      success: HttpApiSchema.StreamUint8Array({ contentType: "application/zip" }),
      error,
    }),
    HttpApiEndpoint.post("export", "/repositories/:repository/exports", {
      params,
      payload: Json.ExportRequest,
      success: Json.JobJson,
      error,
    }),
    HttpApiEndpoint.post("restore", "/repositories/:repository/restores", {
      params,
      payload: Json.RestoreRequest,
      success: Json.JobJson,
      error,
    }),
    HttpApiEndpoint.get("job", "/jobs/:job", { params: jobParams, success: Json.JobJson, error }),
    HttpApiEndpoint.get("download", "/jobs/:job/content", {
      params: jobParams,
      success: HttpApiSchema.StreamUint8Array(),
      error,
    }),
    HttpApiEndpoint.get("events", "/jobs/:job/events", {
      params: jobParams,
      success: HttpApiSchema.StreamSse({ data: Json.JobJson }),
      error,
    }),
    HttpApiEndpoint.delete("cancel", "/jobs/:job", { params: jobParams, success: Json.JobJson, error }),
  )
  .annotateMerge(OpenApi.annotations({ title: "Contents", description: "Files, tar and zip streams, restores" })) {}

/** All of it. */
export class Api extends HttpApi.make("pxar-fuse")
  .add(SystemApi)
  .add(BrowseApi)
  .add(ContentApi)
  .prefix("/api/v1")
  .annotateMerge(
    OpenApi.annotations({
      title: "pxar-fuse",
      description: "Backups over HTTP, read-only. Show the token or password as Bearer or Basic.",
    }),
  ) {}
