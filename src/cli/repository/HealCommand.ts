/**
 * `pxar-fuse heal DATASTORE --from ADDRESS [FILTER…]`: writes back what is missing or damaged in a datastore.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import * as Lazy from "../Lazy.ts"
import * as Parameters from "../Parameters.ts"
import * as RepositoryFlags from "./RepositoryFlags.ts"

const parameters = {
  datastore: Argument.String("datastore").pipe(
    Argument.withDescription("The folder of a datastore, or DATASTORE::[ns/NAME/...]TYPE/ID of what to heal in it"),
  ),
  filters: Argument.String("filter").pipe(
    Argument.withDescription("Only these backups: the beginning of a path, * for any characters in a name"),
    Argument.variadic(),
  ),
  from: Flag.String("from").pipe(
    Flag.withDescription("A copy of the datastore; may be given several times"),
    Flag.withMetavar("ADDRESS"),
    Flag.atLeast(1),
  ),
  dryRun: Parameters.flag("dry-run", "Say what would be written, and write nothing"),
  jobs: Flag.Int("jobs").pipe(
    Flag.withDescription("Chunks looked at at once (default: 4)"),
    Flag.withMetavar("NUMBER"),
    Flag.filterMap(
      (jobs) => (jobs >= 1 && jobs <= 64 ? Option.some(jobs) : Option.none()),
      () => "a number from 1 to 64",
    ),
    Flag.withDefault(4),
  ),
  allowUnsigned: RepositoryFlags.flags.allowUnsigned,
  namespace: RepositoryFlags.where.namespace,
  json: Parameters.json,
  ...RepositoryFlags.keys,
  ...Parameters.reporting,
}

export const command = Command.make(
  "heal",
  parameters,
  Lazy.handler(() => import("./HealHandler.ts")),
).pipe(
  Command.withDescription("Write back what is missing or damaged in a datastore, from a copy of it"),
  Command.withExamples([
    { command: "pxar-fuse heal /mnt/datastore --from /mnt/copy --dry-run", description: "What could be healed?" },
    {
      command: "pxar-fuse heal /mnt/datastore --from /mnt/copy host/elsa",
      description: "Heal the backups of one host",
    },
  ]),
)
