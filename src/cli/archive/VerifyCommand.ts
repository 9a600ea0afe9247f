/**
 * `pxar-fuse verify ARCHIVE`: checks all of an archive. One line a finding, then the verdict, which is also the exit code.
 */
import * as Command from "effect/cli/Command"
import * as Lazy from "../Lazy.ts"
import * as Parameters from "../Parameters.ts"
import * as RepositoryFlags from "../repository/RepositoryFlags.ts"

const parameters = {
  archive: Parameters.archive,
  payload: Parameters.payload,
  ...RepositoryFlags.flags,
  data: Parameters.flag("data", "Read the contents of all files too"),
  json: Parameters.json,
  ...Parameters.reporting,
}

export const command = Command.make(
  "verify",
  parameters,
  Lazy.handler(() => import("./VerifyHandler.ts")),
).pipe(
  Command.withDescription("Check an archive from one end to the other"),
  Command.withExamples([
    { command: "pxar-fuse verify root.pxar", description: "Check structure and metadata" },
    { command: "pxar-fuse verify --data root.mpxar", description: "Read all contents too" },
  ]),
)
