/**
 * `pxar-fuse keys DATASTORE`: which keys its backups want, and which are at hand. With a master key: the key of a backup.
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
  masterKey: RepositoryFlags.text(
    "master-key",
    "FILE",
    "Take the key out of one backup that was made with a master key, with this RSA private key (PEM)",
  ),
  output: RepositoryFlags.text("output", "FILE", "Where the key that is taken out goes: a new file"),
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
    {
      command: "pxar-fuse keys --master-key private.pem --output key.json /mnt/datastore::host/elsa/latest",
      description: "The key is lost, but not the master key",
    },
  ]),
)
