/**
 * `pxar-fuse cat ARCHIVE PATH…`: contents of files, one after the other.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Lazy from "../Lazy.ts"
import * as Parameters from "../Parameters.ts"
import * as RepositoryFlags from "../repository/RepositoryFlags.ts"

const parameters = {
  archive: Parameters.archive,
  paths: Argument.String("path").pipe(
    Argument.withDescription(
      "Files in the archive, unless the address names one; hard links are followed, symbolic links are not",
    ),
    Argument.variadic(),
  ),
  payload: Parameters.payload,
  ...RepositoryFlags.flags,
  ...Parameters.reporting,
}

export const command = Command.make(
  "cat",
  parameters,
  Lazy.handler(() => import("./CatHandler.ts")),
).pipe(
  Command.withDescription("Write contents of files to stdout"),
  Command.withExamples([{ command: "pxar-fuse cat root.pxar etc/hostname", description: "Show a file" }]),
)
