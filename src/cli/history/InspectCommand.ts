/**
 * `pxar-fuse inspect DATASTORE DIGEST`, `pxar-fuse inspect DATASTORE::…/FILE`: for people who look for damage.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Option from "effect/Option"
import * as Lazy from "../Lazy.ts"
import * as HistoryFlags from "./HistoryFlags.ts"

const parameters = {
  address: Argument.String("address").pipe(
    Argument.withDescription("A datastore; or a file in it: DATASTORE::TYPE/ID/TIME/ARCHIVE/PATH"),
  ),
  digest: Argument.String("digest").pipe(
    Argument.withDescription("A chunk: 64 hexadecimal digits (default: the chunks of the file)"),
    Argument.optional,
    Argument.map(Option.getOrUndefined),
  ),
  ...HistoryFlags.flags,
}

export const command = Command.make(
  "inspect",
  parameters,
  Lazy.handler(() => import("./InspectHandler.ts")),
).pipe(
  Command.withDescription("Show which files are in a chunk, or which chunks a file consists of"),
  Command.withExamples([
    {
      command: "pxar-fuse inspect /mnt/datastore::host/elsa/latest/root.pxar/etc/fstab",
      description: "Where is this file?",
    },
  ]),
)
