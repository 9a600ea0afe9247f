/**
 * `pxar-fuse create ARCHIVE DIR`: writes an archive of a folder.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as KindFlags from "./KindFlags.ts"
import * as Lazy from "../Lazy.ts"
import * as Parameters from "../Parameters.ts"

const parameters = {
  archive: Argument.String("archive").pipe(
    Argument.withDescription(
      "The archive to write: X.pxar, or X.mpxar for a split archive, which must not be there yet; - is stdout",
    ),
  ),
  source: Argument.String("dir").pipe(Argument.withDescription("The folder to archive")),
  payload: Parameters.payload,
  exclude: Flag.String("exclude").pipe(
    Flag.withDescription("Leave out what this pattern matches; can be repeated, and is recorded in the archive"),
    Flag.withMetavar("PATTERN"),
    Flag.atLeast(0),
  ),
  oneFileSystem: Parameters.flag("one-file-system", "Store mount points as empty folders (default)"),
  allFileSystems: Parameters.flag("all-file-systems", "Store what is mounted below the folder too"),
  ...KindFlags.flags("store"),
  ...Parameters.reporting,
}

export const command = Command.make(
  "create",
  parameters,
  Lazy.handler(() => import("./CreateHandler.ts")),
).pipe(
  Command.withDescription("Write an archive of a folder"),
  Command.withExamples([
    { command: "pxar-fuse create home.pxar /home --exclude '*.o'", description: "A folder without object files" },
    { command: "pxar-fuse create root.mpxar /", description: "A split archive: root.mpxar and root.ppxar" },
    { command: "pxar-fuse create - /home | ssh HOST 'cat > home.pxar'", description: "Through a pipe" },
  ]),
)
