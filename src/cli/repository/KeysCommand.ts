/**
 * `pxar-fuse keys DATASTORE`: which keys its backups want, and which are at hand.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Lazy from "../Lazy.ts"
import * as Parameters from "../Parameters.ts"
import * as RepositoryFlags from "./RepositoryFlags.ts"

const parameters = {
  address: Argument.String("address").pipe(
    Argument.withDescription("A datastore, or DATASTORE::[ns/NAME/...]TYPE/ID of what to look at in it"),
  ),
  json: Parameters.json,
  ...RepositoryFlags.where,
  ...RepositoryFlags.keys,
  ...Parameters.messages,
}

export const command = Command.make(
  "keys",
  parameters,
  Lazy.handler(() => import("./KeysHandler.ts")),
).pipe(
  Command.withDescription("Show which keys the backups in a datastore want, and which are at hand"),
  Command.withExamples([
    { command: "pxar-fuse keys --key-file key.json /mnt/datastore", description: "Is this the key?" },
  ]),
)
