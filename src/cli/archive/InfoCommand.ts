/**
 * `pxar-fuse info ARCHIVE`: what there is to say about an archive as a whole.
 */
import * as Command from "effect/cli/Command"
import { handlers } from "../fast/Handlers.ts"
import * as Lazy from "../Lazy.ts"
import * as Parameters from "../Parameters.ts"
import * as RepositoryFlags from "../repository/RepositoryFlags.ts"

const parameters = {
  archive: Parameters.archive,
  payload: Parameters.payload,
  ...RepositoryFlags.flags,
  json: Parameters.json,
  ...Parameters.reporting,
}

export const command = Command.make("info", parameters, Lazy.handler(handlers.info)).pipe(
  Command.withDescription("Version, counts, sizes and largest files of an archive"),
  Command.withExamples([{ command: "pxar-fuse info root.mpxar", description: "What is in this archive?" }]),
)
