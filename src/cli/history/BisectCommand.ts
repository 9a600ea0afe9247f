/**
 * `pxar-fuse bisect DATASTORE PATH COMMAND…`: since which backup is this file wrong?
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Lazy from "../Lazy.ts"
import * as HistoryFlags from "./HistoryFlags.ts"

const parameters = {
  address: HistoryFlags.address,
  path: Argument.String("path").pipe(Argument.withDescription("Path in the archive, as var/lib/app.db")),
  test: Argument.String("command").pipe(
    Argument.withDescription(
      "After --: ends with 0 if the file {} is right, 125 if it cannot tell, anything else if it is wrong",
    ),
    Argument.atLeast(1),
  ),
  noIndex: HistoryFlags.noIndex,
  ...HistoryFlags.flags,
}

export const command = Command.make(
  "bisect",
  parameters,
  Lazy.handler(() => import("./BisectHandler.ts")),
).pipe(
  Command.withDescription("Find the first backup in which a command says that a file is wrong"),
  Command.withExamples([
    {
      command: "pxar-fuse bisect /mnt/datastore::host/elsa var/lib/app.db -- sqlite3 {} 'pragma integrity_check'",
      description: "When did the database break?",
    },
  ]),
)
