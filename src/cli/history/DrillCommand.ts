/**
 * `pxar-fuse drill DATASTORE`: is this restorable?
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import * as Lazy from "../Lazy.ts"
import * as Parameters from "../Parameters.ts"
import * as HistoryFlags from "./HistoryFlags.ts"

const parameters = {
  address: HistoryFlags.address,
  sample: Flag.Int("sample").pipe(
    Flag.withDescription("Files of each archive that are read (default: 20)"),
    Flag.withMetavar("NUMBER"),
    Flag.filterMap(
      (files) => (files >= 0 ? Option.some(files) : Option.none()),
      () => "a number from 0 on",
    ),
    Flag.withDefault(20),
  ),
  all: Parameters.flag("all", "Read all files of all archives"),
  ...HistoryFlags.flags,
}

export const command = Command.make(
  "drill",
  parameters,
  Lazy.handler(() => import("./DrillHandler.ts")),
).pipe(
  Command.withDescription("Try whether backups can be restored, without writing anything"),
  Command.withExamples([
    { command: "pxar-fuse drill /mnt/datastore::host/elsa/latest", description: "Would it come back?" },
    { command: "pxar-fuse drill --all --json /mnt/datastore", description: "Everything, for monitoring" },
  ]),
)
