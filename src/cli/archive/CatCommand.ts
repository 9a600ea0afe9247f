/**
 * `pxar-fuse cat ARCHIVE PATH|PATTERN…`: contents of files, one after the other, or a tar stream.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import { handlers } from "../fast/Handlers.ts"
import * as Lazy from "../Lazy.ts"
import * as Parameters from "../Parameters.ts"
import * as RepositoryFlags from "../repository/RepositoryFlags.ts"

const parameters = {
  archive: Parameters.archive,
  paths: Argument.String("path").pipe(
    Argument.withDescription(
      "Files in the archive, or patterns as for --exclude, unless the address names one; hard links are followed, symbolic links are not",
    ),
    Argument.variadic(),
  ),
  payload: Parameters.payload,
  tar: Parameters.flag("tar", "Write what is named, folders too, as a tar stream with all attributes"),
  ...RepositoryFlags.flags,
  ...Parameters.reporting,
}

export const command = Command.make("cat", parameters, Lazy.handler(handlers.cat)).pipe(
  Command.withDescription("Write contents of files to stdout"),
  Command.withExamples([
    { command: "pxar-fuse cat root.pxar etc/hostname", description: "Show a file" },
    { command: "pxar-fuse cat --tar root.pxar etc | ssh host tar -x", description: "A folder for another machine" },
  ]),
)
