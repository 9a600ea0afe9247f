/**
 * `pxar-fuse versions DATASTORE PATH`: when did this file change?
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Lazy from "../Lazy.ts"
import * as Parameters from "../Parameters.ts"
import * as HistoryFlags from "./HistoryFlags.ts"

const parameters = {
  address: HistoryFlags.address,
  path: Argument.String("path").pipe(Argument.withDescription("Path in the archive, as etc/fstab")),
  extract: Flag.String("extract").pipe(
    Flag.withDescription("Restore all versions, each into a folder of its own below this one"),
    Flag.withMetavar("DIR"),
    Parameters.optional,
  ),
  diff: Parameters.flag("diff", "Print what differs between two versions of a text: the last two"),
  between: Flag.String("between").pipe(
    Flag.withDescription("The two for --diff: those of the last backups whose times begin so"),
    Flag.withMetavar("TIME..TIME"),
    Parameters.optional,
  ),
  moved: Parameters.flag("moved", "Look under which other path a version was before, or is after"),
  data: Parameters.flag("data", "Compare all contents, and read those of which chunks do not tell"),
  noIndex: HistoryFlags.noIndex,
  ...HistoryFlags.flags,
}

export const command = Command.make(
  "versions",
  parameters,
  Lazy.handler(() => import("./VersionsHandler.ts")),
).pipe(
  Command.withDescription("Show every version of a file in all backups of a datastore"),
  Command.withExamples([
    { command: "pxar-fuse versions /mnt/datastore etc/fstab", description: "When did it change?" },
    {
      command: "pxar-fuse versions --between 2026-02..2026-03 /mnt/datastore::host/elsa etc/fstab",
      description: "What differs between its last versions of two months?",
    },
    {
      command: "pxar-fuse versions --extract /srv/old /mnt/datastore::host/elsa home/ada/letter.txt",
      description: "Restore all that there ever was",
    },
  ]),
)
