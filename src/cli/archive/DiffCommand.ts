/**
 * `pxar-fuse diff ARCHIVE OTHER`: how an archive or a backup differs from another one, or from a folder.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { handlers } from "../fast/Handlers.ts"
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
  data: Parameters.flag("data", "Read contents of backups where chunks do not tell whether they are the same"),
  bytes: Parameters.flag("bytes", "Say which bytes of contents differ; reads them"),
  noData: Parameters.flag("no-data", "Do not compare contents"),
  json: Parameters.json,
  ...Parameters.reporting,
}

export const command = Command.make("diff", parameters, Lazy.handler(handlers.diff)).pipe(
  Command.withDescription("Show how an archive differs from another archive or from a folder"),
  Command.withExamples([
    { command: "pxar-fuse diff root.pxar /", description: "What has changed since the backup?" },
    {
      command: "pxar-fuse diff /mnt/datastore::host/elsa/2026-03-01 /mnt/datastore::host/elsa/2026-03-02",
      description: "Compare two backups, without reading contents",
    },
    { command: "pxar-fuse diff --no-data monday.pxar friday.pxar", description: "Compare metadata only" },
  ]),
)
