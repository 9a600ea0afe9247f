/**
 * `pxar-fuse stats DATASTORE`: how large backups are, what they share, how they grow.
 */
import * as Command from "effect/cli/Command"
import * as Lazy from "../Lazy.ts"
import * as HistoryFlags from "./HistoryFlags.ts"

const parameters = { address: HistoryFlags.address, ...HistoryFlags.flags }

export const command = Command.make(
  "stats",
  parameters,
  Lazy.handler(() => import("./StatsHandler.ts")),
).pipe(
  Command.withDescription("Show how large backups are, what they share and how they grow"),
  Command.withExamples([
    { command: "pxar-fuse stats /mnt/datastore", description: "What would removing a backup free?" },
  ]),
)
