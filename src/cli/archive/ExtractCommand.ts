/**
 * `pxar-fuse extract ARCHIVE [DIR] [PATH|PATTERN…]`: extracts an archive, or part of it, into a folder.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import * as KindFlags from "./KindFlags.ts"
import * as Lazy from "../Lazy.ts"
import * as Parameters from "../Parameters.ts"

const parameters = {
  archive: Parameters.archive,
  target: Argument.String("dir").pipe(
    Argument.withDescription(
      "The folder to extract into; made if it is not there (default: the current folder). With -C this is a path already",
    ),
    Argument.optional,
    Argument.map(Option.getOrUndefined),
  ),
  paths: Argument.String("path").pipe(
    Argument.withDescription("Paths in the archive, or patterns as for --exclude; what is below them is extracted too"),
    Argument.variadic(),
  ),
  payload: Parameters.payload,
  directory: Flag.String("directory").pipe(
    Flag.withAlias("C"),
    Flag.withDescription("The folder to extract into; all that follows the archive are then paths in it, as for tar"),
    Flag.withMetavar("DIR"),
    Parameters.optional,
  ),
  overwrite: Parameters.flag("overwrite", "Replace files, links and devices that are there already"),
  allowExistingDirs: Parameters.flag("allow-existing-dirs", "Extract into folders that are there already"),
  strict: Parameters.flag("strict", "Stop at the first problem"),
  noOwner: Parameters.flag("no-owner", "Do not restore users and groups"),
  noPermissions: Parameters.flag("no-permissions", "Do not restore modes and access ACLs"),
  ...KindFlags.flags("restore"),
  ...Parameters.reporting,
}

export const command = Command.make(
  "extract",
  parameters,
  Lazy.handler(() => import("./ExtractHandler.ts")),
).pipe(
  Command.withDescription("Extract an archive, or part of it, into a folder"),
  Command.withExamples([
    { command: "pxar-fuse extract root.pxar /srv/restored", description: "Everything; as root with all attributes" },
    { command: "pxar-fuse extract root.mpxar . etc/ssh '*.conf'", description: "A folder and some files, to here" },
    { command: "pxar-fuse extract -C /srv root.pxar etc/ssh", description: "The same as tar has it" },
  ]),
)
