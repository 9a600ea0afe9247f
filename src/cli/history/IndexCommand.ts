/**
 * `pxar-fuse index status|build|drop DATASTORE`: names of all backups in one file, so that `find` need not look into them.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Lazy from "../Lazy.ts"
import * as Parameters from "../Parameters.ts"
import * as HistoryFlags from "./HistoryFlags.ts"

const parameters = {
  action: Argument.Literals("action", ["status", "build", "drop"]).pipe(
    Argument.withDescription("status: what it has; build: put in what it lacks; drop: delete it"),
  ),
  address: HistoryFlags.address,
  indexEncrypted: Parameters.flag(
    "index-encrypted",
    "Also of encrypted archives, with their key: names in the index are not encrypted",
  ),
  jobs: HistoryFlags.jobs,
  ...HistoryFlags.flags,
}

export const command = Command.make(
  "index",
  parameters,
  Lazy.handler(() => import("./IndexHandler.ts")),
).pipe(
  Command.withDescription("Keep the names in all backups, so that find need not look into them"),
  Command.withExamples([
    { command: "pxar-fuse index build /mnt/datastore", description: "Put in what is new; nightly, after the backups" },
    { command: "pxar-fuse index status /mnt/datastore", description: "How much of it is there?" },
  ]),
)
