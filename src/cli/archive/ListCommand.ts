/**
 * `pxar-fuse list ARCHIVE [PATH|PATTERN…]`: what is in an archive.
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
  paths: Argument.String("path").pipe(
    Argument.withDescription("Paths in the archive, or patterns as for --exclude; what is below them is listed too"),
    Argument.variadic(),
  ),
  payload: Parameters.payload,
  ...RepositoryFlags.flags,
  long: Flag.withAlias(Parameters.flag("long", "Mode, owner, group, size, time and path, as `ls -l`"), "l"),
  human: Flag.withAlias(Parameters.flag("human-readable", "With -l: sizes such as 1.5M"), "h"),
  numericIds: Parameters.flag(
    "numeric-ids",
    "With -l: numbers of users and groups, not the names that this machine knows",
  ),
  tree: Parameters.flag("tree", "Draw the tree; with -l behind the columns of that"),
  sort: Flag.Literals("sort", ["archive", "name", "size", "time"]).pipe(
    Flag.withDescription("The order: that of the archive, by path, the largest first, or the newest first"),
    Flag.withMetavar("archive|name|size|time"),
    Flag.withDefault("archive"),
  ),
  null: Flag.withAlias(Parameters.flag("null", "Paths as they are, each with a NUL behind it, as for xargs -0"), "0"),
  json: Parameters.json,
  ...Parameters.reporting,
}

export const command = Command.make("list", parameters, Lazy.handler(handlers.list)).pipe(
  Command.withAlias("ls"),
  Command.withDescription("List what is in an archive"),
  Command.withExamples([
    { command: "pxar-fuse list root.pxar", description: "All paths, one a line" },
    { command: "pxar-fuse list -l root.pxar etc/ssh '*.conf'", description: "A folder and some files, in detail" },
  ]),
)
