/**
 * `pxar-fuse diff ARCHIVE OTHER`: how an archive differs from another one, or from a folder.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Lazy from "../Lazy.ts"
import * as Parameters from "../Parameters.ts"
import * as RepositoryFlags from "../repository/RepositoryFlags.ts"

const parameters = {
  archive: Parameters.archive,
  other: Argument.String("other").pipe(Argument.withDescription("Another archive, or a folder")),
  payload: Parameters.payload,
  ...RepositoryFlags.flags,
  otherPayload: Flag.String("other-payload").pipe(
    Flag.withDescription("Payload archive of the other archive"),
    Flag.withMetavar("FILE"),
    Parameters.optional,
  ),
  noData: Parameters.flag("no-data", "Do not compare contents"),
  json: Parameters.json,
  ...Parameters.reporting,
}

export const command = Command.make(
  "diff",
  parameters,
  Lazy.handler(() => import("./DiffHandler.ts")),
).pipe(
  Command.withDescription("Show how an archive differs from another archive or from a folder"),
  Command.withExamples([
    { command: "pxar-fuse diff root.pxar /", description: "What has changed since the backup?" },
    { command: "pxar-fuse diff --no-data monday.pxar friday.pxar", description: "Compare metadata only" },
  ]),
)
