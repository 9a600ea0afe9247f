/**
 * `pxar-fuse snapshots DATASTORE [FILTER…]`: which backups there are, and what is in them.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { handlers } from "../fast/Handlers.ts"
import * as Lazy from "../Lazy.ts"
import * as Parameters from "../Parameters.ts"
import * as RepositoryFlags from "./RepositoryFlags.ts"

const parameters = {
  address: Argument.String("address").pipe(
    Argument.withDescription("A datastore, or DATASTORE::[ns/NAME/...]TYPE/ID of what to look at in it"),
  ),
  filters: Argument.String("filter").pipe(
    Argument.withDescription("Only these backups: the first names of a reference, * for any characters within one"),
    Argument.variadic(),
  ),
  format: Flag.Literals("format", ["table", "tree", "json"]).pipe(
    Flag.withDescription("A line a backup, a tree with archives, or JSON for programs"),
    Flag.withMetavar("table|tree|json"),
    Flag.withDefault("table"),
  ),
  json: Parameters.json,
  ...RepositoryFlags.where,
  ...RepositoryFlags.keys,
  ...Parameters.messages,
}

export const command = Command.make("snapshots", parameters, Lazy.handler(handlers.snapshots)).pipe(
  Command.withDescription("List the backups in a datastore"),
  Command.withExamples([
    { command: "pxar-fuse snapshots /mnt/datastore", description: "All backups" },
    { command: "pxar-fuse snapshots /mnt/datastore 'host/web*'", description: "Those of some hosts" },
  ]),
)
