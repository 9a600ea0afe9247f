/**
 * `pxar-fuse extract ARCHIVE [DIR] [PATH|PATTERN…]`: extracts an archive, or part of it, into a folder.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import * as ExportFormat from "./ExportFormat.ts"
import * as KindFlags from "./KindFlags.ts"
import { handlers } from "../fast/Handlers.ts"
import * as Lazy from "../Lazy.ts"
import * as Parameters from "../Parameters.ts"
import * as RepositoryFlags from "../repository/RepositoryFlags.ts"

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
  toStdout: Flag.Literals("to-stdout", ExportFormat.formats).pipe(
    Flag.withDescription(
      "Write one stream to stdout, and nothing to disk: tar with all attributes, or zip; all that follows the archive are then paths",
    ),
    Flag.withMetavar("tar|zip"),
    Parameters.optional,
  ),
  directory: Flag.String("directory").pipe(
    Flag.withAlias("C"),
    Flag.withDescription("The folder to extract into; all that follows the archive are then paths in it, as for tar"),
    Flag.withMetavar("DIR"),
    Parameters.optional,
  ),
  ...RepositoryFlags.flags,
  overwrite: Flag.Literals("overwrite", ["always", "if-changed", "if-newer", "never"]).pipe(
    Flag.withDescription(
      "Replace files, links and devices that are there already (without a value: always); all but always also extract " +
        "into folders that are there, and so complete an earlier run",
    ),
    Flag.withMetavar("[=always|if-changed|if-newer|never]"),
    Parameters.optional,
  ),
  allowExistingDirs: Parameters.flag("allow-existing-dirs", "Extract into folders that are there already"),
  keepDirectorySymlink: Parameters.flag(
    "keep-directory-symlink",
    "Where the archive has a folder, extract into the folder inside DIR that a symbolic link there leads to",
  ),
  exclude: Flag.String("exclude").pipe(
    Flag.withDescription("Leave out what this pattern matches; can be repeated"),
    Flag.withMetavar("PATTERN"),
    Flag.atLeast(0),
  ),
  stripComponents: Flag.Int("strip-components").pipe(
    Flag.withDescription("Leave out so many names at the beginning of each path"),
    Flag.withMetavar("NUMBER"),
    Flag.withDefault(0),
  ),
  delete: Parameters.flag("delete", "Delete from the folders extracted what the archive does not have; takes --force"),
  force: Parameters.flag("force", "Let --delete delete, and --overwrite replace folders and links to folders"),
  dryRun: Parameters.flag("dry-run", "Do nothing, and print what would be done").pipe(Flag.withAlias("n")),
  json: Parameters.flag("json", "Print what --dry-run finds as JSON for programs"),
  verify: Parameters.flag("verify", "Compare in the end what is on disk with the archive, contents too"),
  strict: Parameters.flag("strict", "Stop at the first problem"),
  noOwner: Parameters.flag("no-owner", "Do not restore users and groups"),
  noPermissions: Parameters.flag("no-permissions", "Do not restore modes and access ACLs"),
  ...KindFlags.flags("restore"),
  ...Parameters.reporting,
}

export const command = Command.make("extract", parameters, Lazy.handler(handlers.extract)).pipe(
  Command.withDescription("Extract an archive, or part of it, into a folder"),
  Command.withExamples([
    { command: "pxar-fuse extract root.pxar /srv/restored", description: "Everything; as root with all attributes" },
    { command: "pxar-fuse extract root.mpxar . etc/ssh '*.conf'", description: "A folder and some files, to here" },
    { command: "pxar-fuse extract -C /srv root.pxar etc/ssh", description: "The same as tar has it" },
    {
      command: "pxar-fuse extract root.pxar /srv/restored --overwrite=if-changed",
      description: "What is missing or different, after a run that was cut short",
    },
  ]),
)
