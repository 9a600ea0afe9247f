/**
 * `pxar-fuse list ARCHIVE [PATH|PATTERN…]`: what is in an archive.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Lazy from "../Lazy.ts"
import * as Parameters from "../Parameters.ts"
import * as RepositoryFlags from "../repository/RepositoryFlags.ts"

const parameters = {
  archive: Parameters.archive,
  paths: Argument.String("path").pipe(
    Argument.withDescription("Paths in the archive, or patterns as for --exclude; what is below them is listed too"),
    Argument.variadic(),
  ),
  payload: Parameters.payload,
  ...RepositoryFlags.flags,
  long: Flag.withAlias(Parameters.flag("long", "Mode, owner, group, size, time and path, as `ls -l`"), "l"),
  tree: Parameters.flag("tree", "Draw the tree"),
  json: Parameters.json,
  ...Parameters.reporting,
}

export const command = Command.make(
  "list",
  parameters,
  Lazy.handler(() => import("./ListHandler.ts")),
).pipe(
  Command.withAlias("ls"),
  Command.withDescription("List what is in an archive"),
  Command.withExamples([
    { command: "pxar-fuse list root.pxar", description: "All paths, one a line" },
    { command: "pxar-fuse list -l root.pxar etc/ssh '*.conf'", description: "A folder and some files, in detail" },
  ]),
)
